"""Memory: rho of z_k = rho z_(k-1) + sqrt(1 - rho^2) eps, from the scores of successive renewals.

Scores that are all known exactly: the exact AR(1) likelihood, gaps allowed. Bounded ones among
them (pulses, pending or inspected waits): the pairwise likelihood, with errors that allow for its
dependent terms. The score is that of the fitted P with C2C in it: where an independent C2C spread
is known beside, this rho is that of the two together. Whether a correlation is memory or drift is
asked in drift.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from characterization.fit.dependence.ar1 import correlation, sums
from characterization.fit.dependence.autocorrelation import autocorrelation
from characterization.fit.dependence.pairwise import fit_pairs, neighbour_pairs
from characterization.fit.dependence.robust import clusters, sandwich
from characterization.fit.dependence.scores import ScoreSequences, expected_scores
from characterization.fit.dependence.words import p_value, steps

FEWEST_PAIRS = 20
_FEWEST_OF_A_KIND = 5
_FEWEST_DEVICES_FOR_SHARE = 5


@dataclass(frozen=True)
class Memory:
    """Lag-1 correlation of the scores, per ``spacing`` cycles.

    ``rho`` with its 95 % interval ``low`` to ``high``; all NaN, with the ``refused`` reason, where
    the data do not hold it. ``p_none`` tests rho = 0. ``share`` of the scores' variance between
    devices (0 where each device's mean was taken out, or with too few devices). ``method`` "exact"
    or "pairwise"; ``pairs`` neighbouring outcomes used, ``single`` outcomes of devices that have
    one only and were not used.
    """

    rho: float
    low: float
    high: float
    p_none: float
    share: float
    method: str
    pairs: int
    single: int
    spacing: int
    clusters: int | None
    refused: str | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in plain words."""
        if self.refused is not None:
            return (f"Memory is not identified: {self.refused}.",)
        how = (
            "exact likelihood, each device's mean taken out"
            if self.method == "exact"
            else f"likelihood of {self.pairs} pairs, errors over {self.clusters} clusters"
        )
        found = (
            f"Correlation of successive scores per {steps(self.spacing)}: rho = {self.rho:.3f}, "
            f"95 % interval {self.low:.3f} to {self.high:.3f} ({how})."
        )
        test = (
            f"Independence is rejected, {p_value(self.p_none)}."
            if self.p_none < 0.05
            else f"Independence is not rejected, {p_value(self.p_none)}."
        )
        more = []
        if self.share > 0.01:
            more.append(
                f"{100 * self.share:.0f} % of the scores' variance lies between devices and is "
                "not counted as memory."
            )
        if self.spacing > 1:
            more.append(
                f"Only every {self.spacing}th cycle was read: what one cycle leaves to the next "
                "is not measured."
            )
        if self.single:
            more.append(f"{self.single} devices with a single outcome are not part of this.")
        return (found, test, *more)


def memory(sequences: ScoreSequences) -> Memory:
    """rho of the scores, by the exact likelihood where all are exact, else pairwise."""
    counts = np.bincount(sequences.device, minlength=sequences.devices)
    single = int(np.count_nonzero(counts == 1))
    kept = counts[sequences.device] > 1
    if not np.any(kept):
        return _refused(sequences, single, "no device has two outcomes in order")
    _, device = np.unique(sequences.device[kept], return_inverse=True)
    used = ScoreSequences(
        sequences.names[counts > 1],
        device,
        sequences.order[kept],
        sequences.low[kept],
        sequences.high[kept],
        sequences.row[kept],
    )
    return _exact(used, single) if np.all(used.exact) else _pairwise(used, single)


def _exact(sequences: ScoreSequences, single: int) -> Memory:
    transitions = sequences.size - sequences.devices
    if transitions < FEWEST_PAIRS:
        return _refused(
            sequences, single, f"{transitions} successive outcomes, at least {FEWEST_PAIRS} needed"
        )
    ones, nothing = np.ones((sequences.size, 1)), np.zeros((sequences.size, 0))
    order = sequences.order // sequences.spacing
    found = correlation(sums(sequences.device, order, ones, nothing, sequences.low))
    return Memory(
        rho=found.rho,
        low=found.low,
        high=found.high,
        p_none=found.p_none,
        share=0.0,
        method="exact",
        pairs=transitions,
        single=single,
        spacing=sequences.spacing,
        clusters=None,
        refused=None,
    )


def _pairwise(sequences: ScoreSequences, single: int) -> Memory:
    share = sequences.devices >= _FEWEST_DEVICES_FOR_SHARE
    pairs = neighbour_pairs(sequences, share)
    neighbours = int(np.count_nonzero(pairs.gap == 1))
    values = expected_scores(sequences.low, sequences.high)
    if neighbours < FEWEST_PAIRS:
        return _refused(
            sequences, single, f"{neighbours} neighbouring outcomes, at least {FEWEST_PAIRS} needed"
        )
    bounded = ~sequences.exact
    from_below = np.count_nonzero(bounded & np.isfinite(sequences.low))
    from_above = np.count_nonzero(bounded & np.isfinite(sequences.high))
    known = np.count_nonzero(~bounded)
    if known + min(from_below, from_above) < _FEWEST_OF_A_KIND:
        return _refused(
            sequences,
            single,
            f"nearly all outcomes are the same (fewer than {_FEWEST_OF_A_KIND} differ)",
        )
    fit = fit_pairs(sequences, pairs, share)
    r = autocorrelation(sequences.device, sequences.order, values)
    groups = clusters(sequences.device, r)
    errors = sandwich(fit.scores, groups.label, np.linalg.pinv(fit.information))
    angle, half = float(np.arctanh(fit.rho)), float(errors.quantile * errors.stderr[0])
    score = abs(angle) / float(errors.stderr[0])
    return Memory(
        rho=fit.rho,
        low=float(np.tanh(angle - half)),
        high=float(np.tanh(angle + half)),
        p_none=float(2 * student.sf(score, groups.count - 1)),
        share=fit.share,
        method="pairwise",
        pairs=int(pairs.i.size),
        single=single,
        spacing=sequences.spacing,
        clusters=groups.count,
        refused=None,
    )


def _refused(sequences: ScoreSequences, single: int, reason: str) -> Memory:
    nan = float("nan")
    return Memory(nan, nan, nan, nan, 0.0, "none", 0, single, sequences.spacing, None, reason)
