"""From a number in [0, 1] to the bit probability of one physical generator (SNG) of cells.nc.

number -> operand register -> DAC code -> exposure of the nominal device -> this device's own
switching probability -> stored bit -> bit read out.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from devices.accelerations.base import LN_TAU_REF, LN_V0, REFERENCE, VOLTAGE
from devices.cbram import CBRAM
from devices.expressions import compiled
from devices.law import SwitchingLaw
from formats.cells import Cells, at_nominal
from formats.errors import InputError
from system.bitstream.ownership import StreamRules

REGISTER_BITS = 14
"""Bits of the binary operand that addresses the table of DAC codes (assumed)."""
READOUT_NODES = 4097
"""Nodes of the table P(bit = 1) against ln(exposure)."""
_TABLE_ENDS = (1e-7, 1 - 1e-7)
_NEVER = -1e4
"""ln(exposure) standing for no exposure at all."""


class Deviation(NamedTuple):
    """How each device differs from the nominal one: shifts of ln tau_ref and of ln V0 (or None)."""

    ln_tau: jax.Array
    ln_v0: jax.Array | None


@dataclass(frozen=True)
class ReadOut:
    """RESET and read: P(RESET succeeds), e01 = P(read 1 | stored 0), e10 = P(read 0 | stored 1)."""

    reset: float
    e01: float
    e10: float

    def stored(self, switching: np.ndarray) -> np.ndarray:
        """Stationary P(stored 1) pi of the RESET-write-read cycle: Ps / (Ps + Pr (1 - Ps))."""
        lasting = switching + self.reset * (1 - switching)
        return np.where(lasting > 0, switching / np.where(lasting > 0, lasting, 1.0), 0.0)

    def read(self, switching: np.ndarray) -> np.ndarray:
        """P(bit read = 1) = pi (1 - e10) + (1 - pi) e01."""
        stored = self.stored(switching)
        return np.asarray(stored * (1 - self.e10) + (1 - stored) * self.e01)

    def set_events(self, mean_read: float) -> float:
        """SET events per cycle on the average device, from the mean P(bit read = 1).

        The read-out is linear in pi; a SET must follow each successful RESET, so their common
        rate is pi Pr.
        """
        contrast = 1 - self.e01 - self.e10
        return max(0.0, (mean_read - self.e01) / contrast) * self.reset


@dataclass(frozen=True, eq=False)
class Generators:
    """The SNGs of one cells.nc at their nominal condition.

    ``level_ln_exposure`` and ``level_voltage`` (V across the nominal device) belong to the
    2^REGISTER_BITS + 1 values of the operand register; ``readout`` tabulates P(bit = 1) from
    ln(exposure) = ``start`` in steps of ``step``. Operands beyond the last code take the last.
    """

    law: SwitchingLaw
    read_out: ReadOut
    level_ln_exposure: np.ndarray
    level_voltage: np.ndarray
    readout: np.ndarray
    start: float
    step: float
    lag1: float

    @classmethod
    def from_cells(cls, cells: Cells, only_code: int | None = None) -> Generators:
        """Read the group ``sng`` and the device; raises :class:`InputError`.

        With ``only_code`` every number takes this DAC code.
        """
        law = _set_law(cells)
        sng = at_nominal(cells.sng)
        read_out = ReadOut(*(float(sng[name]) for name in ("Pr", "e01", "e10")))
        if not (0 < read_out.reset <= 1 and read_out.e01 + read_out.e10 < 1):
            raise InputError(
                cells.path,
                f"sng has Pr = {read_out.reset:g}, e01 = {read_out.e01:g}, e10 = {read_out.e10:g}; "
                "expected 0 < Pr <= 1 and e01 + e10 < 1",
            )
        exposure = sng["code_exposure"].to_numpy()
        code = nearest_code(read_out.read(law.probability_of_exposure(exposure)))
        if only_code is not None:
            if not 0 <= only_code < exposure.size:
                raise InputError("--code", f"is {only_code}; expected 0 to {exposure.size - 1}")
            code = np.full_like(code, only_code)
        ln_exposure = np.where(exposure > 0, np.log(np.maximum(exposure, 1e-300)), _NEVER)
        voltage = _device_voltage(law, sng, ln_exposure)
        start, end = np.log(law.exposure_of_probability(np.array(_TABLE_ENDS)))
        nodes = np.linspace(start, end, READOUT_NODES)
        readout = read_out.read(law.probability_of_exposure(np.exp(nodes)))
        readout[0] = read_out.read(np.zeros(1))[0]
        return cls(
            law=law,
            read_out=read_out,
            level_ln_exposure=ln_exposure[code].astype(np.float32),
            level_voltage=voltage[code].astype(np.float32),
            readout=readout.astype(np.float32),
            start=float(start),
            step=float(nodes[1] - nodes[0]),
            lag1=float(sng["lag1"].max()),
        )

    def draw_devices(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Deviation:
        """Frozen deviations of ``shape`` devices of the population (D2D)."""
        spread = self.law.spread
        first, second = generator.standard_normal((2, *shape))
        ln_tau = spread.sigma_ln_tau_d2d.value * first
        if spread.sigma_ln_v0_d2d.value == 0:
            return Deviation(jnp.asarray(ln_tau, jnp.float32), None)
        rho = spread.correlation_d2d.value
        mixed = rho * first + math.sqrt(1 - rho * rho) * second
        ln_v0 = spread.sigma_ln_v0_d2d.value * mixed
        return Deviation(jnp.asarray(ln_tau, jnp.float32), jnp.asarray(ln_v0, jnp.float32))

    def draw_weights(
        self,
        generator: np.random.Generator,
        shape: tuple[int, ...],
        uses: int,
        rules: StreamRules,
    ) -> Deviation:
        """The same of the devices behind weights of ``shape``, each used ``uses`` times an image.

        In the shape of the weights, parameters that share a generator having equal deviations; or,
        where every use has a generator of its own, with an axis of uses before (if there are
        several).
        """
        if rules.kind == "use":
            return self.draw_devices(generator, (uses, *shape) if uses > 1 else shape)
        if rules.group == 1:
            return self.draw_devices(generator, shape)
        parameters = math.prod(shape)
        own = self.draw_devices(generator, (rules.generators(parameters),))
        place = rules.generator_of(parameters).reshape(shape)
        return Deviation(own.ln_tau[place], None if own.ln_v0 is None else own.ln_v0[place])

    def probability(self, number: jax.Array, device: Deviation) -> jax.Array:
        """P(bit = 1) of each device asked for each number in [0, 1].

        The trailing axes of ``number`` are those of ``device``.
        """
        level = jnp.round(number * 2**REGISTER_BITS).astype(jnp.int32)
        ln_exposure = _take(self.level_ln_exposure, level) - device.ln_tau
        if device.ln_v0 is not None:
            ln_exposure = ln_exposure - self._shift_of_v0(level, device.ln_v0)
        place = (ln_exposure - self.start) * (1 / self.step)
        # Comparisons, as XLA's minimum and maximum cost several instructions each.
        place = jnp.where(place > 0, place, 0.0)
        place = jnp.where(place < READOUT_NODES - 1.001, place, READOUT_NODES - 1.001)
        node = place.astype(jnp.int32)
        rise = np.diff(self.readout, append=self.readout[-1])
        return _take(self.readout, node) + (place - node) * _take(rise, node)

    def _shift_of_v0(self, level: jax.Array, ln_v0: jax.Array) -> jax.Array:
        """Change of ln tau at each level's voltage when ln V0 moves."""
        ln_tau = compiled(
            self.law.acceleration.ln_tau, (VOLTAGE, REFERENCE, LN_TAU_REF, LN_V0), "jax"
        )
        voltage, nominal = _take(self.level_voltage, level), math.log(self.law.v0.value)
        reference = self.law.reference_voltage
        return ln_tau(voltage, reference, 0.0, nominal + ln_v0) - ln_tau(
            voltage, reference, 0.0, nominal
        )


