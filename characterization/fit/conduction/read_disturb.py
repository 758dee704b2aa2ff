"""What reading does to the state: false SET or RESET per read under two laws side by side.

A law fitted at write voltages is far from its data at the read voltage, where exp(V/V0) and
sinh(V/V0) part. Both are made to agree at the law's reference voltage in ln tau and in its slope.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from devices.accelerations import ACCELERATIONS, Acceleration
from devices.law import SwitchingLaw
from formats.errors import InputError

_LAWS = ("exp(-V/V0)", "1/sinh(V/V0)")
DISTURBED = (0.01, 0.5)
_DRAWS = 400
_STEP = 1e-5


@dataclass(frozen=True)
class Disturb:
    """One law at the read voltage.

    ``probability`` is that of switching in the first read after the device entered its state,
    ``interval95`` that of the fit's covariance (None without one); ``reads`` the number of reads
    until 1 % and 50 % have switched, exposures adding up from read to read. ``possible`` False:
    no law of this acceleration has the given value and slope, and the numbers are NaN.
    """

    acceleration: str
    v0: float
    probability: float
    interval95: tuple[float, float] | None
    reads: tuple[float, float]
    possible: bool = True


@dataclass(frozen=True)
class ReadDisturb:
    """A read of one direction: both laws, and whether the read voltage lies outside the data."""

    direction: str
    read_voltage: float
    read_time: float
    laws: tuple[Disturb, ...]
    extrapolated: bool
    sentences: tuple[str, ...]


def read_disturb(
    direction: str,
    law: SwitchingLaw,
    read_voltage: float,
    read_time: float,
    seed: int = 0,
) -> ReadDisturb:
    """P of a false ``direction`` ("SET" or "RESET") per read of V (signed V_cell) and time (s).

    A SET needs a positive and a RESET a negative read voltage; at the other polarity the rate is
    0 and so is P. Raises :class:`InputError` for a read time that is not positive, a voltage that
    is zero, or another direction.
    """
    if direction not in ("SET", "RESET"):
        raise InputError("read disturb", f"found direction {direction!r}, expected SET or RESET")
    if not (math.isfinite(read_time) and read_time > 0):
        raise InputError("read time", f"found {read_time:g} s, expected a time above 0")
    if not math.isfinite(read_voltage) or read_voltage == 0:
        raise InputError("read voltage", f"found {read_voltage:g} V, expected a voltage, not 0")
    magnitude = read_voltage if direction == "SET" else -read_voltage
    if magnitude < 0:
        nothing = Disturb(law.acceleration.name, law.v0.value, 0.0, (0.0, 0.0), (np.inf, np.inf))
        return ReadDisturb(
            direction,
            read_voltage,
            read_time,
            (nothing,),
            False,
            (f"A read at {read_voltage:g} V cannot {direction}: it has the other polarity.",),
        )
    low, high = law.valid_voltage
    extrapolated = not low <= magnitude <= high
    laws = tuple(_disturb(law, ACCELERATIONS[name], magnitude, read_time, seed) for name in _LAWS)
    return ReadDisturb(
        direction,
        read_voltage,
        read_time,
        laws,
        extrapolated,
        _sentences(direction, law, read_voltage, read_time, laws, extrapolated),
    )


def matched(law: SwitchingLaw, acceleration: Acceleration) -> SwitchingLaw | None:
    """The law with another voltage acceleration, equal at the reference in ln tau and slope.

    None where no V0 gives the slope: 1/sinh is never flatter than 1/V.
    """
    if acceleration.name == law.acceleration.name:
        return law
    wanted = slope_at_reference(law)

    def miss(ln_v0: float) -> float:
        other = replace(
            law, acceleration=acceleration, v0=replace(law.v0, value=float(np.exp(ln_v0)))
        )
        return slope_at_reference(other) - wanted

    # ln tau falls faster with V for a smaller V0, so the miss rises with ln V0.
    middle = math.log(1 / abs(wanted))
    low, high = middle - 5.0, middle + 8.0
    if not (miss(low) < 0 < miss(high)):
        return None
    ln_v0 = float(brentq(miss, low, high, xtol=1e-13))
    return replace(law, acceleration=acceleration, v0=replace(law.v0, value=math.exp(ln_v0)))


def slope_at_reference(law: SwitchingLaw) -> float:
    """d ln tau/dV (1/V) at the reference voltage."""
    step = _STEP * law.reference_voltage
    at = law.ln_tau(law.reference_voltage + step * np.array([-2.0, -1.0, 1.0, 2.0]))
    return float((at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step))


def _disturb(
    law: SwitchingLaw, acceleration: Acceleration, magnitude: float, time: float, seed: int
) -> Disturb:
    same = matched(law, acceleration)
    if same is None:
        nan = float("nan")
        return Disturb(acceleration.name, nan, nan, None, (nan, nan), possible=False)
    exposure = float(same.rate(np.array([magnitude]))[0] * time)
    needed = same.exposure_of_probability(np.array(DISTURBED))
    with np.errstate(divide="ignore"):
        reads = np.maximum(1.0, needed / np.float64(exposure))
    probability = _probability(same, magnitude, time)
    return Disturb(
        acceleration.name,
        same.v0.value,
        probability,
        _interval(law, acceleration, magnitude, time, seed),
        (float(reads[0]), float(reads[1])),
    )


def _probability(law: SwitchingLaw, magnitude: float, time: float) -> float:
    exposure = law.rate(np.array([magnitude])) * time
    return float(np.asarray(law.probability_of_exposure(exposure))[0])


def _interval(
    law: SwitchingLaw, acceleration: Acceleration, magnitude: float, time: float, seed: int
) -> tuple[float, float] | None:
    """95 % interval of P from draws of the fit's covariance, matched draw by draw."""
    order = list(law.covariance_order)
    matrix = np.asarray(law.covariance, float)
    if not {"tau_ref", "V0"} <= set(order) or not np.all(np.isfinite(matrix)):
        return None
    centre = {"tau_ref": law.tau_ref.value, "V0": law.v0.value, "shape": law.shape_value}
    kept = [i for i, name in enumerate(order) if name in centre]
    draws = np.random.default_rng(seed).multivariate_normal(
        [math.log(centre[order[i]]) for i in kept], matrix[np.ix_(kept, kept)], _DRAWS
    )
    found = []
    for draw in np.exp(draws):
        value = centre | dict(zip((order[i] for i in kept), draw.tolist(), strict=True))
        other = law.with_values(value["tau_ref"], value["V0"], value["shape"])
        same = matched(other, acceleration)
        if same is None:
            return None
        found.append(_probability(same, magnitude, time))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _sentences(
    direction: str,
    law: SwitchingLaw,
    voltage: float,
    time: float,
    laws: tuple[Disturb, ...],
    extrapolated: bool,
) -> tuple[str, ...]:
    told = []
    for found in laws:
        if not found.possible:
            told.append(
                f"No law {found.acceleration} has the fitted slope at "
                f"{law.reference_voltage:g} V (1/sinh is never flatter than 1/V): left out."
            )
            continue
        band = ""
        if found.interval95 is not None:
            band = f" (95 % {found.interval95[0]:.2g} to {found.interval95[1]:.2g})"
        told.append(
            f"False {direction} per read of {voltage:g} V, {time:.3g} s, by {found.acceleration}: "
            f"P = {found.probability:.3g}{band}; 1 % disturbed after {found.reads[0]:.3g} reads, "
            f"50 % after {found.reads[1]:.3g}."
        )
    if extrapolated:
        told.append(
            f"Extrapolated: {abs(voltage):g} V lies outside the {law.valid_voltage[0]:g} to "
            f"{law.valid_voltage[1]:g} V of the data; the two laws bracket nothing, they show how "
            "much the choice of law matters."
        )
    width_low, width_high = law.valid_width
    if not width_low <= time <= width_high:
        told.append(
            f"The read time {time:.3g} s lies outside the {width_low:.3g} to {width_high:.3g} s "
            "of the data."
        )
    return tuple(told)
