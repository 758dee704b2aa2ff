"""Are the outcomes of a device independent? Scores in order, memory, drift, errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from characterization.fit.dependence.autocorrelation import Autocorrelation, autocorrelation
from characterization.fit.dependence.drift import Drift, drift
from characterization.fit.dependence.memory import Memory, memory
from characterization.fit.dependence.robust import Clusters, Sandwich, clusters, sandwich
from characterization.fit.dependence.scores import (
    ScoreSequences,
    expected_scores,
    score_limits,
    score_sequences,
)
from characterization.fit.inference.likelihood import Likelihood
from devices.parameter import Parameter

_NOT_ROBUST = (
    "Standard errors allow for devices that differ, not for the order of outcomes within one",
)
Theta = Sequence[np.ndarray | float] | np.ndarray
"""Parameters of the law: one number each, or each segment's own."""
FEWEST = 30
"""Outcomes in order below which nothing is said of dependence."""
REJECTED = 0.01
"""p-value of independence below which standard errors allow for dependence."""


@dataclass(frozen=True, eq=False)
class Dependence:
    """What the order of the outcomes tells; ``robust`` is None where rows look independent."""

    autocorrelation: Autocorrelation
    memory: Memory
    drift: Drift
    clusters: Clusters | None
    robust: Sandwich | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything in plain words."""
        told = (
            *self.autocorrelation.sentences,
            *self.memory.sentences,
            *self.drift.sentences,
            *(() if self.clusters is None else self.clusters.sentences),
            *(
                _NOT_ROBUST
                if self.clusters is None and self.autocorrelation.p_none < REJECTED
                else ()
            ),
        )
        return tuple(text[0].lower() + text[1:].rstrip(".") for text in told)

    def parameter(self, note: str) -> Parameter | None:
        """The memory of device.json: 0 where a drift explains it, None where nothing is known."""
        rho, found = self.drift.memory, self.memory
        if not np.isfinite(rho) or found.refused is not None or found.spacing != 1:
            return None
        if rho == 0:
            return Parameter(0.0, "1", "fitted", f"{note}; no memory: {self.drift.verdict}")
        if self.drift.verdict == "memory":
            return Parameter(
                float(np.clip(found.rho, -0.999, 0.999)),
                "1",
                "fitted",
                f"{note}; correlation of the normal scores of successive renewals",
                (found.high - found.low) / 3.92,
                (found.low, found.high),
            )
        beside = f"{note}; what successive scores share beside a drift"
        return Parameter(float(np.clip(rho, -0.999, 0.999)), "1", "fitted", beside)


def dependence_of(
    likelihood: Likelihood,
    theta: Theta,
    inverse_information: np.ndarray,
) -> Dependence | None:
    """Look at the outcomes in the order of their cycles.

    ``theta`` may hold each segment's own values (devices of a population). None where the table
    has no cycles, holds counts, or has too few outcomes in order.
    """
    rows = likelihood.data.rows
    if rows is None or rows.order is None or rows.segment.size < FEWEST:
        return None
    if np.any(rows.order != np.round(rows.order)):
        return None
    sequences = sequences_of(likelihood, theta)
    values = expected_scores(sequences.low, sequences.high)
    found = autocorrelation(sequences.device, sequences.order, values)
    if found.freedom == 0:
        return None
    groups, robust = None, None
    held = np.flatnonzero(np.isfinite(np.diag(inverse_information)))
    if found.p_none < REJECTED and held.size:
        groups = clusters(sequences.device, found)
        robust = sandwich(
            row_scores(likelihood, theta)[sequences.row][:, held],
            groups.label,
            inverse_information[np.ix_(held, held)],
        )
    return Dependence(
        found,
        memory(sequences),
        drift(sequences.device, sequences.order, values),
        groups,
        robust,
    )


def row_scores(likelihood: Likelihood, theta: Theta) -> np.ndarray:
    """Each row's gradient of log L, (rows, parameters)."""
    data, rows = likelihood.data, likelihood.data.rows
    assert rows is not None
    zero, one = np.zeros(data.voltage.size), np.ones(data.voltage.size)
    scores = np.zeros((rows.segment.size, len(likelihood.names)))
    for code, weights in enumerate(((zero, zero, one), (one, zero, zero), (zero, one, zero))):
        here = rows.outcome == code
        if np.any(here):
            alone = likelihood.on(data.with_weights(*weights))
            scores[here] = alone.contributions(theta, 1)[1][:, rows.segment[here]].T
    return scores


def sequences_of(likelihood: Likelihood, theta: Theta) -> ScoreSequences:
    """The normal scores of the rows in the order of devices and cycles."""
    rows = likelihood.data.rows
    assert rows is not None and rows.order is not None
    before, after = likelihood.hazard(theta)
    top, bottom = after[rows.segment], before[rows.segment]
    low = np.where(rows.outcome == 1, bottom, top)
    high = np.where(rows.outcome == 0, np.inf, top)
    return score_sequences(rows.device, rows.order, *score_limits(low, high))
