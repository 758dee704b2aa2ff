"""What a DAC code does to the nominal device, read from the SNG of cells.nc at a condition.

Interpolated are: ln(exposure) against the write voltage, by the shape-preserving cubic of the
extraction; between two tabulated temperatures ln(exposure) against 1/T, which is exact for an
Arrhenius tau0 with an exponential voltage acceleration, whether V0 follows T or not; the other
quantities as :func:`_blended` says. Nothing is extrapolated in temperature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.interpolate import PchipInterpolator

from devices.accelerations import Temperature
from devices.accelerations.base import BOLTZMANN_EV
from devices.law import SwitchingLaw
from formats.cells import Cells, nominal_index
from formats.errors import InputError
from system.arithmetic.conditions import Conditions

NEVER = -1e4
"""ln(exposure) standing for no exposure at all."""
_SMALLEST = 1e-300
_SAME_KELVIN = 1e-6


@dataclass(frozen=True)
class Environment:
    """Where between the tabulated temperatures, and at which corner (indices into cells.nc).

    ``weights`` are (index, share) of one or two temperatures; ``kelvin`` is None at the nominal
    one.
    """

    weights: tuple[tuple[int, float], ...]
    corner: int
    nominal: tuple[int, int]
    kelvin: float | None

    @property
    def is_nominal(self) -> bool:
        """Whether nothing differs from the nominal environment."""
        return self.weights == ((self.nominal[0], 1.0),) and self.corner == self.nominal[1]


class ReadErrors(NamedTuple):
    """P(RESET succeeds), P(read 1 | stored 0), P(read 0 | stored 1)."""

    reset: float
    e01: float
    e10: float


@dataclass(frozen=True, eq=False)
class CodeTable:
    """The DAC codes; arrays (codes,).

    ``nominal_exposure`` is that of the nominal device at the nominal condition, ``ln_exposure``
    that at the condition of the environment (``NEVER`` where there is none), and ``voltage`` (V)
    what that device has across it there.
    """

    nominal_exposure: np.ndarray
    ln_exposure: np.ndarray
    voltage: np.ndarray
    nominal_read_errors: ReadErrors
    read_errors: ReadErrors
    lag1: float
    warmth: Temperature | None


def environment_of(cells: Cells, conditions: Conditions) -> Environment:
    """Look the temperature and the corner up; raises :class:`InputError` with what there is."""
    place = _environment(cells, conditions)
    kelvins = np.atleast_1d(np.asarray(cells.sng["temperature"].to_numpy(), float))
    corner = str(np.atleast_1d(cells.sng["corner"].to_numpy())[place.corner])
    for index, _ in place.weights:
        gap = cells.gap(float(kelvins[index]), corner)
        if gap is not None:
            raise InputError(
                "--temperature, --corner",
                f"{cells.path} was extracted without {gap}; extract the cells again",
            )
    return place


def _environment(cells: Cells, conditions: Conditions) -> Environment:
    sng = cells.sng
    kelvins = np.atleast_1d(np.asarray(sng["temperature"].to_numpy(), float))
    corners = [str(name) for name in np.atleast_1d(sng["corner"].to_numpy())]
    nominal = nominal_index(kelvins, corners)
    corner = nominal[1]
    if conditions.corner is not None:
        if conditions.corner not in corners:
            raise InputError(
                "--corner",
                f"is {conditions.corner!r}; {cells.path} has {', '.join(corners)} "
                "(others: extract the cells with --corners)",
            )
        corner = corners.index(conditions.corner)
    wanted = conditions.temperature_K
    if wanted is None:
        return Environment(((nominal[0], 1.0),), corner, nominal, None)
    nearest = int(np.argmin(np.abs(kelvins - wanted)))
    if abs(kelvins[nearest] - wanted) < _SAME_KELVIN:
        kelvin = None if nearest == nominal[0] else float(kelvins[nearest])
        return Environment(((nearest, 1.0),), corner, nominal, kelvin)
    if not kelvins.min() < wanted < kelvins.max():
        raise InputError(
            "--temperature",
            f"is {wanted:g} K; {cells.path} has {', '.join(f'{k:g}' for k in kelvins)} K, and "
            "nothing is extrapolated (others: extract the cells with --temperatures)",
        )
    below = int(np.argmax(np.where(kelvins < wanted, kelvins, -np.inf)))
    above = int(np.argmin(np.where(kelvins > wanted, kelvins, np.inf)))
    share = (1 / wanted - 1 / kelvins[below]) / (1 / kelvins[above] - 1 / kelvins[below])
    weights = (below, float(1 - share)), (above, float(share))
    return Environment(weights, corner, nominal, float(wanted))


def code_table(cells: Cells, law: SwitchingLaw, conditions: Conditions) -> CodeTable:
    """The codes of cells.nc at the conditions; ``law`` is its SET law at the nominal one.

    ``dac_bits`` codes lie as the extraction lays its own: code 0 writes nothing, the others are
    equal steps from the least to the greatest write voltage of the file's codes.
    """
    sng, place = cells.sng, environment_of(cells, conditions)
    code_voltage, exposure = _codes(sng, conditions.dac_bits)
    ln_nominal = np.where(exposure > 0, np.log(np.maximum(exposure, _SMALLEST)), NEVER)
    temperature, corner = place.nominal
    at = sng.isel(temperature=temperature, corner=corner)
    width = _width(at, code_voltage, ln_nominal)
    ln_exposure, warmth = ln_nominal, None
    if not place.is_nominal:
        own = sng["exposure"].isel(pulse_width=width, corner=place.corner)
        curves = own.transpose("temperature", "write_voltage").to_numpy()
        swept = sng["write_voltage"].to_numpy()
        curve = sum(w * _along(swept, curves[i], code_voltage) for i, w in place.weights)
        plain = _along(swept, at["exposure"].isel(pulse_width=width).to_numpy(), code_voltage)
        ln_exposure = np.where(ln_nominal > NEVER, ln_nominal + curve - plain, NEVER)
        if place.kelvin is not None and law.activation is not None:
            warmth = _warmth(law, place.kelvin)
    seconds = float(sng["pulse_width"].to_numpy()[width])
    moved = law if warmth is None or place.kelvin is None else law.at_temperature(place.kelvin)
    voltage = moved.voltage_of_exposure(np.exp(ln_exposure), seconds)
    failing, e01, e10 = (
        _blended(values.isel(corner=place.corner).to_numpy(), place.weights)
        for values in (1 - sng["Pr"], sng["e01"], sng["e10"])
    )
    lag1 = sng["lag1"].isel(corner=place.corner, temperature=[i for i, _ in place.weights])
    nominal = ReadErrors(float(at["Pr"]), float(at["e01"]), float(at["e10"]))
    here = nominal if place.is_nominal else ReadErrors(1 - failing, e01, e10)
    return CodeTable(exposure, ln_exposure, voltage, nominal, here, float(lag1.max()), warmth)


def _codes(sng: xr.Dataset, bits: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Write voltage (V) and nominal exposure of every code."""
    voltage = np.asarray(sng["code_voltage"].to_numpy(), float)
    exposure = np.asarray(sng["code_exposure"].to_numpy(), float)
    if bits is None or 2**bits == voltage.size:
        return voltage, exposure
    written = exposure > 0
    ends = voltage[written].min(), voltage[written].max()
    levels = np.linspace(*ends, 2**bits - 1)
    found = np.exp(_along(voltage[written], exposure[written], levels))
    return np.concatenate([[0.0], levels]), np.concatenate([[0.0], found])


