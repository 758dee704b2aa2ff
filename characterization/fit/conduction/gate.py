"""LRS against the gate (compliance) voltage of the SET, by truncated log-normal likelihood.

Cells count as switched below a resistance threshold, so a low gate voltage shows only the lower
part of what it makes; the likelihood allows for the part that is cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from characterization.fit.conduction.maximum import maximum, r_squared
from devices.conduction import LrsVsGate
from devices.parameter import Parameter
from formats.errors import InputError

_WHERE = "LRS against gate voltage"
_FEWEST_GATES = 5
_FEWEST_ROWS = 50
_NAMES = ("r_ref", "gate_exponent", "v_t", "r_series", "sigma_ln_r", "sigma_exponent")
_UNITS = ("ohm", "1", "V", "ohm", "1", "1")


@dataclass(frozen=True)
class GateFit:
    """The law and, per gate voltage (V), rows, measured and predicted median LRS (ohm).

    Both medians are of what lies below ``switched_below``; ``values`` are on the scale of the
    fit, in ``order``, with their ``covariance`` (None where the likelihood is flat).
    ``gain_of_series`` is the log-likelihood the series resistance adds to a bare power law.
    """

    law: LrsVsGate
    log_likelihood: float
    gain_of_series: float
    gate: np.ndarray
    count: np.ndarray
    median: np.ndarray
    median_law: np.ndarray
    r_squared: float
    excluded: tuple[tuple[str, int], ...]
    order: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray | None
    sentences: tuple[str, ...]


def fit_lrs_vs_gate(
    gate: np.ndarray,
    r_lrs: np.ndarray,
    switched_below: float | None = None,
    reference_gate: float | None = None,
) -> GateFit:
    """Fit the LRS (ohm) of cells that switched against the gate voltage (V) of their SET.

    ``switched_below`` (ohm) is the threshold that told switched cells, None where there was none;
    ``reference_gate`` (V) defaults to the median gate voltage. Raises :class:`InputError` for
    fewer than 50 rows or five gate voltages.
    """
    g, r, excluded = _usable(gate, r_lrs, switched_below)
    levels = np.unique(g)
    if g.size < _FEWEST_ROWS or levels.size < _FEWEST_GATES:
        raise InputError(
            _WHERE,
            f"found {g.size} rows at {levels.size} gate voltages; expected at least "
            f"{_FEWEST_ROWS} rows at {_FEWEST_GATES}",
        )
    y = np.log(r)
    reference = float(np.median(g)) if reference_gate is None else float(reference_gate)
    lowest = float(g.min())
    if reference <= lowest:
        raise InputError(
            "reference_gate", f"found {reference:g} V, expected above the lowest, {lowest:g} V"
        )
    cut = np.inf if switched_below is None else float(np.log(switched_below))
    valid = (lowest, float(g.max()))

    def law_of(values: np.ndarray, series: bool = True) -> LrsVsGate:
        r_ref, exponent, gap, r_series, sigma, sigma_exponent = values
        numbers = (np.exp(r_ref), np.exp(exponent), lowest - np.exp(gap))
        rest = (np.exp(r_series) if series else 0.0, np.exp(sigma), sigma_exponent)
        made = zip(_NAMES, (*numbers, *rest), _UNITS, strict=True)
        members: dict[str, Any] = {
            name: Parameter(float(number), unit, "fitted") for name, number, unit in made
        }
        return LrsVsGate(reference_gate=reference, valid_gate=valid, **members)

    def rows(values: np.ndarray, series: bool = True) -> np.ndarray:
        law = law_of(values, series)
        mean, sigma = np.log(law.median(levels)), law.sigma(levels)
        inside = log_ndtr((cut - mean) / sigma)
        place = np.searchsorted(levels, g)
        mean, sigma, inside = mean[place], sigma[place], inside[place]
        return -0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi) - inside

    medians = np.array([np.median(r[g == level]) for level in levels])
    spread = float(np.median([max(0.01, y[g == level].std()) for level in levels]))
    at_reference = float(np.interp(reference, levels, medians))
    bottom = 0.95 * float(medians.min())
    starts = [
        np.array(
            [
                np.log(max(at_reference - bottom, 0.02 * bottom)),
                np.log(exponent),
                np.log(0.3 * (reference - lowest)),
                np.log(bottom),
                np.log(spread),
                0.3,
            ]
        )
        for exponent in (1.0, 2.0)
    ]
    summit = maximum(rows, starts)
    bare = [np.r_[np.log(at_reference), 0.0, start[2:]] for start in starts]
    without = maximum(lambda values: rows(values, series=False), bare, errors=False)
    gain = summit.log_likelihood - without.log_likelihood
    note = f"LRS against gate voltage ({g.size} rows)"
    transforms: tuple[Callable[[float], float], ...] = (
        _exp,
        _exp,
        lambda gap: lowest - float(np.exp(gap)),
        _exp,
        _exp,
        float,
    )
    members: dict[str, Any] = {
        name: summit.parameter(index, _UNITS[index], note, transforms[index])
        for index, name in enumerate(_NAMES)
    }
    law = LrsVsGate(reference_gate=reference, valid_gate=valid, **members)
    predicted = _truncated_median(law, levels, cut)
    fit_quality = r_squared(np.log(medians), np.log(predicted))
    count = np.array([np.sum(g == level) for level in levels])
    return GateFit(
        law,
        summit.log_likelihood,
        gain,
        levels,
        count,
        medians,
        predicted,
        fit_quality,
        excluded,
        _NAMES,
        summit.values,
        summit.covariance,
        _sentences(law, levels, medians, predicted, fit_quality, gain, excluded),
    )


def _usable(
    gate: np.ndarray, r_lrs: np.ndarray, switched_below: float | None
) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, int], ...]]:
    g, r = np.asarray(gate, float), np.asarray(r_lrs, float)
    if g.shape != r.shape or g.ndim != 1:
        raise InputError(_WHERE, f"columns differ in length: {g.size} and {r.size}")
    usable, excluded = np.ones(g.size, bool), []
    wrongs = [
        (~(np.isfinite(r) & (r > 0)), "the resistance is not a positive number"),
        (~np.isfinite(g), "the gate voltage is not a number"),
    ]
    if switched_below is not None:
        with np.errstate(invalid="ignore"):
            wrongs.append((r >= switched_below, f"not below {switched_below:g} ohm: not switched"))
    for wrong, reason in wrongs:
        if count := int(np.sum(usable & wrong)):
            excluded.append((reason, count))
        usable &= ~wrong
    # Sweeps made by adding steps write 2.3999999999999995 for 2.4.
    return np.round(g[usable], 9), r[usable], tuple(excluded)


def _truncated_median(law: LrsVsGate, gate: np.ndarray, cut: float) -> np.ndarray:
    """Median LRS (ohm) of the cells below the threshold e^cut."""
    mean, sigma = np.log(law.median(gate)), law.sigma(gate)
    return np.asarray(np.exp(mean + sigma * ndtri(ndtr((cut - mean) / sigma) / 2)))


def _exp(value: float) -> float:
    return float(np.exp(value))


def _sentences(
    law: LrsVsGate,
    gate: np.ndarray,
    median: np.ndarray,
    predicted: np.ndarray,
    quality: float,
    gain: float,
    excluded: tuple[tuple[str, int], ...],
) -> tuple[str, ...]:
    miss = np.abs(predicted / median - 1)
    worst = int(np.argmax(miss))
    told = [f"{count} rows were left out of the LRS law: {reason}." for reason, count in excluded]
    told.append(
        f"From {gate[0]:g} to {gate[-1]:g} V at the gate the median LRS goes from {median[0]:.3g} "
        f"to {median[-1]:.3g} ohm. The power law of the overdrive above {law.v_t.value:.2f} V with "
        f"exponent {law.gate_exponent.value:.2f} on top of {law.r_series.value:.3g} ohm gives "
        f"R^2 = {quality:.3f} for ln of the medians; it misses by "
        f"{100 * float(np.median(miss)):.1f} % typically, by {100 * miss[worst]:.0f} % at "
        f"{gate[worst]:g} V."
    )
    if gain > 2:
        told.append(f"Without the series resistance the log-likelihood falls by {gain:.0f}.")
    else:
        told.append("A series resistance is not needed by the data; its value is not supported.")
    return tuple(told)
