"""From the spread of the cells' currents to the probability of a wrong count, by quadrature.

The sense end sees S = S(k) + w D + e: S(k) from the ladder with the mean conductances, D the sum
of the cells' deviations, w the mean of dS/dg, and e (normal) what noise and the pattern's position
on the line add. D is a sum of log-normal terms: its law is the convolution of theirs, taken on a
lattice by the fast Fourier transform. A cell that is no product bit is an HRS on a selected word
line or a transistor that is off, at random. The comparator's offset is the same for all
comparisons of one column and differs between columns: a quadrature around the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.extract.column.ladder import solve_ladder
from devices.law import normal_quadrature

LATTICE = 128
"""Lattice points in the mean conductance of a selected LRS."""
OFFSET_NODES = 15
"""Quadrature nodes over the comparator's offset."""
_Z = np.linspace(-8.0, 8.0, 8001)
_WEIGHT = np.exp(-(_Z**2) / 2) / np.sum(np.exp(-(_Z**2) / 2))


@dataclass(frozen=True)
class CellSpread:
    """The cells' conductances: medians (ohm), log-normal spreads, access transistor (ohm), leakage.

    ``off_lrs`` and ``off_hrs`` (S) are of cells with the word line off.
    """

    r_lrs: float
    r_hrs: float
    sigma_ln_r_lrs: float
    sigma_ln_r_hrs: float
    on_lrs: float
    on_hrs: float
    off_lrs: float
    off_hrs: float

    def lrs(self) -> tuple[np.ndarray, np.ndarray]:
        """Conductance (S) of a selected LRS at quadrature nodes, with their weights."""
        return _nodes(self.r_lrs, self.sigma_ln_r_lrs, self.on_lrs)

    def hrs(self) -> tuple[np.ndarray, np.ndarray]:
        """The same of a selected HRS."""
        return _nodes(self.r_hrs, self.sigma_ln_r_hrs, self.on_hrs)


@dataclass(frozen=True)
class Sense:
    """The sense stage: V_read (V), R_s (ohm), switch by level (V, ohm), wires and ground (ohm).

    ``offset_sigma`` (V) is that of a column's comparator, ``noise_sigma`` (V) that of a comparison.
    """

    read_voltage: float
    resistance: float
    level: np.ndarray
    isolation: np.ndarray
    wire: float
    ground: float
    offset_sigma: float
    noise_sigma: float

    def conductance(self, voltage: np.ndarray) -> np.ndarray:
        """S (S) at the bit line that gives a voltage (V) at the sense node."""
        voltage = np.asarray(voltage, float)
        current = (self.read_voltage - voltage) / self.resistance
        line = voltage - current * np.interp(voltage, self.level, self.isolation)
        return np.asarray(current / line)

    def voltage(self, conductance: np.ndarray) -> np.ndarray:
        """The inverse: sense node (V) at a conductance S (S)."""
        grid = np.linspace(1.05, 0.1, 4000) * self.read_voltage
        return np.interp(conductance, self.conductance(grid), grid)


@dataclass(frozen=True)
class Counts:
    """What a column of n cells counts, for operands of given probabilities.

    ``miscount[j, k]``: P(count j | k products) over columns; ``mean`` and ``variance`` of the
    count error by k; ``offset_mean`` and ``offset_variance`` the same of one column, shape
    (offset nodes, k), with ``offset_weights``; ``threshold`` (V) between j and j + 1;
    ``sense_voltage`` (V) and ``conductance_sigma`` (S) by k; ``cell_voltage[k, i]``: share of the
    line's voltage on the cell at position i; ``product_law``: P(k).
    """

    miscount: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    offset_nodes: np.ndarray
    offset_weights: np.ndarray
    offset_mean: np.ndarray
    offset_variance: np.ndarray
    threshold: np.ndarray
    sense_voltage: np.ndarray
    conductance_sigma: np.ndarray
    cell_voltage: np.ndarray
    product_law: np.ndarray

    @property
    def error_probability(self) -> np.ndarray:
        """P(wrong count | k)."""
        return np.maximum(1.0 - np.diag(self.miscount), 0.0)

    @property
    def mean_error_probability(self) -> float:
        """P(wrong count) over the operands' law of k."""
        return float(self.product_law @ self.error_probability)

    @property
    def rms_error(self) -> float:
        """Root mean square of the count error over the operands' law of k."""
        return float(np.sqrt(self.product_law @ (self.variance + self.mean**2)))


def others(a: float, b: float) -> np.ndarray:
    """P of (HRS selected, LRS off, HRS off) for a cell that is no product bit.

    ``a``: P(stored 1), ``b``: P(word-line 1); independent bits.
    """
    shares = np.array([(1 - a) * b, a * (1 - b), (1 - a) * (1 - b)])
    total = shares.sum()
    return shares / total if total > 0 else np.array([0.0, 0.0, 1.0])


