"""Normal scores of switching outcomes in their order per device: what memory and drift act on.

The score of a renewal is z = Phi^-1(F), with F the fitted law at the exposure where the device
switched; by design z_k = rho z_(k-1) + sqrt(1 - rho^2) eps. An outcome that only bounds the
switching exposure (a pulse, a wait still pending, an inspection interval) only bounds its score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri_exp

from formats.errors import InputError

_TAIL = 6.0
"""Beyond this a normal density is written with logarithms, to keep its relative accuracy."""


@dataclass(frozen=True)
class ScoreSequences:
    """Scores sorted by device and, within it, by renewal.

    ``device`` (n,) codes 0, 1, ... of ``names``; ``order`` (n,) integers, the renewal counted per
    device; ``low``, ``high`` (n,) limits of the score, equal where it is known exactly, infinite
    where there is no limit; ``row`` (n,) the place of each entry in the arrays given.
    """

    names: np.ndarray
    device: np.ndarray
    order: np.ndarray
    low: np.ndarray
    high: np.ndarray
    row: np.ndarray

    @property
    def size(self) -> int:
        """Number of outcomes."""
        return int(self.device.size)

    @property
    def devices(self) -> int:
        """Number of devices."""
        return int(self.names.size)

    @property
    def exact(self) -> np.ndarray:
        """True where the score is known, not only bounded."""
        return np.asarray(self.low == self.high)

    @property
    def spacing(self) -> int:
        """Greatest common divisor of the steps in ``order``: 100 if every 100th cycle was read."""
        steps = np.diff(self.order)[self.device[1:] == self.device[:-1]]
        return int(np.gcd.reduce(steps)) if steps.size else 1


def score_of_hazard(cumulative_hazard: np.ndarray) -> np.ndarray:
    """z = Phi^-1(1 - exp(-H)), accurate in both tails; -inf at H = 0, +inf at H = inf."""
    return np.asarray(-ndtri_exp(-np.asarray(cumulative_hazard, float)))


def score_limits(hazard_low: np.ndarray, hazard_high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the score from the fitted cumulative hazards H between which the device switched.

    Equal ones for a wait seen exactly; (H, inf) for a wait still pending or a pulse that did not
    switch; (0, H) for a pulse that did; (H_before, H_after) for an inspection interval or a later
    pulse of a train. With P instead of H: H = -log1p(-P).
    """
    return score_of_hazard(hazard_low), score_of_hazard(hazard_high)


def score_sequences(
    device: np.ndarray,
    order: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    where: str = "scores",
) -> ScoreSequences:
    """Sort the outcomes (all arrays (n,)) by device and renewal.

    Raises :class:`InputError`, with the row (counted from 1), where a limit is NaN or out of order,
    an order is no whole number, or a device has two outcomes of the same renewal.
    """
    names, code = np.unique(np.asarray(device), return_inverse=True)
    whole = np.asarray(order)
    z_low, z_high = np.asarray(low, float), np.asarray(high, float)
    _refuse(where, np.isnan(z_low) | np.isnan(z_high), "the score is NaN, expected a number")
    _refuse(where, z_low > z_high, "the lower limit of the score lies above the upper one")
    _refuse(
        where,
        (z_low == z_high) & ~np.isfinite(z_low),
        "the score is infinite: the fitted law gives this outcome the probability 0",
    )
    if not np.issubdtype(whole.dtype, np.integer):
        bad = ~(np.asarray(whole, float) == np.round(np.asarray(whole, float)))
        _refuse(where, bad, "the cycle is no whole number")
    whole = whole.astype(np.int64)
    sort = np.lexsort((whole, code))
    code, whole = code[sort], whole[sort]
    twice = np.zeros(code.size, bool)
    twice[sort[1:]] = (code[1:] == code[:-1]) & (whole[1:] == whole[:-1])
    _refuse(
        where,
        twice,
        "a second outcome of the same device and cycle; expected one per renewal "
        "(join the pulses of a train first)",
    )
    return ScoreSequences(names, code, whole, z_low[sort], z_high[sort], sort)


def pairs_at_lag(sequences: ScoreSequences, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (i, j), each (pairs,), of outcomes of one device exactly ``lag`` spacings apart."""
    return matches(sequences.device, sequences.order, lag * sequences.spacing)


def matches(device: np.ndarray, order: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (i, j) with equal device and order[j] = order[i] + step; both sorted arrays (n,)."""
    if device.size == 0:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    first = order - order.min()
    key = device.astype(np.int64) * (int(first.max()) + abs(step) + 1) + first
    # Records without gaps need no search: the partner stands a fixed number of rows further on.
    same = device[1:] == device[:-1]
    jumps = np.diff(key)[same]
    if jumps.size and step > 0 and jumps[0] == jumps.min() == jumps.max():
        shift = -(-step // int(jumps[0]))
        i = np.flatnonzero(key[shift:] - key[:-shift] == step)
        return i, i + shift
    j = np.minimum(np.searchsorted(key, key + step), key.size - 1)
    i = np.flatnonzero(key[j] == key + step)
    return i, j[i]


def expected_scores(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """E[z | low < z < high] of a standard normal z: the score itself where it is exact.

    The generalised residual (Gourieroux et al., J. Econometrics 34, 5 (1987); recalled): mean 0
    under the law, so trends and correlations of censored and 0/1 outcomes can be looked at.
    """
    low, high = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
    # By symmetry every interval is brought to the lower tail, where the logarithms are accurate.
    flip = low + high > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    with np.errstate(all="ignore"):
        mass = np.where(
            b < -_TAIL,
            np.exp(log_ndtr(b)) * -np.expm1(log_ndtr(a) - log_ndtr(b)),
            ndtr(b) - ndtr(a),
        )
        mean = (_density(a) - _density(b)) / mass
    narrow = ~np.isfinite(mean) | (mean < a) | (mean > b)
    mean = np.where(narrow, np.where(np.isfinite(a), (a + b) / 2, b), mean)
    mean = np.where(low == high, a, mean)
    return np.asarray(np.where(flip, -mean, mean))


def binary_residuals(switched: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """(y - p) / sqrt(p (1 - p)) of 0/1 outcomes and fitted probabilities 0 < p < 1: mean 0,
    variance 1."""
    p = np.asarray(probability, float)
    return np.asarray((np.asarray(switched, float) - p) / np.sqrt(p * (1 - p)))


def _density(z: np.ndarray) -> np.ndarray:
    return np.exp(-np.minimum(z * z, 1500.0) / 2) / np.sqrt(2 * np.pi)


def _refuse(where: str, bad: np.ndarray, problem: str) -> None:
    if np.any(bad):
        count = int(np.count_nonzero(bad))
        more = f" ({count} such rows)" if count > 1 else ""
        raise InputError(f"{where}, row {int(np.flatnonzero(bad)[0]) + 1}", problem + more)
