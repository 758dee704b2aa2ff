"""Counts of a column by quadrature: against nodal analysis, Monte Carlo and limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from characterization.extract.column import counts as counts_module
from characterization.extract.column.counts import (
    CellSpread,
    Sense,
    count_statistics,
    others,
)
from characterization.extract.column.ladder import solve_ladder
from characterization.extract.column.usable import usable_curve, usable_map

CELLS = CellSpread(1e5, 1e7, 0.1, 0.3, 2500.0, 2500.0, 1e-11, 1e-12)
LEVEL = np.linspace(0.0, 0.44, 200)


def sense(n: int, offset: float = 4e-3, noise: float = 1e-3, wire: float = 20.0) -> Sense:
    return Sense(0.44, 1e5 / n, LEVEL, 5e3 / n + 100 * LEVEL, wire, 300.0, offset, noise)


def nodal(conductances: np.ndarray, wire: float, ground: float) -> tuple[float, np.ndarray]:
    """Both lines as a full nodal system, the bit line's head held at 1 V."""
    n = conductances.size
    matrix = np.zeros((2 * n + 1, 2 * n + 1))

    def add(a: int, b: int, y: float) -> None:
        for i, j in ((a, b), (b, a)):
            matrix[i, i] += y
            matrix[i, j] -= y

    for cell in range(n):
        add(cell, n + cell, conductances[cell])
        if cell:
            add(cell - 1, cell, 1 / wire)
            add(n + cell - 1, n + cell, 1 / wire)
    add(n, 2 * n, 1 / ground)
    free = np.arange(1, 2 * n)
    inner = np.linalg.solve(matrix[np.ix_(free, free)], -matrix[free, 0])
    nodes = np.concatenate([[1.0], inner, [0.0]])
    return float(matrix[0] @ nodes), nodes[:n] - nodes[n : 2 * n]


def test_the_ladder_is_the_nodal_solution() -> None:
    random = np.random.default_rng(1)
    for n in (1, 2, 9):
        g = random.uniform(1e-7, 1e-3, n)
        seen, share = solve_ladder(g, 30.0, 200.0)
        expected, across = nodal(g, 30.0, 200.0)
        assert seen == pytest.approx(expected, rel=1e-9)
        assert share == pytest.approx(across, rel=1e-9)


def test_a_cell_counts_by_the_square_of_its_share_of_the_voltage() -> None:
    g = np.full(6, 1e-4)
    seen, share = solve_ladder(g, 50.0, 100.0)
    for cell in range(6):
        more = g.copy()
        more[cell] += 1e-9
        slope = (solve_ladder(more, 50.0, 100.0)[0] - seen) / 1e-9
        assert slope == pytest.approx(share[cell] ** 2, rel=1e-4)


@pytest.mark.parametrize(("n", "a", "b", "ratio"), [(8, 0.5, 0.5, 100), (16, 0.6, 0.9, 10)])
def test_miscounts_are_those_of_drawn_resistances(n: int, a: float, b: float, ratio: float) -> None:
    """100,000 columns drawn cell by cell, each solved by its own ladder.

    P(count | k) within 4.9 standard errors (1e-6 each) and 5 % of itself: the ladder enters the
    quadrature to first order around the mean pattern.
    """
    cells = replace(CELLS, r_hrs=ratio * CELLS.r_lrs)
    stage = sense(n)
    result = count_statistics(cells, stage, n, a, b)
    random = np.random.default_rng(7)
    draws = 100_000
    stored, word = random.random((draws, n)) < a, random.random((draws, n)) < b
    z = random.standard_normal((draws, n))
    lrs = 1 / (cells.r_lrs * np.exp(cells.sigma_ln_r_lrs * z) + cells.on_lrs)
    hrs = 1 / (cells.r_hrs * np.exp(cells.sigma_ln_r_hrs * z) + cells.on_hrs)
    off = np.where(stored, cells.off_lrs, cells.off_hrs)
    g = np.where(word, np.where(stored, lrs, hrs), off)
    seen, _ = solve_ladder(g, stage.wire, stage.ground)
    measured = stage.voltage(seen) + stage.noise_sigma * random.standard_normal(draws)
    measured = measured + stage.offset_sigma * random.standard_normal(draws)
    count = np.sum(measured[:, None] < result.threshold, axis=1)
    k = np.sum(stored & word, axis=1)
    wrong = 0
    for value in range(n + 1):
        here = count[k == value]
        if here.size < 500:
            continue
        shares = np.bincount(here, minlength=n + 1) / here.size
        expected = result.miscount[:, value]
        error = np.sqrt(np.maximum(expected * (1 - expected), 1e-9) / here.size)
        tolerance = 4.9 * error + 0.05 * expected * (1 - expected) + 2 / here.size
        assert np.all(np.abs(shares - expected) < tolerance), (value, shares, expected)
        wrong += 1
    assert wrong >= 5
    errors = float(np.mean(count != k))
    allowed = 4.9 * np.sqrt(errors / draws) + 0.01 * errors
    assert result.mean_error_probability == pytest.approx(errors, abs=float(allowed))
    square = float(np.mean((count - k) ** 2.0))
    assert result.rms_error**2 == pytest.approx(square, abs=2 * float(allowed))


