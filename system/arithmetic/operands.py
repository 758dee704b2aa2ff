"""From a number in [0, 1] to the bit probability of one physical generator (SNG) of cells.nc.

number -> operand register -> DAC code (and this SNG's trim) -> exposure of the nominal device ->
this device's own switching probability -> stored bit -> bit read out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from devices.accelerations import Temperature
from devices.accelerations.base import (
    ACTIVATION,
    LN_TAU_REF,
    LN_V0,
    REFERENCE,
    VOLTAGE,
    WARMTH,
)
from devices.cbram import CBRAM
from devices.expressions import compiled
from devices.law import SwitchingLaw
from formats.cells import Cells
from formats.errors import InputError
from system.arithmetic.codes import ReadErrors, code_table
from system.arithmetic.conditions import NOMINAL, Conditions
from system.bitstream.ownership import StreamRules

REGISTER_BITS = 14
"""Bits of the binary operand that addresses the table of DAC codes (assumed)."""
READOUT_NODES = 4097
"""Nodes of the table P(bit = 1) against ln(exposure)."""
_TABLE_ENDS = (1e-7, 1 - 1e-7)
STUCK_LN_TAU = 3e4
"""ln tau of a device that never switches in any write, and minus that of one that always has:
beyond ``NEVER`` of :mod:`system.arithmetic.codes`, so that code 0 does not matter either."""


class Trim(NamedTuple):
    """What each SNG's trim word adds to the DAC code: ``offset`` + ``gain`` x code (or None).

    Codes (whole ones where there is no gain), and codes per code; the sum is rounded to a code.
    """

    offset: jax.Array
    gain: jax.Array | None


class Deviation(NamedTuple):
    """How each device differs from the nominal one: shifts of ln tau_ref and of ln V0 (or None).

    Both at the law's reference temperature. ``trim`` is what calibration wrote into the SNGs.
    """

    ln_tau: jax.Array
    ln_v0: jax.Array | None
    trim: Trim | None = None

    def at(self, place: np.ndarray) -> Deviation:
        """The devices at places of the (single) axis."""
        return jax.tree.map(lambda values: values[place], self)

    def stuck(self, where: np.ndarray, in_lrs: bool) -> Deviation:
        """The same, but devices ``where`` (bool, in their shape) are worn and stay in one state.

        Whatever is written, they are read as a stored 1 (``in_lrs``) or 0: with the read errors.
        """
        ln_tau = jnp.where(where, -STUCK_LN_TAU if in_lrs else STUCK_LN_TAU, self.ln_tau)
        # Their own V0 no longer matters.
        ln_v0 = None if self.ln_v0 is None else jnp.where(where, 0.0, self.ln_v0)
        return self._replace(ln_tau=ln_tau, ln_v0=ln_v0)


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
    """The SNGs of one cells.nc at a condition.

    ``code_ln_exposure`` and ``code_voltage`` (V across the nominal device) belong to the DAC
    codes, ``level_code``, ``level_ln_exposure`` and ``level_voltage`` to the 2^REGISTER_BITS + 1
    values of the operand register; ``readout`` tabulates P(bit = 1) from ln(exposure) = ``start``
    in steps of ``step``. Operands beyond the last code take the last. ``law`` holds at the nominal
    condition, ``warmth`` (None there) says how much hotter the devices are.
    """

    law: SwitchingLaw
    read_out: ReadOut
    code_ln_exposure: np.ndarray
    code_voltage: np.ndarray
    level_code: np.ndarray
    level_ln_exposure: np.ndarray
    level_voltage: np.ndarray
    readout: np.ndarray
    start: float
    step: float
    lag1: float
    warmth: Temperature | None = None
    conditions: Conditions = NOMINAL

    @classmethod
    def from_cells(
        cls, cells: Cells, only_code: int | None = None, conditions: Conditions = NOMINAL
    ) -> Generators:
        """Read the group ``sng`` and the device; raises :class:`InputError`.

        With ``only_code`` every number takes this DAC code. The code of a number is the nearest
        one of the nominal device at the nominal temperature and corner, with the what-ifs of
        ``conditions`` known; what the code then does is read at the temperature and the corner.
        """
        law = conditions.law_with(_set_law(cells))
        table = code_table(cells, law, conditions)
        planned = _read_out(cells, table.nominal_read_errors, conditions.sense_error)
        read_out = _read_out(cells, table.read_errors, conditions.sense_error)
        exposure = table.nominal_exposure
        code = nearest_code(planned.read(law.probability_of_exposure(exposure)))
        if only_code is not None:
            if not 0 <= only_code < exposure.size:
                raise InputError("--code", f"is {only_code}; expected 0 to {exposure.size - 1}")
            code = np.full_like(code, only_code)
        start, end = np.log(law.exposure_of_probability(np.array(_TABLE_ENDS)))
        nodes = np.linspace(start, end, READOUT_NODES)
        readout = read_out.read(law.probability_of_exposure(np.exp(nodes)))
        readout[0] = read_out.read(np.zeros(1))[0]
        return cls(
            law=law,
            read_out=read_out,
            code_ln_exposure=table.ln_exposure.astype(np.float32),
            code_voltage=table.voltage.astype(np.float32),
            level_code=code.astype(np.int32),
            level_ln_exposure=table.ln_exposure[code].astype(np.float32),
            level_voltage=table.voltage[code].astype(np.float32),
            readout=readout.astype(np.float32),
            start=float(start),
            step=float(nodes[1] - nodes[0]),
            # The file's holds its own memory; that of a what-if is a reason of its own.
            lag1=table.lag1 if conditions.memory is None else 1 - read_out.reset,
            warmth=table.warmth,
            conditions=conditions,
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
        trimmed: Callable[[Deviation], Deviation] = lambda own: own,
    ) -> Deviation:
        """The same of the devices behind weights of ``shape``, each used ``uses`` times an image.

        ``trimmed`` calibrates the SNGs, each once however many weights share it. In the shape of
        the weights, parameters that share a generator having equal deviations; or, where every use
        has a generator of its own, with an axis of uses before (if there are several).
        """
        if rules.kind == "use":
            return trimmed(self.draw_devices(generator, (uses, *shape) if uses > 1 else shape))
        if rules.group == 1:
            return trimmed(self.draw_devices(generator, shape))
        parameters = math.prod(shape)
        own = trimmed(self.draw_devices(generator, (rules.generators(parameters),)))
        return own.at(rules.generator_of(parameters).reshape(shape))

    def probability(self, number: jax.Array, device: Deviation) -> jax.Array:
        """P(bit = 1) of each device asked for each number in [0, 1].

        The trailing axes of ``number`` are those of ``device``.
        """
        level = jnp.round(number * 2**REGISTER_BITS).astype(jnp.int32)
        if device.trim is not None:
            return self.probability_of_code(_take(self.level_code, level), device)
        ln_exposure = _take(self.level_ln_exposure, level) - device.ln_tau
        if device.ln_v0 is not None:
            voltage = _take(self.level_voltage, level)
            ln_exposure = ln_exposure - self._shift_of_v0(voltage, device.ln_v0)
        return self._read(ln_exposure)

    def probability_of_code(self, code: jax.Array, device: Deviation) -> jax.Array:
        """P(bit = 1) of each device written with each DAC code and its own trim.

        A trimmed code stays within the DAC's; code 0 writes nothing and is not trimmed.
        """
        return self._read(self.ln_exposure_of_code(code, device))

    def ln_exposure_of_code(self, code: jax.Array, device: Deviation) -> jax.Array:
        """ln(exposure) over the device's own tau, for the same."""
        if device.trim is not None:
            code = self.trimmed_code(code, device.trim)
        ln_exposure = _take(self.code_ln_exposure, code) - device.ln_tau
        if device.ln_v0 is not None:
            voltage = _take(self.code_voltage, code)
            ln_exposure = ln_exposure - self._shift_of_v0(voltage, device.ln_v0)
        return ln_exposure

    def trimmed_code(self, code: jax.Array, trim: Trim) -> jax.Array:
        """The codes that are written."""
        shift = trim.offset
        if trim.gain is not None:
            shift = jnp.round(shift + trim.gain * code)
        moved = jnp.clip(code + shift.astype(jnp.int32), 1, self.code_voltage.size - 1)
        return jnp.where(code > 0, moved, 0)

    def _read(self, ln_exposure: jax.Array) -> jax.Array:
        """P(bit = 1) after an exposure."""
        place = (ln_exposure - self.start) * (1 / self.step)
        # Comparisons, as XLA's minimum and maximum cost several instructions each.
        place = jnp.where(place > 0, place, 0.0)
        place = jnp.where(place < READOUT_NODES - 1.001, place, READOUT_NODES - 1.001)
        node = place.astype(jnp.int32)
        rise = np.diff(self.readout, append=self.readout[-1])
        return _take(self.readout, node) + (place - node) * _take(rise, node)

    def _shift_of_v0(self, voltage: jax.Array, ln_v0: jax.Array) -> jax.Array:
        """Change of ln tau at voltages (V across the device) when ln V0 moves."""
        acceleration, reference = self.law.acceleration, self.law.reference_voltage
        nominal = math.log(self.law.v0.value)
        places: tuple[Any, ...] = (VOLTAGE, REFERENCE, LN_TAU_REF, LN_V0)
        expression = acceleration.ln_tau
        more: tuple[Any, ...] = ()
        if self.warmth is not None:
            places = (*places, WARMTH, ACTIVATION)
            expression = acceleration.ln_tau_warm(self.warmth.proportional)
            more = (self.warmth.warmth, self.warmth.activation)
        ln_tau = compiled(expression, places, "jax")
        return ln_tau(voltage, reference, 0.0, nominal + ln_v0, *more) - ln_tau(
            voltage, reference, 0.0, nominal, *more
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


def _read_out(cells: Cells, found: ReadErrors, error: float | None) -> ReadOut:
    """The RESET and the errors of the file, or with a what-if's error in both directions."""
    reset, e01, e10 = found
    if error is not None:
        e01 = e10 = error
    if not (0 < reset <= 1 and e01 + e10 < 1):
        raise InputError(
            cells.path,
            f"sng has Pr = {reset:g}, e01 = {e01:g}, e10 = {e10:g}; "
            "expected 0 < Pr <= 1 and e01 + e10 < 1",
        )
    return ReadOut(reset, e01, e10)


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