def count_statistics(
    cells: CellSpread, sense: Sense, n: int, a: float = 0.5, b: float = 0.5
) -> Counts:
    """Counts of n cells; the thresholds are those of a = b = 1/2, whatever the operands are."""
    (lrs, lrs_weight), (hrs, hrs_weight) = cells.lrs(), cells.hrs()
    mean_lrs, mean_hrs = float(lrs_weight @ lrs), float(hrs_weight @ hrs)
    off = np.array([mean_hrs, cells.off_lrs, cells.off_hrs])
    k = np.arange(n + 1)
    nominal, _ = _mean_line(sense, n, mean_lrs, float(others(0.5, 0.5) @ off))
    at_nominal = sense.voltage(nominal)
    threshold = (at_nominal[1:] + at_nominal[:-1]) / 2
    share = others(a, b)
    mean_other = float(share @ off)
    line, across = _mean_line(sense, n, mean_lrs, mean_other)
    weight = across**2
    mean_weight = weight.mean(axis=1)
    pattern = weight.var(axis=1) * (mean_lrs - mean_other) ** 2 * k * (n - k) / max(n - 1, 1)
    voltage = sense.voltage(line)
    step = 1e-3 * mean_lrs
    slope = np.abs(sense.voltage(line + step) - sense.voltage(line - step)) / (2 * step)
    smooth = np.sqrt(pattern + (sense.noise_sigma / slope) ** 2) / mean_weight

    delta = mean_lrs / LATTICE
    one = _lattice(lrs, lrs_weight, delta)
    other = _lattice(
        np.concatenate([hrs, off[1:]]), np.concatenate([share[0] * hrs_weight, share[1:]]), delta
    )
    variance_lrs = float(lrs_weight @ (lrs - mean_lrs) ** 2)
    variance_other = float(
        share[0] * (hrs_weight @ (hrs - mean_other) ** 2) + share[1:] @ (off[1:] - mean_other) ** 2
    )
    widest = np.sqrt(n * max(variance_lrs, variance_other)) + float(np.max(smooth))
    reach = n * max(mean_lrs, mean_other) + 12 * widest + 4 * mean_lrs
    margin = int(np.ceil((8 * float(np.max(smooth)) + mean_lrs) / delta))
    size = 1 << int(np.ceil(np.log2(reach / delta + 2 * margin)))
    size = max(size, 1 << int(np.ceil(np.log2(max(one.size, other.size)))))
    frequency = 2 * np.pi * np.fft.rfftfreq(size)
    of_ones, of_others = (_powers(np.fft.rfft(part, size), n) for part in (one, other))
    z, offset_weights = normal_quadrature(OFFSET_NODES)
    offsets = z * sense.offset_sigma
    limits = sense.conductance(threshold[None, :] - offsets[:, None])
    exceeded = np.empty((offsets.size, n, n + 1))
    for count in k:
        spectrum = of_ones[count] * of_others[n - count]
        spectrum = spectrum * np.exp(-0.5 * (frequency * smooth[count] / delta) ** 2)
        mass = np.roll(np.fft.irfft(spectrum, size), margin)
        below = np.cumsum(mass) - mass / 2
        total_mean = count * mean_lrs + (n - count) * mean_other
        place = ((limits - line[count]) / mean_weight[count] + total_mean) / delta + margin
        exceeded[:, :, count] = 1.0 - np.interp(place, np.arange(size), below, left=0.0, right=1.0)
    ends = np.ones((offsets.size, 1, n + 1))
    above = np.concatenate([ends, np.clip(exceeded, 0.0, 1.0), 0.0 * ends], axis=1)
    by_offset = np.maximum(above[:, :-1] - above[:, 1:], 0.0)
    error = k[:, None] - k[None, :]
    offset_mean = np.sum(by_offset * error, axis=1)
    offset_square = np.sum(by_offset * error**2, axis=1)
    miscount = np.tensordot(offset_weights, by_offset, 1)
    mean = offset_weights @ offset_mean
    return Counts(
        miscount=miscount,
        mean=mean,
        variance=offset_weights @ offset_square - mean**2,
        offset_nodes=offsets,
        offset_weights=offset_weights,
        offset_mean=offset_mean,
        offset_variance=np.maximum(offset_square - offset_mean**2, 0.0),
        threshold=threshold,
        sense_voltage=voltage,
        conductance_sigma=mean_weight * np.sqrt(k * variance_lrs + (n - k) * variance_other),
        cell_voltage=across,
        product_law=_binomial(n, a * b),
    )


def mean_current(
    cells: CellSpread, sense: Sense, n: int, a: float, b: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean current (A) from the read voltage by count k, and P(k), for operands a and b."""
    (lrs, lrs_weight), (hrs, hrs_weight) = cells.lrs(), cells.hrs()
    off = np.array([float(hrs_weight @ hrs), cells.off_lrs, cells.off_hrs])
    line, _ = _mean_line(sense, n, float(lrs_weight @ lrs), float(others(a, b) @ off))
    current = (sense.read_voltage - sense.voltage(line)) / sense.resistance
    return current, _binomial(n, a * b)


def _mean_line(sense: Sense, n: int, product: float, other: float) -> tuple[np.ndarray, np.ndarray]:
    """S by count and the cells' share of the voltage, the products spread evenly on the line."""
    share = np.arange(n + 1)[:, None] / n
    conductances = np.broadcast_to(share * product + (1 - share) * other, (n + 1, n))
    return solve_ladder(conductances, sense.wire, sense.ground)


def _nodes(median: float, sigma: float, series: float) -> tuple[np.ndarray, np.ndarray]:
    if sigma == 0:
        return np.array([1.0 / (median + series)]), np.ones(1)
    return 1.0 / (median * np.exp(sigma * _Z) + series), _WEIGHT


def _powers(spectrum: np.ndarray, n: int) -> list[np.ndarray]:
    """Its powers 0 to n: the laws of the sum of so many cells."""
    powers = [np.ones_like(spectrum)]
    for _ in range(n):
        powers.append(powers[-1] * spectrum)
    return powers


def _lattice(values: np.ndarray, weights: np.ndarray, delta: float) -> np.ndarray:
    """Probabilities on a lattice of spacing ``delta`` with the mean of the values kept."""
    place = values / delta
    low = np.floor(place).astype(int)
    part = place - low
    size = int(low.max()) + 2
    mass = np.bincount(low, weights * (1 - part), size)
    return mass + np.bincount(low + 1, weights * part, size)


def _binomial(n: int, p: float) -> np.ndarray:
    from scipy.stats import binom

    return np.asarray(binom.pmf(np.arange(n + 1), n, p))
