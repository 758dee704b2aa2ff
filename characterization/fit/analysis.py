"""From a checked table to a fit result: rows, directions, laws and a verdict in plain words."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from characterization.fit.account import verdict
from characterization.fit.choices import Choices
from characterization.fit.circumstances import Circumstances, circumstances_of
from characterization.fit.conduction.analysis import ConductionFit, conduction_fit
from characterization.fit.direction import LawFit, Progress, fit_direction
from characterization.fit.goodness.tests import Test
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.identifiability import Bracket
from characterization.fit.observations.base import Observations
from characterization.fit.observations.directions import Part, parts_of
from characterization.fit.observations.kinds import check_columns, recognise_kind
from characterization.fit.table.plausibility import repeated_rows, suspicions
from characterization.fit.table.readers import Table, table_of_frame
from characterization.fit.table.selection import select
from formats.errors import InputError, Remark

if TYPE_CHECKING:
    import lmfit

LONGEST_COMMENT = 400
"""Characters of the file's own comments that are repeated."""


@dataclass(frozen=True)
class FitResult:
    """The fitted laws of a table and everything that was learned on the way.

    ``set`` and ``reset`` are None where the table has no rows of that direction. ``chosen``,
    ``candidates``, ``data`` and ``tests`` are those of SET, of RESET in a table without SET.
    """

    kind: str
    set: LawFit | None
    reset: LawFit | None
    circumstances: Circumstances
    conduction: ConductionFit
    counts: dict[str, Any]
    excluded: tuple[dict[str, Any], ...]
    verdict: tuple[str, ...]

    @property
    def laws(self) -> tuple[LawFit, ...]:
        """The directions the table has."""
        return tuple(fit for fit in (self.set, self.reset) if fit is not None)

    @property
    def data(self) -> Observations:
        """The outcomes, devices pooled."""
        return self.laws[0].data

    @property
    def chosen(self) -> Candidate:
        """The chosen law."""
        return self.laws[0].chosen

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All fitted laws."""
        return self.laws[0].candidates

    @property
    def tests(self) -> tuple[Test, ...]:
        """All tests."""
        return self.laws[0].tests

    @property
    def bracket(self) -> Bracket | None:
        """What one informative voltage says of V0."""
        return self.laws[0].bracket

    def parameters(self) -> lmfit.Parameters:
        """The chosen law's parameters as lmfit knows them, with errors and correlations."""
        from characterization.fit.inference.lmfit_border import parameters

        return parameters(self.laws[0].median)

    def conf_interval(self) -> dict[str, list[tuple[float, float]]]:
        """Profile-likelihood intervals at one, two and three sigma, as lmfit gives them.

        Raises :class:`InputError` for a population, whose intervals are in ``set.population``.
        """
        if self.laws[0].population is not None:
            raise InputError("conf_interval", "devices are told apart here; fit with spread=False")
        from characterization.fit.inference.lmfit_border import conf_interval

        return conf_interval(self.chosen)

    def minimizer_result(self) -> lmfit.minimizer.MinimizerResult:
        """The chosen fit as the result object of an lmfit minimisation of -2 ln L."""
        from characterization.fit.inference.lmfit_border import minimizer_result

        return minimizer_result(self.laws[0].median)

    def report(self) -> str:
        """lmfit's fit report of the chosen law."""
        import lmfit

        return str(lmfit.fit_report(self.minimizer_result()))


def fit_table(
    frame: pd.DataFrame, parameters: lmfit.Parameters | None = None, **options: Any
) -> FitResult:
    """Fit the rows of a data frame with the canonical column names.

    ``parameters`` are lmfit's, whose bounds and fixed values (V0, shape, Ea, floor, lapse) hold.
    The options are those of :class:`Choices`. Raises :class:`InputError` for anything wrong.
    """
    if parameters is not None:
        from characterization.fit.inference.lmfit_border import limits_of

        options["limits"] = limits_of(parameters)
    return analyse(table_of_frame(frame), Choices(**options))


def analyse(table: Table, choices: Choices, progress: Progress = lambda _: None) -> FitResult:
    """Fit a table; see :func:`fit_table`. ``progress`` is told what is being done."""
    kind = recognise_kind(table, choices.kind)
    derived = choices.switched_below is not None or choices.switched_above is not None
    unused = check_columns(table, kind, derived=derived)
    used, excluded = select(table, choices.where)
    parts, dropped = parts_of(used, kind, choices)
    questions = suspicions(used)
    _ask(questions)
    odd = [*table.notes, *questions, *repeated_rows([(p.table, p.kind) for p in parts])]
    excluded = [*excluded, *dropped]
    fits = {part.direction: fit_direction(part, choices, progress) for part in parts}
    doubts = [*verdict.absent(fits)]
    doubts += [text for fit in fits.values() for text in verdict.voltage_doubts(fit)]
    _ask(doubts)
    conduction = conduction_fit(parts, used, kind, choices.r_hrs)
    circumstances = circumstances_of(used, kind, choices.voltage_reference, unused)
    if choices.transistor is not None:
        circumstances = replace(circumstances, voltage_reference="cell", gate=None)
    counts = {
        "rows_read": len(table.frame),
        "rows_used": sum(len(part.table.frame) for part in parts)
        if kind != "cycling"
        else len(used.frame),
        "comments": len(table.comments),
    }
    return FitResult(
        kind,
        fits.get("set"),
        fits.get("reset"),
        circumstances,
        conduction,
        counts,
        tuple(excluded),
        (
            *_sentences(fits, parts, circumstances),
            *conduction.sentences,
            *odd,
            *doubts,
            *_own_words(table),
        ),
    )


def _ask(questions: Sequence[str]) -> None:
    """Say at once what may be a wrong unit; among the other sentences it is overlooked."""
    for question in questions:
        warnings.warn(question, Remark, stacklevel=3)


def _sentences(fits: dict[str, LawFit], parts: list[Part], told: Circumstances) -> list[str]:
    sentences = []
    for part in parts:
        prefix = f"{part.direction.upper()}: " if len(fits) > 1 or "reset" in fits else ""
        about = [*verdict.law_verdict(fits[part.direction]), *part.sentences]
        sentences += [f"{prefix}{text}" for text in about]
    return [*sentences, *verdict.common_verdict(told)]


def _own_words(table: Table) -> list[str]:
    """What the comment lines of the file say: nobody shall take synthetic data for measured."""
    text = " ".join(line for line in table.comments if line)
    if not text:
        return []
    return [f"the data file says of itself: {text[:LONGEST_COMMENT]}"]
