"""Resistances of the two states, where the table has them: log-normal fits of HRS and LRS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from characterization.fit.observations.base import outcomes
from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers
from devices.cbram import Conduction
from devices.defaults import assumed_conduction
from devices.parameter import Parameter

_FEWEST = 10
"""Rows below which a resistance stays assumed."""


def conduction_of(table: Table, kind: str, switched_below: float | None) -> Conduction:
    """Medians, log-normal spreads and correlation from r_before_ohm and r_after_ohm.

    HRS is r_before_ohm of the rows used, LRS is r_after_ohm of the rows that switched; what the
    table lacks is assumed, as is everything where rows hold counts instead of single outcomes.
    Raises :class:`InputError` for a resistance that is not a positive number.
    """
    result = assumed_conduction()
    if kind == "pulses" and "trials" in table.frame:
        return result
    before = after = None
    if "r_before_ohm" in table.frame:
        before = np.log(numbers(table, "r_before_ohm", above=0.0))
        if before.size >= _FEWEST:
            median, sigma = _log_normal(before, "r_before_ohm of the rows used")
            result = replace(result, r_hrs=median, sigma_ln_r_hrs=sigma)
    if "r_after_ohm" in table.frame:
        switched = outcomes(table, switched_below) > 0
        after = np.log(numbers(table, "r_after_ohm", above=0.0))[switched]
        if after.size >= _FEWEST:
            median, sigma = _log_normal(after, "r_after_ohm of the rows that switched")
            result = replace(result, r_lrs=median, sigma_ln_r_lrs=sigma)
            if before is not None:
                result = replace(result, correlation=_correlation(before[switched], after))
    return result


def _log_normal(logarithms: np.ndarray, what: str) -> tuple[Parameter, Parameter]:
    """Median (ohm) and sigma of ln R with their normal-theory errors."""
    n = logarithms.size
    mean, sigma = float(logarithms.mean()), float(logarithms.std(ddof=1))
    error, sigma_error = sigma / np.sqrt(n), sigma / np.sqrt(2 * (n - 1))
    note = f"log-normal fit of {what} ({n} rows)"
    median = Parameter(
        float(np.exp(mean)),
        "ohm",
        "fitted",
        note,
        float(np.exp(mean) * error),
        (float(np.exp(mean - 1.96 * error)), float(np.exp(mean + 1.96 * error))),
    )
    spread = (max(0.0, float(sigma - 1.96 * sigma_error)), float(sigma + 1.96 * sigma_error))
    return median, Parameter(sigma, "1", "fitted", note, float(sigma_error), spread)


def _correlation(before: np.ndarray, after: np.ndarray) -> Parameter:
    """Correlation of ln R before and after switching, with Fisher's z interval."""
    if before.std() == 0 or after.std() == 0:
        return assumed_conduction().correlation
    r, n = float(np.corrcoef(before, after)[0, 1]), before.size
    z, error = np.arctanh(r), 1.96 / np.sqrt(n - 3)
    return Parameter(
        r,
        "1",
        "fitted",
        f"ln r_before_ohm with ln r_after_ohm of the rows that switched ({n} rows)",
        float((1 - r * r) / np.sqrt(n - 1)),
        (float(np.tanh(z - error)), float(np.tanh(z + error))),
    )
