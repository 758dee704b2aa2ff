"""Statistics of the SNG's bits in closed form, against chains simulated in numpy."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from circuits.sng.chain import (
    bit_statistics,
    carried_probability,
    memory_statistics,
    pair_probability,
    thresholds_in_force,
    untied_probability,
)
from circuits.sng.dac import dac_code, dac_voltages
from circuits.sng.design import ORDERS, SngDesign
from circuits.sng.regeneration import pair_options

COUNT = 200_000
DESIGN = SngDesign()


def correlation(bits: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(bits[:-lag], bits[lag:])[0, 1])


def tolerance(lag1: float) -> float:
    """4.9 standard errors (1e-6) of a correlation or twice those of a share, samples dependent."""
    return 4.9 * np.sqrt((1 + abs(lag1)) / (1 - abs(lag1)) / COUNT)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("conditional", [False, True])
def test_long_run_statistics_are_those_of_the_chain(
    order: tuple[str, ...], conditional: bool
) -> None:
    """Exponential thresholds through the cycle-by-cycle chain against the two-state matrix."""
    ps, pr = 0.3, 0.7
    random = np.random.default_rng(3)
    thresholds = random.exponential(size=(2, COUNT))
    gains = [np.full(COUNT, -np.log1p(-p)) for p in (ps, pr)]
    design = replace(DESIGN, order=order, conditional_reset=conditional)
    bits = thresholds_in_force(design, *gains, *thresholds).bits
    expected = bit_statistics(ps, pr, conditional=conditional)
    assert bits.mean() == pytest.approx(expected.probability, abs=tolerance(expected.lag1) / 2)
    assert correlation(bits, 1) == pytest.approx(expected.lag1, abs=tolerance(expected.lag1))
    assert correlation(bits, 2) == pytest.approx(expected.lag2, abs=tolerance(expected.lag1))


def test_unconditional_chain_has_the_closed_form() -> None:
    found = bit_statistics(0.3, 0.7, e01=0.02, e10=0.05)
    stored = 0.3 / (0.3 + 0.7 * 0.7)
    p = stored * 0.95 + (1 - stored) * 0.02
    assert found.probability == pytest.approx(p, rel=1e-12)
    scale = (1 - 0.02 - 0.05) ** 2 * stored * (1 - stored) / (p * (1 - p))
    assert found.lag1 == pytest.approx(0.7 * 0.3 * scale, rel=1e-9)
    assert found.lag2 == pytest.approx((0.7 * 0.3) ** 2 * scale, rel=1e-9)


def test_an_lrs_read_as_0_stays_where_the_reset_is_conditional() -> None:
    """Simulated with read errors, against the matrix and against the unconditional chain."""
    ps, pr, e01, e10 = 0.3, 0.9, 0.02, 0.25
    random = np.random.default_rng(4)
    draws = random.random((3, COUNT))
    state, bits = 0, np.empty(COUNT, int)
    for k in range(COUNT):
        state = state or int(draws[0, k] < ps)
        bits[k] = draws[1, k] < (1 - e10 if state else e01)
        if bits[k] and draws[2, k] < pr:
            state = 0
    found = bit_statistics(ps, pr, e01, e10, conditional=True)
    assert bits.mean() == pytest.approx(found.probability, abs=tolerance(found.lag1) / 2)
    assert correlation(bits, 1) == pytest.approx(found.lag1, abs=tolerance(found.lag1))
    assert correlation(bits, 2) == pytest.approx(found.lag2, abs=tolerance(found.lag1))
    # A 1 missed now is read in the next cycle: more ones, and a 0 makes a 1 more likely.
    always = bit_statistics(ps, pr, e01, e10)
    assert found.probability > always.probability + 0.04
    assert found.lag1 < always.lag1 - 0.05


def test_exposure_is_carried_from_0_to_0_by_a_conditional_reset() -> None:
    """Weibull, shape 3: the share of ones is 1/sum_j S(j u); an exponential law keeps its Ps."""
    u, shape = 0.4, 3.0
    random = np.random.default_rng(5)
    thresholds = random.weibull(shape, COUNT)
    design = replace(DESIGN, conditional_reset=True)
    ones, zeros = np.ones(COUNT), np.zeros(COUNT)
    bits = thresholds_in_force(design, np.full(COUNT, u), ones, thresholds, zeros).bits
    expected = carried_probability(lambda x: np.exp(-(x**shape)), u)
    assert bits.mean() == pytest.approx(expected, abs=4.9 / np.sqrt(COUNT) / 2)
    assert expected > 5 * -np.expm1(-(u**shape))
    assert carried_probability(lambda x: np.exp(-x), u) == pytest.approx(-np.expm1(-u), rel=1e-9)


@pytest.mark.parametrize(("memory", "pr"), [(0.0, 0.6), (0.5, 1.0), (-0.4, 1.0), (0.6, 0.7)])
def test_memory_of_the_thresholds_correlates_the_bits(memory: float, pr: float) -> None:
    ps = 0.35
    random = np.random.default_rng(6)
    noise = random.normal(size=COUNT)
    resets = random.random(COUNT) < pr
    z, state, bits = noise[0], 0, np.empty(COUNT, int)
    limit, spread = ndtri(ps), np.sqrt(1 - memory**2)
    for k in range(COUNT):
        if state == 0 or resets[k]:
            z = memory * z + spread * noise[k]
            state = int(z <= limit)
        bits[k] = state
    found = memory_statistics(ps, pr, memory)
    assert bits.mean() == pytest.approx(found.probability, abs=tolerance(found.lag1) / 2)
    assert correlation(bits, 1) == pytest.approx(found.lag1, abs=tolerance(found.lag1))
    if memory == 0:
        assert found.lag1 == pytest.approx((1 - ps) * (1 - pr), abs=1e-9)
    else:
        assert abs(found.lag1) > 0.1


def test_pairs_of_streams_correlate_as_the_options_say() -> None:
    """Two successive bits of one device, and two devices, against simulated chains."""
    ps, pr = 0.4, 0.5
    random = np.random.default_rng(7)
    gains = [np.full(COUNT, -np.log1p(-p)) for p in (ps, pr)]
    a, b = (
        thresholds_in_force(DESIGN, *gains, *random.exponential(size=(2, COUNT))).bits
        for _ in range(2)
    )
    options = {o.name: o for o in pair_options(bit_statistics(ps, pr))}
    successive, parallel = options["successive"], options["parallel"]
    bound = 2 * tolerance(0.3)
    first, second = a[0::2], a[1::2]
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(successive.correlation, abs=bound)
    assert np.corrcoef(first, 1 - second)[0, 1] == pytest.approx(
        successive.complement_correlation, abs=bound
    )
    assert correlation(first, 1) == pytest.approx(successive.autocorrelation, abs=bound)
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(parallel.correlation, abs=bound)
    assert correlation(a, 1) == pytest.approx(parallel.autocorrelation, abs=bound)
    assert np.corrcoef(a, 1 - a)[0, 1] == pytest.approx(
        options["complement"].complement_correlation
    )
    assert (successive.cycles, successive.devices) == (2, 1)
    assert (parallel.cycles, parallel.devices) == (1, 2)
    assert options["complement"].correlation is None


def test_dropping_ties_gives_one_half_whatever_p_is() -> None:
    random = np.random.default_rng(8)
    for p in (0.05, 0.3, 0.9):
        probability, rate = untied_probability(p, p)
        assert probability == pytest.approx(0.5, rel=1e-12)
        a, b = random.random((2, COUNT)) < p
        untied = a != b
        assert untied.mean() == pytest.approx(rate, abs=4.9 * 0.5 / np.sqrt(COUNT))
        assert a[untied].mean() == pytest.approx(0.5, abs=4.9 * 0.5 / np.sqrt(untied.sum()))
        for sign in (0.0, 1.0):
            bits = np.where(untied, a, sign)
            expected, tie = pair_probability(p, p, sign)
            assert bits.mean() == pytest.approx(expected, abs=4.9 * 0.5 / np.sqrt(COUNT))
            assert tie == pytest.approx(1 - rate, rel=1e-12)


def test_dac_codes_and_voltages_are_inverse() -> None:
    levels = dac_voltages(2.5, 3.5, 6)
    assert levels.size == 64
    assert levels[[0, -1]] == pytest.approx([2.5, 3.5])
    assert np.array_equal(dac_code(levels, 2.5, 3.5, 6), np.arange(64))
    worst = np.abs(
        levels[dac_code(np.linspace(2.5, 3.5, 999), 2.5, 3.5, 6)] - np.linspace(2.5, 3.5, 999)
    )
    assert worst.max() == pytest.approx(0.5 / 63, rel=0.01)
    assert dac_code(np.array([0.0, 9.0]), 2.5, 3.5, 6).tolist() == [0, 63]
    with pytest.raises(ValueError, match="expected 1 to 16"):
        dac_voltages(0.0, 1.0, 17)
    with pytest.raises(ValueError, match="low < high"):
        dac_voltages(1.0, 1.0, 4)


@pytest.mark.parametrize("order", ORDERS)
def test_windows_follow_the_order_and_results_the_phases(order: tuple[str, ...]) -> None:
    design = replace(DESIGN, order=order)
    windows = dict(zip(("reset", "write", "read"), design.windows(3), strict=True))
    inside = [windows[phase] for phase in order]
    assert inside[0][0] == pytest.approx(3 * design.cycle_time)
    assert inside[-1][1] == pytest.approx(4 * design.cycle_time)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(inside))
    for phase, time in zip(("reset", "write", "read"), design.phase_times, strict=True):
        assert windows[phase][1] - windows[phase][0] == pytest.approx(time)
    assert windows["read"][0] < design.sense_start(3) < design.sample_time(3) < windows["read"][1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": ("write", "reset", "read")}, "order"),
        ({"first_state": 2}, "first_state"),
        ({"terminal": "middle"}, "terminal"),
        ({"path": "5"}, "path"),
        ({"sense_time": 2e-6}, "sense_time"),
        ({"gap": 1e-8}, "gap"),
    ],
)
def test_a_choice_that_is_none_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(DESIGN, **change)
