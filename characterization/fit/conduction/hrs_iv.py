"""Non-linear HRS: I = I0 sinh(V/V_s) from points of voltage and current, against Ohm's law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

from characterization.fit.table.base import Table
from characterization.fit.table.validation import numbers
from devices.conduction import HrsSinh
from devices.parameter import Parameter
from formats.errors import InputError

_WHERE = "HRS current"
_FEWEST = 5
_DROP = 1.920729
"""Half the 95 % point of chi-square with one degree of freedom."""
_LEVEL = 0.05


@dataclass(frozen=True)
class IvFit:
    """The sinh law with the scatter of ln I about it, and Ohm's law beside it.

    ``p_ohmic`` is the likelihood-ratio p-value of the straight line; ``bounded`` tells whether
    the data bound V_s from above.
    """

    law: HrsSinh
    sigma_ln_current: float
    log_likelihood: float
    log_likelihood_ohmic: float
    p_ohmic: float
    bounded: bool
    rows: int
    excluded: tuple[tuple[str, int], ...]
    sentences: tuple[str, ...]


def fit_hrs_table(table: Table) -> IvFit:
    """Fit the columns ``voltage_V`` and ``current_A``; raises :class:`InputError`."""
    for column in ("voltage_V", "current_A"):
        if column not in table.frame:
            raise InputError(
                table.where, f"lacks the column {column}; expected voltage_V,current_A"
            )
    return fit_hrs_iv(numbers(table, "voltage_V"), numbers(table, "current_A"))


def fit_hrs_iv(voltage: np.ndarray, current: np.ndarray) -> IvFit:
    """Fit currents (A) at voltages (V), both signed, with equal relative errors.

    The scatter of ln|I| is taken as normal and alike at all points, which suits currents over
    decades. Raises :class:`InputError` for fewer than five usable points or two voltages.
    """
    v, i, excluded = _usable(voltage, current)
    size, y = np.abs(v), np.log(np.abs(i))
    if v.size < _FEWEST or np.unique(size).size < 3:
        raise InputError(
            _WHERE,
            f"found {v.size} usable points at {np.unique(size).size} voltages; expected at least "
            f"{_FEWEST} at three",
        )

    def profile(ln_vs: float) -> float:
        """Log-likelihood with I0 and the scatter at their best."""
        residual = y - _ln_sinh(size / np.exp(ln_vs))
        return _normal(residual - residual.mean())

    ohmic_residual = y - np.log(size)
    ohmic = _normal(ohmic_residual - ohmic_residual.mean())
    low, high = np.log(size.min() / 50), np.log(size.max() * 100)
    grid = np.linspace(low, high, 200)
    heights = np.array([profile(x) for x in grid])
    k = int(np.argmax(heights))
    around = (grid[max(k - 1, 0)], grid[min(k + 1, grid.size - 1)])
    best = float(minimize_scalar(lambda x: -profile(x), bounds=around, method="bounded").x)
    top = profile(best)
    p_ohmic = float(chi2.sf(max(0.0, 2 * (top - ohmic)), 1))
    ends = []
    for edge in (low, high):
        inside = profile(edge) > top - _DROP
        crossing = None if inside else brentq(lambda x: profile(x) - top + _DROP, edge, best)
        ends.append(None if crossing is None else float(np.exp(crossing)))
    residual = y - _ln_sinh(size / np.exp(best))
    sigma = float(np.sqrt(np.mean((residual - residual.mean()) ** 2)))
    bounded = ends[1] is not None and p_ohmic < _LEVEL
    step = 1e-3
    curve = (profile(best + step) - 2 * top + profile(best - step)) / step**2
    error = float(np.exp(best) / np.sqrt(-curve)) if bounded and curve < 0 else None
    i0 = float(np.exp(residual.mean()))
    relative = _i0_error(size, best, sigma, error)
    note = f"sinh law of {v.size} points of the HRS"
    law = HrsSinh(
        i0=Parameter(
            i0,
            "A",
            "fitted",
            note,
            None if relative is None else i0 * relative,
            None
            if relative is None
            else (i0 * float(np.exp(-1.96 * relative)), i0 * float(np.exp(1.96 * relative))),
        ),
        v_s=Parameter(
            float(np.exp(best)),
            "V",
            "fitted",
            note if bounded else f"{note}; not bounded above: the points follow Ohm's law as well",
            error,
            (ends[0], ends[1] if bounded else None),
        ),
        valid_voltage=(float(v.min()), float(v.max())),
    )
    sentences = _sentences(law, p_ohmic, bounded, sigma, excluded)
    return IvFit(law, sigma, top, ohmic, p_ohmic, bounded, int(v.size), excluded, sentences)


def _usable(
    voltage: np.ndarray, current: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[tuple[str, int], ...]]:
    v, i = np.asarray(voltage, float), np.asarray(current, float)
    if v.shape != i.shape or v.ndim != 1:
        raise InputError(_WHERE, f"columns differ in length: {v.size} and {i.size}")
    usable, excluded = np.ones(v.size, bool), []
    for wrong, reason in (
        (~(np.isfinite(v) & np.isfinite(i)), "voltage or current is not a number"),
        (v == 0, "at 0 V, where the logarithm of the current tells nothing"),
        (v * i <= 0, "the current is zero or flows against the voltage (offset or noise)"),
    ):
        if count := int(np.sum(usable & wrong)):
            excluded.append((reason, count))
        usable &= ~wrong
    return v[usable], i[usable], tuple(excluded)


def _ln_sinh(x: np.ndarray) -> np.ndarray:
    """ln sinh x without overflow, x > 0."""
    return np.asarray(x + np.log(-np.expm1(-2 * x)) - np.log(2))


def _normal(residual: np.ndarray) -> float:
    """Maximum of the normal log-likelihood over the scatter."""
    variance = max(float(np.mean(residual**2)), 1e-24)
    return -0.5 * residual.size * (np.log(2 * np.pi * variance) + 1)


def _i0_error(size: np.ndarray, ln_vs: float, sigma: float, v_error: float | None) -> float | None:
    """Relative standard error of I0, that of V_s included; None where V_s has none."""
    if v_error is None:
        return None
    x = size / np.exp(ln_vs)
    slope = float(np.mean(x / np.tanh(x)))
    return float(np.hypot(sigma / np.sqrt(size.size), slope * v_error / np.exp(ln_vs)))


def _sentences(
    law: HrsSinh,
    p_ohmic: float,
    bounded: bool,
    sigma: float,
    excluded: tuple[tuple[str, int], ...],
) -> tuple[str, ...]:
    told = [f"{count} points were left out of the HRS law: {reason}." for reason, count in excluded]
    top = max(abs(end) for end in law.valid_voltage)
    ratio = float(law.resistance(np.array(0.0)) / law.resistance(np.array(top)))
    if bounded:
        told.append(
            f"The HRS is non-linear (Ohm's law: p = {p_ohmic:.2g}): V_s = {law.v_s.value:.3g} V, "
            f"and its resistance falls {ratio:.3g}-fold from 0 V to {top:.3g} V; the currents "
            f"scatter by {100 * sigma:.1f} % about the law."
        )
    else:
        told.append(
            f"The HRS follows Ohm's law within its scatter of {100 * sigma:.1f} % "
            f"(p = {p_ohmic:.2g}); V_s is bounded from below only."
        )
    return tuple(told)
