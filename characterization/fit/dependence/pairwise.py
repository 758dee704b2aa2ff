"""Pairwise likelihood of scores that are only bounded: pulses, censored and inspected waits.

Neighbouring scores z_i, z_j of one device are bivariate normal with correlation
c = s + (1 - s) rho^gap, s the share of the variance that is between devices: the product of these
over pairs is a composite likelihood (Lindsay, Contemp. Math. 80, 221 (1988); recalled). For 0/1
outcomes it is the tetrachoric correlation of neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from characterization.fit.dependence.bivariate import rectangle
from characterization.fit.dependence.scores import ScoreSequences, matches

_MANY_LAGS = (1, 2, 3, 5, 8, 13, 20)
"""With several devices far pairs tell the share between devices from memory."""
_BOUND = 0.999
_TINY = 1e-300
_SMALLEST_SHARE = 1e-6


@dataclass(frozen=True)
class Pairs:
    """Pairs of outcomes: rows ``i`` and ``j``, and how many spacings apart."""

    i: np.ndarray
    j: np.ndarray
    gap: np.ndarray


@dataclass(frozen=True)
class PairwiseFit:
    """``rho`` and ``share`` at the largest composite likelihood.

    ``scores`` (rows, p) derivatives by atanh(rho) and, where p = 2, ln share, of the pairs that
    begin in each row; ``information`` (p, p) the composite likelihood's expected curvature.
    """

    rho: float
    share: float
    scores: np.ndarray
    information: np.ndarray


def neighbour_pairs(sequences: ScoreSequences, share: bool) -> Pairs:
    """Pairs one spacing apart, and where ``share`` is to be fitted also further ones, to 20."""
    order = sequences.order // sequences.spacing
    lags = _MANY_LAGS if share else (1,)
    found = [(matches(sequences.device, order, lag), lag) for lag in lags]
    return Pairs(
        np.concatenate([i for (i, _), _ in found]),
        np.concatenate([j for (_, j), _ in found]),
        np.concatenate([np.full(i.size, lag) for (i, _), lag in found]),
    )


def fit_pairs(sequences: ScoreSequences, pairs: Pairs, share: bool) -> PairwiseFit:
    """Maximise the pairwise likelihood over rho and, if asked, the share between devices (else 0).

    The scores must come from the law of the population (spread between devices included in P) for
    the share to mean what it says; from laws of single devices it comes out near 0.
    """
    terms, longest = _Terms.of(sequences, pairs), int(pairs.gap.max())

    def correlation(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rho = float(np.tanh(theta[0]))
        between = float(np.exp(theta[1])) if share else 0.0
        lag = np.arange(longest + 1)
        power = rho**lag
        by_angle = (1 - between) * lag * rho ** np.maximum(lag - 1, 0) * (1 - rho * rho)
        parts = np.array([by_angle, between * (1 - power)][: 1 + share])
        c = np.clip(between + (1 - between) * power, -_BOUND, _BOUND)
        return c[pairs.gap], parts[:, pairs.gap]

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        c, slopes = correlation(theta)
        value, by_c = terms.evaluate(c)
        scale = 1 / pairs.i.size
        return -float(value.sum()) * scale, -(slopes @ by_c) * scale

    span = float(np.arctanh(_BOUND))
    box = [(-span, span), (np.log(_SMALLEST_SHARE), np.log(0.98))][: 1 + share]
    starts = (
        [np.array([0.3, np.log(0.05)]), np.array([0.0, np.log(0.3)])]
        if share
        else [np.array([0.2])]
    )
    found = [
        minimize(objective, start, jac=True, method="L-BFGS-B", bounds=box, options={"ftol": 1e-13})
        for start in starts
    ]
    best = min(found, key=lambda result: float(result.fun)).x
    c, slopes = correlation(best)
    _, by_c = terms.evaluate(c)
    each = slopes * by_c
    if share and best[1] <= np.log(2 * _SMALLEST_SHARE):
        each = each[:1]
    rows = np.column_stack([np.bincount(pairs.i, part, sequences.size) for part in each])
    # A pair has a true likelihood, so its curvature is the mean square of its slope.
    between = float(np.exp(best[1])) if share else 0.0
    return PairwiseFit(
        float(np.tanh(best[0])),
        between if between > 2 * _SMALLEST_SHARE else 0.0,
        rows,
        each @ each.T,
    )


@dataclass(frozen=True)
class _Terms:
    """Pairs sorted by what is known of them: both scores, one, or only limits."""

    both: np.ndarray
    x: np.ndarray
    y: np.ndarray
    one: np.ndarray
    known: np.ndarray
    low: np.ndarray
    high: np.ndarray
    none: np.ndarray
    gap: np.ndarray
    cell: np.ndarray
    corners: np.ndarray

    @classmethod
    def of(cls, sequences: ScoreSequences, pairs: Pairs) -> _Terms:
        low, high, exact = sequences.low, sequences.high, sequences.exact
        i, j = pairs.i, pairs.j
        both = np.flatnonzero(exact[i] & exact[j])
        one = np.flatnonzero(exact[i] != exact[j])
        none = np.flatnonzero(~exact[i] & ~exact[j])
        known = np.where(exact[i[one]], i[one], j[one])
        bounded = np.where(exact[i[one]], j[one], i[one])
        # Equal limits and gaps share one evaluation: 0/1 outcomes have few different pairs.
        _, low_code = np.unique(low, return_inverse=True)
        _, high_code = np.unique(high, return_inverse=True)
        _, kind = np.unique(low_code * (high_code.max() + 1) + high_code, return_inverse=True)
        key = (kind[i[none]] * (kind.max() + 1) + kind[j[none]]) * (pairs.gap.max(initial=0) + 1)
        _, first, cell = np.unique(key + pairs.gap[none], return_index=True, return_inverse=True)
        a, b = i[none][first], j[none][first]
        return cls(
            both=both,
            x=low[i[both]],
            y=low[j[both]],
            one=one,
            known=low[known],
            low=low[bounded],
            high=high[bounded],
            none=none,
            gap=first,
            cell=cell,
            corners=np.array([low[a], low[b], high[a], high[b]]),
        )

    def evaluate(self, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """ln likelihood of each pair at its correlation c (pairs,), and the derivative by c."""
        value, slope = np.zeros(c.size), np.zeros(c.size)
        r, x, y = c[self.both], self.x, self.y
        rest = 1 - r * r
        value[self.both] = -np.log(rest) / 2 - (r * r * (x * x + y * y) - 2 * r * x * y) / (
            2 * rest
        )
        slope[self.both] = r / rest + ((1 + r * r) * x * y - r * (x * x + y * y)) / rest**2
        r = c[self.one]
        value[self.one], slope[self.one] = _conditional(self.known, self.low, self.high, r)
        if self.none.size:
            r = c[self.none][self.gap]
            la, lb, ha, hb = self.corners
            chance, by_r = rectangle((la, lb), (ha, hb), r)
            chance = np.maximum(chance, _TINY)
            value[self.none] = np.log(chance)[self.cell]
            slope[self.none] = (by_r / chance)[self.cell]
        return value, slope


def _conditional(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """ln P(low < Y < high | X = x) of a bivariate normal, and its derivative by r."""
    root = np.sqrt(1 - r * r)
    a, b = (low - r * x) / root, (high - r * x) / root
    with np.errstate(invalid="ignore"):
        flip = a + b > 0
    chance = np.maximum(np.where(flip, ndtr(-a) - ndtr(-b), ndtr(b) - ndtr(a)), _TINY)

    def moved(limit: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Density at a limit times how the limit moves with r; 0 at infinity."""
        finite = np.isfinite(limit)
        at = np.where(finite, limit, 0.0)
        density = np.exp(-(np.where(finite, z, 0.0) ** 2) / 2) / np.sqrt(2 * np.pi)
        return np.where(finite, density * (r * at - x) / root**3, 0.0)

    return np.log(chance), (moved(high, b) - moved(low, a)) / chance