def nearest_code(code_probability: np.ndarray) -> np.ndarray:
    """For each value of the operand register the DAC code whose bit probability is nearest."""
    order = np.argsort(code_probability, kind="stable")
    ordered = code_probability[order]
    wanted = np.arange(2**REGISTER_BITS + 1) / 2**REGISTER_BITS
    return order[np.searchsorted((ordered[:-1] + ordered[1:]) / 2, wanted)]


def _take(table: np.ndarray, index: jax.Array) -> jax.Array:
    return jnp.asarray(table).at[index].get(mode="promise_in_bounds")


def _set_law(cells: Cells) -> SwitchingLaw:
    try:
        return CBRAM.from_dict(json.loads(cells.attributes["device_json"])).set
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            cells.path, f"the attribute device_json is not a device ({error!r})"
        ) from error


def _device_voltage(law: SwitchingLaw, sng: xr.Dataset, ln_exposure: np.ndarray) -> np.ndarray:
    """The constant voltage (V) across the nominal device that gives each code's exposure.

    The write path drops part of ``code_voltage``; the exposure over the pulse tells what is left.
    The pulse width is the one whose exposures in the file agree best with those of the codes.
    """
    widths = sng["pulse_width"].to_numpy()
    curves = sng["exposure"].transpose("pulse_width", "write_voltage").to_numpy()
    code_voltage = sng["code_voltage"].to_numpy()
    swept = sng["write_voltage"].to_numpy()
    within = (code_voltage >= swept.min()) & (code_voltage <= swept.max()) & (ln_exposure > _NEVER)
    misses = [
        np.sum(
            np.abs(
                np.interp(code_voltage[within], swept, np.log(np.maximum(curve, 1e-300)))
                - ln_exposure[within]
            )
        )
        for curve in curves
    ]
    return law.voltage_of_exposure(np.exp(ln_exposure), float(widths[int(np.argmin(misses))]))


def describe_dependence(generators: Generators) -> str | None:
    """A warning where the bits of one generator are not independent, which moments assume."""
    memory: Any = generators.law.spread.memory.value
    reasons = []
    if generators.lag1 > 1e-3:
        reasons.append(f"lag-1 correlation up to {generators.lag1:.2g} in cells.nc")
    if memory:
        reasons.append(f"device memory rho = {memory:.2g}")
    if not reasons:
        return None
    return f"the moments assume independent bits, but there is {' and '.join(reasons)}"
