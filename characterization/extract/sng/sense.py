"""Read errors of the SNG: where the comparator trips, how mismatch and noise move it.

A device is read as 1 below the trip resistance. Mismatch moves ln(trip) of an amplifier for good
(offset), thermal noise from bit to bit. With log-normal resistances all that decides is normal, so
that errors are normal integrals and nothing is sampled.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.constants import Boltzmann
from scipy.optimize import brentq
from scipy.stats import norm

from characterization.extract.sng.bench import Bench
from circuits.comparator import comparator_parts
from circuits.simulator import Simulator
from circuits.sng.design import SngDesign
from circuits.sng.read_bench import PROBE_RISE, PROBE_TIME, capacitance_deck, read_deck
from devices.conduction import Conduction
from devices.technology import Technology

WIDEST = (1e2, 1e11)
"""ohm; the trip resistance is looked for between these."""
TRIP_TOLERANCE = 2e-4
"""Of ln(trip resistance)."""
SLOPE_STEP = 0.02
"""Of ln(resistance), for the sense node's slope."""
UNMOVED = ("dn", "up", "wr", "bz", "hc", "hz", "l")
"""Beginnings of the names of transistors that are off in the read or come after the decision."""
_TINY = 1e-12
_SIGMAS = 12.0
_GAUSS_X, _GAUSS_W = np.polynomial.legendre.leggauss(128)


@dataclass(frozen=True)
class ReadErrors:
    """Errors of one state over devices and amplifiers.

    ``mean`` is the population's; ``stuck`` the share of (device, amplifier) pairs that read wrong
    more often than right, for good; ``noisy`` the mean error of the others.
    """

    mean: float
    stuck: float
    noisy: float


@dataclass(frozen=True)
class SenseCharacter:
    """The sense stage against the resistances of a device.

    ``flip_resistance`` (ohm) is the nominal trip point, ``sensitivities`` d ln(trip)/d|Vt| (1/V) of
    every transistor that matters, ``sigma_trip`` the standard deviation of ln(trip) by mismatch,
    ``sigma_offset`` (V) that of the comparator alone at its input, ``noise`` (V, rms) per bit at
    the input and ``sigma_noise`` the same of ln(trip). ``hrs`` are devices in HRS read as
    1, ``lrs`` in LRS read as 0.
    """

    flip_resistance: float
    sensitivities: Mapping[str, float]
    sigma_trip: float
    sigma_offset: float
    noise: float
    sigma_noise: float
    hrs: ReadErrors
    lrs: ReadErrors

    @property
    def e01(self) -> float:
        """P(read 1 | HRS), mean over the population."""
        return self.hrs.mean

    @property
    def e10(self) -> float:
        """P(read 0 | LRS), mean over the population."""
        return self.lrs.mean


def sense_errors(bench: Bench, frozen_share: float = 1.0) -> SenseCharacter:
    """Sense errors of the device and design of a bench; see :func:`sense_character`."""
    return sense_character(
        bench.simulator, bench.technology, bench.design, bench.device.conduction, frozen_share
    )


def sense_character(
    simulator: Simulator,
    technology: Technology,
    design: SngDesign,
    conduction: Conduction,
    frozen_share: float = 1.0,
) -> SenseCharacter:
    """Trip resistance, its spread, and the read errors.

    ``frozen_share`` is the share of the variance of ln R that belongs to the device and not to the
    cycle; 1 (assumed) takes the spread as one from device to device.
    """
    trip = trip_resistance(simulator, technology, design)
    sigmas = design.vt_sigmas(technology)
    moved = [name for name in sigmas if not name.startswith(UNMOVED)]
    sensitivities = {}
    for name in moved:
        there = trip_resistance(simulator, technology, design, {name: sigmas[name]}, near=trip)
        sensitivities[name] = float(np.log(there / trip)) / sigmas[name]
    slope = _sense_slope(simulator, technology, design, trip)
    noise = input_noise(simulator, technology, design)
    comparator = {part.name for part in comparator_parts("", "", "", 0.0, 0.0)}

    def spread(names: set[str]) -> float:
        return float(np.sqrt(sum((sensitivities[n] * sigmas[n]) ** 2 for n in sorted(names))))

    sigma_trip, sigma_noise = spread(set(moved)), noise / abs(slope)
    errors = [
        read_errors(
            sign * float(np.log(resistance.value / trip)),
            sigma.value,
            sigma_trip,
            sigma_noise,
            frozen_share,
        )
        for sign, resistance, sigma in (
            (1.0, conduction.r_hrs, conduction.sigma_ln_r_hrs),
            (-1.0, conduction.r_lrs, conduction.sigma_ln_r_lrs),
        )
    ]
    return SenseCharacter(
        flip_resistance=trip,
        sensitivities=sensitivities,
        sigma_trip=sigma_trip,
        sigma_offset=spread(comparator) * abs(slope),
        noise=noise,
        sigma_noise=sigma_noise,
        hrs=errors[0],
        lrs=errors[1],
    )


