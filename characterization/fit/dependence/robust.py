"""Errors where rows are not independent: sandwich covariance over clusters.

Clusters are devices, or, where there are few devices, blocks of a device's own record, long enough
that what happens in one hardly depends on the one before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from characterization.fit.dependence.autocorrelation import Autocorrelation

ENOUGH_DEVICES = 30
"""With as many devices each is one cluster; with fewer their records are cut into blocks."""
_FEWEST_BLOCKS = 10
_LONGER = 3
"""Blocks of a sandwich over ``block_length``: simulated intervals then cover 93 to 94 %."""


@dataclass(frozen=True)
class Clusters:
    """``label`` (n,) of each row, 0 ... ``count`` - 1; ``block_length`` in rows, None = devices."""

    label: np.ndarray
    count: int
    block_length: int | None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the rows were grouped by, in plain words."""
        if self.block_length is None:
            return (f"Standard errors allow for dependence within each of {self.count} devices.",)
        few = (
            ("Blocks are few: the standard errors themselves are uncertain.",)
            if self.count < 2 * _FEWEST_BLOCKS
            else ()
        )
        return (
            f"Standard errors allow for dependence within {self.count} blocks of "
            f"{self.block_length} successive outcomes.",
            *few,
        )


@dataclass(frozen=True)
class Sandwich:
    """``covariance`` (p, p) allowing for dependence within clusters, and the t quantile to use.

    ``quantile`` is the 97.5 % point of Student's t with clusters - 1 degrees of freedom;
    ``inflation`` (p,) the standard errors over the naive ones.
    """

    covariance: np.ndarray
    quantile: float
    inflation: np.ndarray
    clusters: int

    @property
    def stderr(self) -> np.ndarray:
        """Standard errors (p,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def interval95(self, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """95 % interval (low, high), each (p,), around the estimate (p,)."""
        half = self.quantile * self.stderr
        return estimate - half, estimate + half


def block_length(correlation: Autocorrelation, rows: int) -> int:
    """Length of blocks (rows) for the moving-block bootstrap of a mean over a record of ``rows``.

    (2 G^2 / D)^(1/3) n^(1/3), D = (4/3) g^2, with g = sum lambda(k/M) rho_k and G = sum
    lambda(k/M) |k| rho_k over all lags of both signs, lambda flat to 1/2 and falling to 0 at 1 and
    M twice the lag beyond which the correlation stays within its noise (Politis, White, Econometric
    Reviews 23, 53 (2004), corrected by Patton, Politis, White, ibid. 28, 372 (2009); recalled). At
    least 1, at most a quarter of the record.
    """
    rho = np.nan_to_num(correlation.value)
    noise = 2 * np.sqrt(np.log10(max(correlation.size, 2)) / max(correlation.size, 2))
    quiet = np.abs(rho) < noise
    run = max(5, int(np.sqrt(np.log10(max(correlation.size, 10)))))
    last = rho.size
    for m in range(rho.size):
        if np.all(quiet[m : m + run]):
            last = m
            break
    if last == 0:
        return 1
    lag = np.arange(1, rho.size + 1)
    window = np.clip(2 * (1 - lag / (2 * last)), 0.0, 1.0)
    g = 1 + 2 * float(np.sum(window * rho))
    slope = 2 * float(np.sum(window * lag * rho))
    if g <= 0:
        return 1
    best = (2 * slope**2 / (4 / 3 * g**2)) ** (1 / 3) * rows ** (1 / 3)
    return int(np.clip(np.ceil(best), 1, max(rows // 4, 1)))


def clusters(device: np.ndarray, correlation: Autocorrelation) -> Clusters:
    """Group rows (sorted by device and order): by device, or by blocks where devices are few.

    Blocks are three times as long as those of ``block_length``, since here blocks do not overlap
    and the variance between them is too small by the share that a block's neighbour explains; but
    short enough that at least 10 remain, where the record allows.
    """
    _, code, counts = np.unique(device, return_inverse=True, return_counts=True)
    if counts.size >= ENOUGH_DEVICES:
        return Clusters(code, int(counts.size), None)
    longest = int(counts.max())
    length = _LONGER * block_length(correlation, longest)
    length = max(1, min(length, int(code.size) // _FEWEST_BLOCKS))
    blocks = np.maximum(counts // length, 1)
    place = np.arange(code.size) - np.concatenate([[0], np.cumsum(counts)[:-1]])[code]
    # Blocks of equal size within a device: no short one is left over at its end.
    within = place * blocks[code] // counts[code]
    label = np.concatenate([[0], np.cumsum(blocks)[:-1]])[code] + within
    return Clusters(label, int(blocks.sum()), length)


def sandwich(scores: np.ndarray, label: np.ndarray, inverse_information: np.ndarray) -> Sandwich:
    """Covariance of a maximum-likelihood estimate whose rows depend on each other in clusters.

    A B A with A the inverse information (p, p) and B = sum over clusters of s s', s the cluster's
    sum of score contributions (rows, p), times G/(G-1) (n-1)/(n-p) for G clusters (Liang, Zeger,
    Biometrika 73, 13 (1986); Cameron, Miller, J. Human Resources 50, 317 (2015), eq. 12; recalled).
    Infinite where there are fewer than two clusters.
    """
    rows, p = scores.shape
    codes, code = np.unique(label, return_inverse=True)
    count = int(codes.size)
    if count < 2:
        return Sandwich(np.full((p, p), np.inf), np.inf, np.full(p, np.inf), count)
    sums = np.column_stack([np.bincount(code, scores[:, j]) for j in range(p)])
    factor = count / (count - 1) * (rows - 1) / max(rows - p, 1)
    covariance = inverse_information @ (sums.T @ sums) @ inverse_information * factor
    with np.errstate(invalid="ignore", divide="ignore"):
        inflation = np.sqrt(np.diag(covariance) / np.diag(inverse_information))
    return Sandwich(
        (covariance + covariance.T) / 2, float(student.ppf(0.975, count - 1)), inflation, count
    )
