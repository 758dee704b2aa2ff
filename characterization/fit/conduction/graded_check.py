"""How a graded RESET law meets the data: condition by condition, and on pulse widths left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from characterization.fit.conduction.maximum import r_squared
from devices.conduction import GradedReset
from formats.errors import InputError

_EXPECTED = 5.0
"""Cells expected on either side below which a condition is left out of the chi-square."""


@dataclass(frozen=True)
class Conditions:
    """Observed and predicted, one entry for each (voltage, width).

    ``median`` and ``median_law`` are in ohm; ``above`` and ``above_law`` the fractions beyond
    each of ``thresholds`` (ohm), shape (conditions, thresholds). ``chi_square`` compares the
    fractions at one threshold each, over ``degrees`` conditions with at least 5 cells expected on
    either side; its ``p_value`` allows for no fitted parameter, so it is the generous one.
    """

    voltage: np.ndarray
    width: np.ndarray
    count: np.ndarray
    median: np.ndarray
    median_law: np.ndarray
    thresholds: tuple[float, ...]
    above: np.ndarray
    above_law: np.ndarray
    chi_square: np.ndarray
    degrees: np.ndarray
    p_value: np.ndarray
    r_squared_median: float
    r_squared_above: float
    largest: float
    sentences: tuple[str, ...]


def positive_rows(
    voltage: np.ndarray, width: np.ndarray, r_after: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[tuple[str, int], ...]]:
    """|V|, width and ln R of the usable rows, and the others counted by reason.

    Raises :class:`InputError` where the lengths differ or voltages of both signs are mixed.
    """
    v, t, r = (np.asarray(column, float) for column in (voltage, width, r_after))
    if not v.shape == t.shape == r.shape or v.ndim != 1:
        raise InputError("graded RESET", f"columns differ in length: {v.size}, {t.size}, {r.size}")
    if np.any(v > 0) and np.any(v < 0):
        raise InputError("graded RESET", "found voltages of both signs; give the RESET pulses only")
    usable = np.ones(v.size, bool)
    excluded = []
    for wrong, reason in (
        (~(np.isfinite(r) & (r > 0)), "the resistance after the pulse is not a positive number"),
        (~(np.isfinite(t) & (t > 0)), "the pulse width is not a positive number"),
        (~np.isfinite(v) | (v == 0), "the voltage is zero or not a number"),
    ):
        if count := int(np.sum(usable & wrong)):
            excluded.append((reason, count))
        usable &= ~wrong
    return np.abs(v[usable]), t[usable], np.log(r[usable]), tuple(excluded)


def compare_conditions(
    law: GradedReset,
    voltage: np.ndarray,
    width: np.ndarray,
    r_after: np.ndarray,
    thresholds: tuple[float, ...],
) -> Conditions:
    """Medians and fractions above the thresholds (ohm), beside the law's, per condition."""
    pairs, index = np.unique(np.column_stack([voltage, width]), axis=0, return_inverse=True)
    index = index.reshape(-1)
    count = np.bincount(index)
    v, t = pairs.T
    median = np.array([np.median(r_after[index == i]) for i in range(count.size)])
    levels = np.asarray(thresholds, float)
    above = np.array([(r_after[index == i, None] > levels).mean(axis=0) for i in range(count.size)])
    above_law = law.probability_above(levels, v[:, None], t[:, None])
    median_law = law.median(v, t)
    variance = above_law * (1 - above_law) / count[:, None]
    tested = np.minimum(above_law, 1 - above_law) * count[:, None] >= _EXPECTED
    z_square = (above - above_law) ** 2 / np.where(variance > 0, variance, np.inf)
    chi_square = np.where(tested, z_square, 0.0).sum(axis=0)
    degrees = tested.sum(axis=0)
    p_value = np.where(degrees > 0, chi2.sf(chi_square, np.maximum(degrees, 1)), np.nan)
    r2_median = r_squared(np.log(median), np.log(median_law))
    r2_above = r_squared(above.ravel(), above_law.ravel())
    between = int(np.sum((above[:, 0] > 0.05) & (above[:, 0] < 0.95)))
    worst = np.unravel_index(np.argmax(np.abs(above - above_law)), above.shape)
    i, k = int(worst[0]), int(worst[1])
    sentences = [
        f"Over {count.size} conditions the law gives R^2 = {r2_median:.2f} for ln of the median "
        f"resistance and {r2_above:.3f} for the fractions above "
        f"{', '.join(f'{level:.3g}' for level in levels)} ohm.",
        f"{between} of these conditions hold between 5 and 95 % above {levels[0]:.3g} ohm; the "
        "others say little about the shape of the response.",
        f"The largest miss is at {v[i]:.3g} V, {t[i]:.3g} s: {100 * above[i, k]:.0f} % of "
        f"{count[i]} cells exceed {levels[k]:.3g} ohm, the law says {100 * above_law[i, k]:.0f} %.",
    ]
    for level, x, n, p in zip(levels, chi_square, degrees, p_value, strict=True):
        if n > 0 and p < 0.01:
            sentences.append(
                f"The fractions above {level:.3g} ohm differ from the law by more than chance "
                f"(chi-square {x:.0f} over {n} conditions, p = {p:.1g}): use it as a description, "
                "within the misses shown."
            )
    return Conditions(
        v,
        t,
        count,
        median,
        median_law,
        tuple(float(level) for level in levels),
        above,
        above_law,
        chi_square,
        degrees,
        p_value,
        r2_median,
        r2_above,
        float(np.max(r_after)),
        tuple(sentences),
    )
