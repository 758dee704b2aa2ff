"""The two resistance states of a table and the threshold between them, found by a mixture.

ln R is modelled as a mixture of two normal distributions, fitted by expectation-maximisation
(A. P. Dempster, N. M. Laird, D. B. Rubin, 1977; recalled) from several starts; the threshold is
where both states are equally probable. A table that one distribution describes as well, or whose
states overlap, has no such threshold, and that is said instead of giving one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from formats.errors import InputError

OVERLAP = 0.05
"""Largest share of either state that may lie on the wrong side of the threshold."""
FEWEST = 20
"""Resistances below which no mixture is fitted."""
_NARROWEST = 0.01
"""Smallest sigma of ln R: 1 %, what instruments resolve; keeps a state off a single reading."""
_Mixture = tuple[float, tuple[float, float], tuple[float, float]]
"""Weight of the lower component, means and sigmas of ln R, lower first."""
_BINS = 4096
_STEPS = 500
_STARTS = (0.05, 0.2, 0.5, 0.8, 0.95)


@dataclass(frozen=True)
class State:
    """One state: median resistance (ohm), sigma of ln R, and its share of the readings."""

    median: float
    sigma: float
    weight: float


@dataclass(frozen=True)
class States:
    """LRS and HRS, and the resistance (ohm) between them where both are equally probable.

    ``separation`` is the distance of the means of ln R over the root mean square sigma (Ashman's
    D; K. M. Ashman, C. M. Bird, S. E. Zepf, 1994; recalled); ``overlap`` the larger share of a
    state on the wrong side; ``bic_gain`` is BIC(one normal distribution) - BIC(two).
    """

    threshold: float
    lrs: State
    hrs: State
    separation: float
    overlap: float
    bic_gain: float
    rows: int

    def sentence(self) -> str:
        """The states in plain words."""
        lrs, hrs = self.lrs, self.hrs
        return (
            f"threshold {self.threshold:.4g} ohm found between LRS (median {lrs.median:.3g} ohm, "
            f"sigma of ln R {lrs.sigma:.2f}, {100 * lrs.weight:.3g} % of {self.rows} readings) and "
            f"HRS (median {hrs.median:.3g} ohm, sigma {hrs.sigma:.2f}); separation "
            f"{self.separation:.1f}, at most {100 * self.overlap:.2g} % of a state beyond it"
        )


def find_states(resistance: np.ndarray, where: str) -> States:
    """Fit two states to resistances (ohm, positive).

    Raises :class:`InputError` in the name of ``where`` where there are too few readings, one
    distribution describes them as well, or either state has more than ``OVERLAP`` on the wrong
    side of the threshold.
    """
    x = np.log(resistance)
    remedy = "give the threshold in ohms"
    if x.size < FEWEST:
        raise InputError(where, f"{x.size} resistances are too few to find two states; {remedy}")
    y, count = _binned(x)
    if y.size < 3:
        raise InputError(where, f"holds {y.size} different resistances only; {remedy}")
    n = float(count.sum())
    mean = float(count @ y / n)
    sigma = max(_NARROWEST, float(np.sqrt(count @ (y - mean) ** 2 / n)))
    one = float(count @ _log_normal(y, mean, sigma))
    best, two = None, -np.inf
    for start in _starts(y, count):
        fitted, loglik = _maximise(y, count, start)
        if loglik > two:
            best, two = fitted, loglik
    assert best is not None
    gain = (2 * np.log(n) - 2 * one) - (5 * np.log(n) - 2 * two)
    if gain <= 0:
        raise InputError(
            where,
            f"one log-normal distribution (median {np.exp(mean):.3g} ohm) describes the {x.size} "
            f"resistances as well as two (BIC {-gain:.3g} lower): no two states to tell apart; "
            f"{remedy}",
        )
    weight, means, sigmas = best
    middle = _equal_posterior(weight, means, sigmas)
    wrong = (
        (1.0, 1.0)
        if middle is None
        else (
            1 - float(ndtr((middle - means[0]) / sigmas[0])),
            float(ndtr((middle - means[1]) / sigmas[1])),
        )
    )
    overlap = max(wrong)
    medians = f"{np.exp(means[0]):.3g} and {np.exp(means[1]):.3g} ohm"
    if middle is None or overlap > OVERLAP:
        raise InputError(
            where,
            f"the two distributions found (medians {medians}) overlap: "
            f"{100 * overlap:.2g} % of one lies on the wrong side of the best threshold, at most "
            f"{100 * OVERLAP:g} % is accepted; {remedy}",
        )
    separation = (means[1] - means[0]) / np.sqrt((sigmas[0] ** 2 + sigmas[1] ** 2) / 2)
    return States(
        float(np.exp(middle)),
        State(float(np.exp(means[0])), float(sigmas[0]), float(weight)),
        State(float(np.exp(means[1])), float(sigmas[1]), float(1 - weight)),
        float(separation),
        overlap,
        float(gain),
        int(x.size),
    )


@dataclass(frozen=True)
class Threshold:
    """A resistance (ohm) between the states, and what is to be said of how it was found."""

    value: float
    sentences: tuple[str, ...] = ()


def find_threshold(resistance: np.ndarray, where: str) -> Threshold:
    """The threshold between the two states of ``resistance`` (ohm); see :func:`find_states`."""
    states = find_states(resistance, where)
    return Threshold(states.threshold, (f"{where}: {states.sentence()}",))


def _binned(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and multiplicities; many values share bins far narrower than any state."""
    if x.size <= _BINS:
        y, count = np.unique(x, return_counts=True)
        return y, count.astype(float)
    counts, edges = np.histogram(x, _BINS)
    held = counts > 0
    return (edges[:-1] + edges[1:])[held] / 2, counts[held].astype(float)