def test_a_column_without_spread_never_miscounts() -> None:
    cells = replace(CELLS, sigma_ln_r_lrs=0.0, sigma_ln_r_hrs=0.0)
    result = count_statistics(cells, sense(8, 0.0, 1e-6, 1e-3), 8)
    assert np.max(result.error_probability) < 1e-9
    assert result.rms_error < 1e-4
    assert np.sum(result.miscount, axis=0) == pytest.approx(1.0, abs=1e-9)


def test_the_lattice_is_fine_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = count_statistics(CELLS, sense(12), 12)
    monkeypatch.setattr(counts_module, "LATTICE", 4 * counts_module.LATTICE)
    monkeypatch.setattr(counts_module, "OFFSET_NODES", 31)
    fine = count_statistics(CELLS, sense(12), 12)
    assert np.max(np.abs(coarse.miscount - fine.miscount)) < 2e-4
    assert coarse.mean == pytest.approx(fine.mean, abs=2e-4)


def test_the_tail_is_log_normal_not_normal() -> None:
    """One product, sigma 0.3: P(count > 2) is the upper tail of a log-normal conductance."""
    from scipy.stats import norm

    cells = replace(CELLS, sigma_ln_r_lrs=0.3, on_lrs=0.0, off_lrs=0.0, off_hrs=0.0)
    stage = sense(4, 0.0, 1e-7, 1e-6)
    result = count_statistics(cells, replace(stage, ground=1e-6), 4, 0.5, 0.0)
    limit = float(stage.conductance(result.threshold[2:3])[0])
    exact = norm.cdf(np.log(1e-5 / limit) / 0.3)
    assert float(result.miscount[3:, 1].sum()) == pytest.approx(float(exact), rel=3e-2)
    normal = norm.sf((limit - 1.046e-5) / (0.3 * 1.07e-5))
    assert exact > 10 * normal


def test_a_column_s_own_offset_shifts_all_its_counts_alike() -> None:
    result = count_statistics(CELLS, sense(8, 6e-3), 8)
    middle = result.offset_mean[:, 3:6].mean(axis=1)
    assert np.all(np.diff(middle) < 0)  # a sense node that reads high counts too little
    assert result.offset_weights @ result.offset_mean == pytest.approx(result.mean, abs=1e-12)
    # Over columns the variance is that within one and that between their means.
    between = result.offset_weights @ (result.offset_mean - result.mean) ** 2
    within = result.offset_weights @ result.offset_variance
    assert within + between == pytest.approx(result.variance, abs=1e-9)


def test_shares_of_cells_that_are_no_product() -> None:
    assert others(0.5, 0.5) == pytest.approx([1 / 3, 1 / 3, 1 / 3])
    assert others(0.5, 1.0) == pytest.approx([1.0, 0.0, 0.0])
    assert others(1.0, 1.0) == pytest.approx([0.0, 0.0, 1.0])  # there are none


def test_usable_n_falls_with_spread_and_with_a_poor_ratio() -> None:
    table = usable_map(CELLS, lambda n: sense(n, 5e-4))
    assert np.all(np.diff(table, axis=0) >= 0)
    assert np.all(np.diff(table, axis=1) <= 0)
    assert table[-1, 0] >= 16
    assert table[0, -1] == 1
    curve = usable_curve(CELLS, lambda n: sense(n, 5e-4), (2, 4, 8, 16, 32))
    assert np.all(np.diff(curve.error_probability) > 0)
    assert np.all(curve.worst_error_probability >= curve.error_probability)
    last = curve.sizes == curve.usable
    assert curve.error_probability[last] <= 1e-2
