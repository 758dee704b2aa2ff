"""From a checked table to a fit result: candidates, choice, tests and a verdict in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from characterization.fit.account import verdict
from characterization.fit.circumstances import Circumstances, circumstances_of
from characterization.fit.conduction.resistances import conduction_of
from characterization.fit.goodness import tests as goodness
from characterization.fit.goodness.tests import Test
from characterization.fit.inference.candidate import Candidate, fit_candidate
from characterization.fit.inference.identifiability import Bracket, bracket, informative_voltages
from characterization.fit.observations.base import (
    Observations,
    check_columns,
    count_summary,
    observe,
    recognise_kind,
    temperature,
)
from characterization.fit.table.readers import Table, table_of_frame
from characterization.fit.table.selection import select
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from formats.errors import InputError
from formats.seeds import generator

if TYPE_CHECKING:
    import lmfit

ACCELERATION = "exp(-V/V0)"
LONGEST_COMMENT = 400
"""Characters of the file's own comments that are repeated."""
FLOOR_LEVEL = 0.01
"""p-value below which a false-switch floor is suggested."""


@dataclass(frozen=True)
class FitResult:
    """A fitted switching law and everything that was learned on the way."""

    data: Observations
    circumstances: Circumstances
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    tests: tuple[Test, ...]
    bracket: Bracket | None
    counts: dict[str, Any]
    excluded: tuple[dict[str, Any], ...]
    verdict: tuple[str, ...]

    def parameters(self) -> lmfit.Parameters:
        """The chosen law's parameters as lmfit knows them, with errors and correlations."""
        from characterization.fit.inference.lmfit_border import parameters

        return parameters(self.chosen)

    def minimizer_result(self) -> lmfit.minimizer.MinimizerResult:
        """The chosen fit as the result object of an lmfit minimisation of -2 ln L."""
        from characterization.fit.inference.lmfit_border import minimizer_result

        return minimizer_result(self.chosen)

    def report(self) -> str:
        """lmfit's fit report of the chosen law."""
        import lmfit

        return str(lmfit.fit_report(self.minimizer_result()))


def fit_table(
    frame: pd.DataFrame,
    *,
    kind: str | None = None,
    family: str = "auto",
    floor: bool = False,
    start_above: float | None = None,
    switched_below: float | None = None,
    where: str | None = None,
    voltage_reference: str | None = None,
    seed: int = 0,
) -> FitResult:
    """Fit the rows of a data frame with the canonical column names.

    The options are those of the command. Raises :class:`InputError` for anything wrong in them.
    """
    return analyse(
        table_of_frame(frame),
        kind=kind,
        family=family,
        floor=floor,
        start_above=start_above,
        switched_below=switched_below,
        where=where,
        voltage_reference=voltage_reference,
        seed=seed,
        named=False,
    )


def analyse(
    table: Table,
    *,
    kind: str | None,
    family: str,
    floor: bool,
    start_above: float | None,
    switched_below: float | None,
    where: str | None,
    voltage_reference: str | None,
    seed: int,
    named: bool,
) -> FitResult:
    """Fit a table; see :func:`fit_table`. ``named``: the user named the columns."""
    kind = recognise_kind(table, kind)
    if floor and kind != "pulses":
        raise InputError("--floor", "applies to pulses only: a wait has no false switches")
    unused = check_columns(table, kind, switched_below=switched_below, named=named)
    used, excluded = select(table, where, start_above)
    degrees = temperature(used)
    data = observe(used, kind, switched_below)
    circumstances = circumstances_of(
        used, kind, voltage_reference, conduction_of(used, kind, switched_below), degrees, unused
    )
    counts = {
        "rows_read": len(table.frame),
        "rows_used": len(used.frame),
        "comments": len(table.comments),
        **count_summary(data),
    }
    candidates, failed = _candidates(data, family, floor, table.where)
    chosen = min(candidates, key=lambda c: c.bic)
    tests, seen_floor = _tests(data, candidates, chosen, table.where, seed)
    informative = informative_voltages(data, seen_floor)
    found = (
        bracket(chosen, float(informative[0]), seen_floor)
        if kind == "pulses" and informative.size == 1
        else None
    )
    context = verdict.Context(
        data, circumstances, tuple(candidates), chosen, tests, informative, seen_floor, found
    )
    return FitResult(
        data,
        circumstances,
        tuple(candidates),
        chosen,
        tests,
        found,
        counts,
        tuple(excluded),
        (*verdict.verdict(context), *failed, *_own_words(table)),
    )


def _candidates(
    data: Observations, family: str, floor: bool, where: str
) -> tuple[list[Candidate], list[str]]:
    """The fitted laws, and why a family that ``auto`` tried beside others could not be fitted."""
    found: list[Candidate] = []
    failed: list[str] = []
    names = _families(data, family, where)
    for name in sorted(names, key=lambda name: FAMILIES[name].has_shape):
        try:
            found.append(
                fit_candidate(
                    data, FAMILIES[name], ACCELERATIONS[ACCELERATION], floor=floor, where=where
                )
            )
        except InputError as error:
            if not found:
                raise
            failed.append(f"{name} was tried and left out: {error.problem}")
    return found, failed


def _own_words(table: Table) -> list[str]:
    """What the comment lines of the file say: nobody shall take synthetic data for measured."""
    text = " ".join(line for line in table.comments if line)
    if not text:
        return []
    return [f"the data file says of itself: {text[:LONGEST_COMMENT]}"]


def _families(data: Observations, family: str, where: str) -> list[str]:
    """The families to fit; raises :class:`InputError` for one the data cannot hold."""
    if family != "auto" and family not in FAMILIES:
        raise InputError("--family", f"{family!r} is not one of auto, {', '.join(FAMILIES)}")
    wanted = list(FAMILIES) if family == "auto" else [family]
    one_width = data.kind == "pulses" and np.unique(data.duration).size == 1
    if not one_width:
        return wanted
    kept = [name for name in wanted if not FAMILIES[name].has_shape]
    if not kept:
        raise InputError(
            f"{where}, column pulse_width_s",
            f"holds one width only: of a {family} law just shape/V0 can be found, not the two; add "
            "widths, or use --family exponential",
        )
    return kept


def _tests(
    data: Observations, candidates: list[Candidate], chosen: Candidate, where: str, seed: int
) -> tuple[tuple[Test, ...], float]:
    """All tests, and the floor the data show (fitted, or found by its test; else 0)."""
    tests = []
    if len(candidates) == 2:
        tests.append(goodness.likelihood_ratio(*sorted(candidates, key=lambda c: c.count)))
    floor = chosen.value("floor") if "floor" in chosen.names else 0.0
    if data.kind == "waits":
        return (*tests, goodness.wait_test(chosen)), floor
    tests += goodness.pulse_tests(chosen, generator(seed, "fit", "goodness"))
    law = chosen.likelihood
    try:
        other = fit_candidate(
            data,
            law.family,
            law.acceleration,
            floor=not law.floor,
            where=where,
            intervals=False,
        )
    except InputError:  # the law with or without floor has no maximum: nothing to compare
        return tuple(tests), floor
    pair = (other, chosen) if law.floor else (chosen, other)
    tests.append(goodness.floor_test(*pair))
    p = tests[-1].p_value
    if not law.floor and p is not None and p < FLOOR_LEVEL:
        floor = other.value("floor")
    return tuple(tests), floor