def _starts(y: np.ndarray, count: np.ndarray) -> list[_Mixture]:
    """Splits at quantiles, at the middle of the range and in the widest gap."""
    share = np.cumsum(count) / count.sum()
    cuts = [int(np.searchsorted(share, s)) + 1 for s in _STARTS]
    cuts += [int(np.searchsorted(y, (y[0] + y[-1]) / 2)), int(np.argmax(np.diff(y))) + 1]
    found = []
    for cut in sorted({min(max(c, 1), y.size - 1) for c in cuts}):
        low = np.where(np.arange(y.size) < cut, count, 0.0)
        means, sigmas = _moments(y, (low, count - low))
        found.append((float(low.sum() / count.sum()), means, sigmas))
    return found


def _moments(
    y: np.ndarray, parts: tuple[np.ndarray, np.ndarray]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Means and sigmas of ``y`` under two sets of weights."""
    means, sigmas = [], []
    for part in parts:
        n = max(float(part.sum()), 1e-12)
        mean = float(part @ y) / n
        means.append(mean)
        sigmas.append(max(_NARROWEST, float(np.sqrt(part @ (y - mean) ** 2 / n))))
    return (means[0], means[1]), (sigmas[0], sigmas[1])


def _maximise(
    y: np.ndarray,
    count: np.ndarray,
    start: _Mixture,
) -> tuple[_Mixture, float]:
    """Expectation-maximisation: (weight of the first, means, sigmas) with ordered means."""
    weight, means, sigmas = start
    n = count.sum()
    loglik = -np.inf
    for _ in range(_STEPS):
        first = np.log(weight) + _log_normal(y, means[0], sigmas[0])
        second = np.log1p(-weight) + _log_normal(y, means[1], sigmas[1])
        both = np.logaddexp(first, second)
        before, loglik = loglik, float(count @ both)
        if loglik - before < 1e-9 * n:
            break
        shares = count * np.exp(first - both)
        parts = (shares, count - shares)
        weight = float(np.clip(shares.sum() / n, 1e-9, 1 - 1e-9))
        means, sigmas = _moments(y, parts)
    if means[0] > means[1]:
        weight, means, sigmas = 1 - weight, means[::-1], sigmas[::-1]
    return (weight, means, sigmas), loglik


def _log_normal(y: np.ndarray, mean: float, sigma: float) -> np.ndarray:
    """Logarithm of the normal density."""
    return np.asarray(-0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi)))


def _equal_posterior(
    weight: float, means: tuple[float, float], sigmas: tuple[float, float]
) -> float | None:
    """Where both states are equally probable, between their means; None where nowhere."""
    (a, b), (s, t) = means, sigmas
    square = 0.5 / t**2 - 0.5 / s**2
    slope = a / s**2 - b / t**2
    level = 0.5 * (b / t) ** 2 - 0.5 * (a / s) ** 2 + np.log(weight / (1 - weight) * t / s)
    roots = np.roots([square, slope, level]) if abs(square) > 1e-12 else np.array([-level / slope])
    between = [float(r.real) for r in roots if abs(r.imag) < 1e-9 and a < r.real < b]
    return between[0] if len(between) == 1 else None
