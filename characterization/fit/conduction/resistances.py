"""Resistances of the two states, where the table has them: log-normal fits of HRS and LRS."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import spearmanr

from characterization.fit.conduction.distribution import StateDistribution, distribution_of
from characterization.fit.table.base import Table
from characterization.fit.table.validation import numbers
from devices.conduction import Conduction
from devices.defaults import assumed_conduction
from devices.parameter import Parameter
from formats.errors import InputError

FEWEST = 10
"""Rows below which a resistance stays assumed."""


@dataclass(frozen=True)
class Resistances:
    """What a table tells of the two states; ``lrs`` and ``hrs`` are None where it tells nothing.

    ``rank_correlation`` is Spearman's between LRS and HRS of the same row, NaN without pairs.
    """

    conduction: Conduction
    lrs: StateDistribution | None
    hrs: StateDistribution | None
    rank_correlation: float
    sentences: tuple[str, ...]


def resistances_of(
    table: Table, switched: np.ndarray | None = None, transition: str = "set"
) -> Resistances:
    """Medians, log-normal spreads and correlation of LRS and HRS.

    Cycling columns ``r_lrs_ohm`` and ``r_hrs_ohm`` are taken as they are. Otherwise
    ``r_before_ohm`` of all rows is the starting state (HRS for ``transition`` "set", LRS for
    "reset") and ``r_after_ohm`` of the rows that ``switched`` (bool per row; None: not known) the
    other. What is left with fewer than 10 rows stays assumed. Raises :class:`InputError` for a
    resistance that is not a positive number, or medians in the wrong order.
    """
    pair = _columns(table, switched, transition)
    found: dict[str, StateDistribution] = {}
    result, told = assumed_conduction(), []
    for state, (values, what) in pair.items():
        usable = values[np.isfinite(values)]
        if usable.size < FEWEST:
            told.append(f"{state}: {usable.size} rows, fewer than {FEWEST}; stays assumed.")
            continue
        found[state] = distribution_of(usable, state, what)
        told += found[state].sentences
    if "LRS" in found:
        lrs = found["LRS"]
        result = replace(result, r_lrs=lrs.median, sigma_ln_r_lrs=lrs.sigma)
    if "HRS" in found:
        hrs = found["HRS"]
        result = replace(result, r_hrs=hrs.median, sigma_ln_r_hrs=hrs.sigma)
    rank = float("nan")
    if len(found) == 2:
        _check_order(table, found)
        told += _overlap(pair["LRS"][0], pair["HRS"][0])
        low, high = (np.log(pair[state][0]) for state in ("LRS", "HRS"))
        both = np.isfinite(low) & np.isfinite(high)
        if both.sum() >= FEWEST and low[both].std() > 0 and high[both].std() > 0:
            result = replace(result, correlation=_correlation(low[both], high[both]))
            rank = float(spearmanr(low[both], high[both]).statistic)
            told.append(_correlation_sentence(result.correlation, rank))
    return Resistances(result, found.get("LRS"), found.get("HRS"), rank, tuple(told))


def _columns(
    table: Table, switched: np.ndarray | None, transition: str
) -> dict[str, tuple[np.ndarray, str]]:
    """Resistances (ohm) of each state aligned by row, NaN where a row does not tell."""
    pair = {}
    for state, column in (("LRS", "r_lrs_ohm"), ("HRS", "r_hrs_ohm")):
        if column in table.frame:
            pair[state] = (numbers(table, column, above=0.0), column)
    if pair:
        return pair
    start, end = ("HRS", "LRS") if transition == "set" else ("LRS", "HRS")
    if "r_before_ohm" in table.frame:
        before = numbers(table, "r_before_ohm", above=0.0)
        pair[start] = (before, "r_before_ohm of the rows used")
    if "r_after_ohm" in table.frame and switched is not None:
        after = numbers(table, "r_after_ohm", above=0.0)
        did = np.asarray(switched, bool)
        pair[end] = (np.where(did, after, np.nan), "r_after_ohm of the rows that switched")
    return pair


def _check_order(table: Table, found: dict[str, StateDistribution]) -> None:
    low, high = (found[state].median.value for state in ("LRS", "HRS"))
    if low >= high:
        raise InputError(
            table.where,
            f"the median LRS, {low:.4g} ohm, is not below the median HRS, {high:.4g} ohm; are the "
            "columns (or before and after) exchanged?",
        )


def _overlap(low: np.ndarray, high: np.ndarray) -> list[str]:
    """Says how much of the HRS looks like LRS: there the log-normal hides a failed RESET."""
    edge = float(np.nanquantile(low, 0.99))
    among = high[np.isfinite(high)]
    count = int(np.sum(among < edge))
    if count < 0.002 * among.size:
        return []
    return [
        f"{count} of {among.size} HRS rows ({100 * count / among.size:.1f} %) lie below "
        f"{edge:.3g} ohm, the 99 % quantile of the LRS: they look like cells that did not RESET."
    ]


def _correlation(low: np.ndarray, high: np.ndarray) -> Parameter:
    """Correlation of ln LRS and ln HRS, with Fisher's z interval."""
    r, n = float(np.corrcoef(low, high)[0, 1]), low.size
    z, error = np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12)), 1.96 / np.sqrt(n - 3)
    return Parameter(
        r,
        "1",
        "fitted",
        f"ln LRS with ln HRS of the same row ({n} rows, taken as independent)",
        float((1 - r * r) / np.sqrt(n - 1)),
        (float(np.tanh(z - error)), float(np.tanh(z + error))),
    )


def _correlation_sentence(correlation: Parameter, rank: float) -> str:
    assert correlation.ci95 is not None
    low, high = correlation.ci95
    text = (
        f"LRS and HRS of the same row: correlation of the logarithms {correlation.value:+.2f} "
        f"(95 % {low:+.2f} to {high:+.2f}), of the ranks {rank:+.2f}"
    )
    # A joint log-normal of correlation r has the rank correlation 6/pi asin(r/2).
    expected = 6 / np.pi * np.arcsin(correlation.value / 2)
    if abs(rank - expected) > 0.1:
        text += "; the two differ more than a joint log-normal allows (outliers or a bent relation)"
    return text + "."
