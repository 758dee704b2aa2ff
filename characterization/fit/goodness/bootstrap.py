"""p-values by parametric bootstrap: data sets simulated from the fit, each fitted anew.

Parameters were estimated from the data they are tested on, so tables of known laws (of
Kolmogorov-Smirnov, say) do not hold; simulated data sets go through the same steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.goodness.settings import settings_of
from characterization.fit.goodness.simulate import Simulator
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum, maximise
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import Observations, condensed

Progress = Callable[[int, int], None]
Statistics = Callable[[Likelihood, Maximum], np.ndarray]

FEWEST = 99
"""Replicates below which no bootstrap is made: p could not fall below 0.01."""
_CELL = 0.02
"""Cells in ln u in which outcomes are joined for refitting; ln L moves by 2e-5 a row."""
_TIE = 1e-9
_TOLD = 0.05
# Cost of a replicate (s, on one idle core of a laptop): counted, not measured, so that results
# do not depend on how busy the machine is.
_EVALUATIONS = 7
_PER_EVALUATION, _PER_SEGMENT, _PER_RAMP = 3e-4, 2e-7, 1.5e-6
_PER_ROW, _PER_RAMP_ROW, _PER_INVERSE = 7e-7, 3e-6, 7e-6
_PER_ANCESTOR, _PER_LEVEL = 1e-8, 4e-5
_PER_REPLICATE, _PER_RAMP_REPLICATE = 1.5e-3, 5e-3


@dataclass(frozen=True)
class Replicates:
    """``values`` (replicates, statistics) under the fitted law; refits that did not converge."""

    values: np.ndarray
    stuck: int

    def p_value(self, observed: float, column: int) -> float:
        """(1 + replicates at least as large)/(1 + replicates)."""
        larger = np.sum(self.values[:, column] >= observed - _TIE * (1 + abs(observed)))
        return float((1 + larger) / (1 + self.values.shape[0]))

    def worst(self, observed: np.ndarray, labels: tuple[str, ...], first: int) -> str:
        """The part that adds most to the misfit, if that is more than chance (p < 0.05).

        The parts' statistics are ``observed``, and columns ``first`` onward under the law.
        """
        if len(labels) < 2:
            return ""
        i = int(np.argmax(observed))
        p = self.p_value(float(observed[i]), first + i)
        return f"; most of all at {labels[i]} (p = {p:.2g} there alone)" if p < _TOLD else ""

    @property
    def note(self) -> str:
        """What the p-values rest on."""
        text = f"p-value from {self.values.shape[0]} simulated and refitted data sets"
        if self.stuck:
            text += f" ({self.stuck} refits stopped before their maximum)"
        return text


def held(candidate: Candidate) -> np.ndarray:
    """Which parameters stay at an assumed value."""
    return np.isin(candidate.names, candidate.fixed)


def refit(candidate: Candidate, likelihood: Likelihood) -> Maximum:
    """The maximum over other data, from the candidate's own."""
    box = bounds(candidate.likelihood.data, candidate.names)
    return maximise(likelihood.evaluate, candidate.maximum, *box, held(candidate))


def affordable(likelihood: Likelihood, replicates: int, budget_s: float) -> int:
    """As many replicates as fit into about ``budget_s`` seconds; 0 if fewer than are of use.

    Deterministic: from numbers of rows, not from a clock.
    """
    data = likelihood.data
    ramps = bool(data.ramped.size)
    exact = bool(np.any(data.exact > 0))
    segments = float(data.voltage.size)
    if exact:
        spread = 400.0 * settings_of(data).count
        segments = min(segments, spread)
    evaluation = _PER_EVALUATION + segments * (_PER_RAMP if ramps else _PER_SEGMENT)
    rows = (data.size if exact else segments) * (_PER_RAMP_ROW if ramps else _PER_ROW)
    if exact and likelihood.family.threshold_expression() is None:
        rows += _PER_INVERSE * data.size
    if data.chained:
        evaluation += _PER_ANCESTOR * data.history.nnz
        rows += _PER_LEVEL * float(np.max(np.diff(data.history.indptr)))
    own = _PER_RAMP_REPLICATE if ramps else _PER_REPLICATE
    cost = own + _EVALUATIONS * evaluation + rows
    possible = int(budget_s / cost)
    if possible >= replicates:
        return replicates
    return possible if possible >= FEWEST else 0


def bootstrap(
    candidate: Candidate,
    simulator: Simulator,
    statistics: Statistics,
    generator: np.random.Generator,
    *,
    replicates: int,
    progress: Progress | None = None,
) -> Replicates:
    """Statistics of ``replicates`` data sets drawn from the candidate, each refitted."""
    values, stuck = [], 0
    for done in range(replicates):
        drawn = candidate.likelihood.on(simulator(generator))
        best = refit(candidate, drawn.on(joined(drawn, candidate.maximum)))
        stuck += not best.converged
        values.append(statistics(drawn, best))
        if progress is not None:
            progress(done + 1, replicates)
    return Replicates(np.array(values), stuck)


def joined(likelihood: Likelihood, theta: np.ndarray) -> Observations:
    """The data with neighbouring outcomes joined where that makes fitting them cheaper."""
    data = likelihood.data
    if not np.any(data.exact > 0) or data.chained:
        return data
    if data.kind != "ramps":
        return condensed(data, _CELL)
    x = likelihood.exposures(theta)[0][0]
    settings = settings_of(data)
    cells = np.array([settings.index, np.floor(x / _CELL), data.exact > 0])
    _, first, index = np.unique(cells, axis=1, return_index=True, return_inverse=True)
    index = index.ravel()
    weight = np.bincount(index, data.trials)
    voltage = np.bincount(index, data.trials * data.voltage) / weight
    rate = (data.voltage - data.start)[first] / data.duration[first]
    return replace(
        data,
        voltage=voltage,
        start=data.start[first],
        duration=(voltage - data.start[first]) / rate,
        within=np.bincount(index, data.within),
        exact=np.bincount(index, data.exact),
        waiting=np.bincount(index, data.waiting),
        parent=np.full(first.size, -1),
        temperature=None if data.temperature is None else data.temperature[first],
        device=data.device[first],
        rows=None,
    )