def _along(swept: np.ndarray, exposure: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """ln(exposure) at write voltages, from a curve over ``swept`` (V)."""
    order = np.argsort(swept)
    ln = np.log(np.maximum(exposure, _SMALLEST))
    return np.asarray(PchipInterpolator(swept[order], ln[order], extrapolate=True)(voltage))


def _width(at: xr.Dataset, code_voltage: np.ndarray, ln_exposure: np.ndarray) -> int:
    """Index of the pulse width whose exposures agree best with those of the codes."""
    curves = at["exposure"].transpose("pulse_width", "write_voltage").to_numpy()
    swept = at["write_voltage"].to_numpy()
    within = (code_voltage >= swept.min()) & (code_voltage <= swept.max()) & (ln_exposure > NEVER)
    misses = [
        np.sum(
            np.abs(
                np.interp(code_voltage[within], swept, np.log(np.maximum(curve, _SMALLEST)))
                - ln_exposure[within]
            )
        )
        for curve in curves
    ]
    return int(np.argmin(misses))


def _warmth(law: SwitchingLaw, kelvin: float) -> Temperature:
    """Where ``kelvin`` lies for a law with an activation energy."""
    assert law.activation is not None
    reference = law.reference_temperature
    return Temperature(
        kelvin / reference,
        law.activation.value / (BOLTZMANN_EV * reference),
        law.v0_follows_temperature,
    )


def _blended(values: np.ndarray, weights: tuple[tuple[int, float], ...]) -> float:
    """A small probability between temperatures: its logarithm against 1/T, itself if one is 0."""
    chosen = [(float(values[i]), share) for i, share in weights]
    if all(value > 0 for value, _ in chosen):
        return float(np.exp(sum(share * np.log(value) for value, share in chosen)))
    return sum(share * value for value, share in chosen)
