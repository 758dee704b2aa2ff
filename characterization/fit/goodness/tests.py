"""Does the fitted law describe the data? Tests that respect counts, censoring and the fit."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from characterization.fit.goodness.bootstrap import Progress
from characterization.fit.goodness.exact import exact_tests
from characterization.fit.goodness.grouped import deviance, grouped_tests
from characterization.fit.goodness.result import Test
from characterization.fit.inference.candidate import Candidate

__all__ = ["Test", "deviance", "floor_test", "lapse_test", "likelihood_ratio", "tests_of"]


def tests_of(
    candidate: Candidate,
    generator: np.random.Generator,
    *,
    replicates: int = 200,
    budget_s: float = 4.0,
    progress: Progress | None = None,
) -> tuple[Test, ...]:
    """Goodness of fit of a law, the test to be trusted most last.

    Exact outcomes: Kolmogorov-Smirnov on the Kaplan-Meier curve of the exposures, and chi-square
    of events in bins of exposure. Grouped outcomes: Pearson's chi-square over pooled groups and
    the deviance. p-values are by parametric bootstrap: ``replicates`` data sets, or as many (at
    least 99) as about ``budget_s`` seconds allow by a count of operations that is the same on
    every machine; where even those do not fit, by the chi-square approximation, and the note says
    so. ``progress`` is told (done, total).
    """
    kind = exact_tests if np.any(candidate.likelihood.data.exact > 0) else grouped_tests
    return kind(candidate, generator, replicates=replicates, budget_s=budget_s, progress=progress)


def likelihood_ratio(small: Candidate, large: Candidate) -> Test:
    """The likelihood-ratio test of a law inside a larger one."""
    if large.family.name.endswith("spread"):
        return _on_the_edge("no spread beside the exponential law", "its sigma", small, large)
    statistic = max(0.0, 2 * (large.loglik - small.loglik))
    degrees = large.count - small.count
    plural = "degree" if degrees == 1 else "degrees"
    return Test(
        f"likelihood ratio: {small.family.name} within {large.family.name}",
        statistic,
        float(chi2.sf(statistic, degrees)),
        f"chi-square approximation, {degrees} {plural} of freedom",
    )


def floor_test(without: Candidate, with_floor: Candidate) -> Test:
    """The likelihood-ratio test of no false-switch floor, which lies on the edge of its range."""
    return _on_the_edge("no false-switch floor", "the floor", without, with_floor)


def lapse_test(without: Candidate, with_lapse: Candidate) -> Test:
    """The likelihood-ratio test of no lapses, which lies on the edge of the rate's range."""
    return _on_the_edge("no lapses", "the lapse rate", without, with_lapse)


def _on_the_edge(what: str, parameter: str, small: Candidate, large: Candidate) -> Test:
    statistic = max(0.0, 2 * (large.loglik - small.loglik))
    return Test(
        f"likelihood ratio: {what}",
        statistic,
        float(chi2.sf(statistic, 1) / 2) if statistic > 0 else 1.0,
        f"equal mixture of 0 and chi-square, as {parameter} cannot be negative",
    )