def read_errors(
    margin: float, sigma_r: float, sigma_trip: float, sigma_noise: float, frozen_share: float = 1.0
) -> ReadErrors:
    """Errors of a state whose median ln R lies ``margin`` on the right side of ln(trip).

    With F the frozen deviation (offset and the device's share of ln R) and N that of one bit, both
    normal, a bit is wrong where F + N < -margin; a pair is stuck where F < -margin. The mean is a
    normal integral, the part of the pairs that are not stuck a quadrature over F.
    """
    frozen = np.hypot(sigma_trip, sigma_r * np.sqrt(frozen_share))
    per_bit = np.hypot(sigma_noise, sigma_r * np.sqrt(1 - frozen_share))
    frozen, per_bit = max(float(frozen), _TINY), max(float(per_bit), _TINY)
    mean = float(norm.cdf(-margin / np.hypot(frozen, per_bit)))
    stuck = float(norm.cdf(-margin / frozen))
    # Wrong, but not stuck: F > -margin > F + N. Beyond the limits the integrand is negligible.
    low = max(-margin, -_SIGMAS * frozen)
    high = min(-margin + _SIGMAS * per_bit, _SIGMAS * frozen)
    wrong = 0.0
    if high > low:
        f = low + (high - low) * (_GAUSS_X + 1) / 2
        integrand = norm.pdf(f, scale=frozen) * norm.cdf(-(margin + f) / per_bit)
        wrong = float(_GAUSS_W @ integrand) * (high - low) / 2
    return ReadErrors(mean, stuck, wrong / max(1.0 - stuck, _TINY))


def trip_resistance(
    simulator: Simulator,
    technology: Technology,
    design: SngDesign,
    vt_shifts: Mapping[str, float] | None = None,
    near: float | None = None,
) -> float:
    """Device resistance (ohm) at which the decision changes from 1 to 0.

    ``near`` is a guess. Where nothing between 100 ohm and 100 Gohm is read as 1 (as 0) that end is
    returned.
    """

    @functools.cache
    def decision(ln_resistance: float) -> float:
        deck = read_deck(technology, design, float(np.exp(ln_resistance)), vt_shifts)
        return _decision(simulator, deck)

    low, high = (float(np.log(end)) for end in WIDEST)
    if near is not None:
        low, high = _bracket(decision, float(np.log(near)), (low, high))
    if decision(low) <= 0:
        return float(np.exp(low))
    if decision(high) >= 0:
        return float(np.exp(high))
    return float(np.exp(brentq(decision, low, high, xtol=TRIP_TOLERANCE)))


def _bracket(
    decision: Callable[[float], float], middle: float, widest: tuple[float, float]
) -> tuple[float, float]:
    """The narrowest of a few intervals of ln R around ``middle`` in which the decision changes."""
    for width in (0.02, 0.1, 0.5):
        low, high = middle - width, middle + width
        if decision(low) > 0 > decision(high):
            return low, high
    return widest


def matched_sense(
    simulator: Simulator, technology: Technology, design: SngDesign, conduction: Conduction
) -> SngDesign:
    """The design with the current sink sized so that the trip is at sqrt(R_LRS R_HRS).

    The sink is widened where it must draw more than it does, then its gate is trimmed. Raises
    ValueError where no gate voltage up to the core supply reaches that.
    """
    wanted = float(np.sqrt(conduction.r_lrs.value * conduction.r_hrs.value))
    ratio = trip_resistance(simulator, technology, design) / wanted
    wider = replace(design, sink_width=design.sink_width * max(1.0, ratio))

    def decision(bias: float) -> float:
        deck = read_deck(technology, replace(wider, sense_bias=bias), wanted)
        return _decision(simulator, deck)

    low, high = 0.1 * technology.supply, technology.supply
    if not decision(low) > 0 > decision(high):
        raise ValueError(
            f"no gate voltage of the sense stage's current sink puts the trip point between "
            f"{conduction.r_lrs.value:.3g} and {conduction.r_hrs.value:.3g} ohm"
        )
    return replace(wider, sense_bias=float(brentq(decision, low, high, xtol=1e-3)))


def input_noise(simulator: Simulator, technology: Technology, design: SngDesign) -> float:
    """Thermal noise (V, rms) of one decision at the comparator's input, an upper bound.

    v^2 = kT/C_sense + 2 kT/C_output: the sense node's, and that of the two outputs released from
    ground, taken at unity gain, while the inputs amplify before the outputs regenerate (Razavi,
    IEEE Solid-State Circuits Mag. 7 (2), 12 (2015), recalled). The capacitances are simulated with
    the transistors off, where they are smallest.
    """
    waveforms = simulator.run(capacitance_deck(technology, design))
    slope = PROBE_RISE / PROBE_TIME
    sense, output = (
        abs(float(np.trapezoid(waveforms[f"i(v{node}x)"], waveforms.time)) / PROBE_TIME) / slope
        for node in ("sn", "op")
    )
    return float(np.sqrt(Boltzmann * technology.temperature * (1 / sense + 2 / output)))


def _decision(simulator: Simulator, deck: str) -> float:
    """Mean difference of the outputs (V) over the decision: positive for a 1, small near the trip.

    A last value would only have a sign; the mean also tells how fast the decision was.
    """
    waveforms = simulator.run(deck)
    difference = waveforms["v(op)"] - waveforms["v(on)"]
    return float(np.trapezoid(difference, waveforms.time) / waveforms.time[-1])


def _sense_slope(
    simulator: Simulator, technology: Technology, design: SngDesign, trip: float
) -> float:
    """d V(sense node)/d ln R (V) at the trip resistance, before the clock."""
    low, high = (
        float(simulator.run(read_deck(technology, design, trip * np.exp(step)))["v(sn)"][0])
        for step in (-SLOPE_STEP, SLOPE_STEP)
    )
    return (high - low) / (2 * SLOPE_STEP)
