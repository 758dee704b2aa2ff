"""The conductance synapse: closed forms of its steps, its draws, its density."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate

from devices.synapse import (
    PRESETS,
    Branch,
    Synapse,
    draw,
    initial,
    log_density,
    train_of_pulses,
)
from formats.errors import InputError
from formats.seeds import generator
from formats.synapse import read_synapse, write_synapse

BRANCHES = [Branch(31, 0.0, 0.1), Branch(31, 2.0, 0.1), Branch(20, -1.5, 0.1)]
PLAIN = PRESETS["limited-15-32"]()


@pytest.mark.parametrize("branch", BRANCHES)
def test_n_pulses_cross_the_range_along_the_exponential(branch: Branch) -> None:
    k = np.arange(branch.pulses + 1)
    nu = branch.nonlinearity
    expected = k / branch.pulses
    if nu:
        expected = (1 - np.exp(-nu * k / branch.pulses)) / (1 - math.exp(-nu))
    np.testing.assert_allclose(branch.mean(np.zeros(k.shape), k), expected, atol=1e-12)
    np.testing.assert_allclose(branch.mean(0.0, branch.pulses), 1.0)


@pytest.mark.parametrize("branch", BRANCHES)
def test_single_pulses_add_up_to_the_closed_mean_and_deviation(branch: Branch) -> None:
    """Eight pulses one by one; 20,000 devices, z-scores below 4.5 (false alarm below 1e-5 each)."""
    rng = generator(1, "synapse", "steps")
    state = np.full(20_000, 0.2)
    for _ in range(8):
        state = branch.after(state, 1, rng.standard_normal(state.shape))
    mean, deviation = branch.mean(0.2, 8), branch.deviation(8)
    assert abs(state.mean() - mean) < 4.5 * deviation / math.sqrt(state.size)
    assert abs(state.std() / deviation - 1) < 4.5 / math.sqrt(2 * state.size)


def test_a_small_nonlinearity_meets_equal_steps() -> None:
    near = Branch(31, 1e-4)
    np.testing.assert_allclose(near.mean(0.2, 7), Branch(31).mean(0.2, 7), atol=1e-4)


def test_potentiation_and_depression_mirror_each_other_and_stop_at_the_ends() -> None:
    synapse = PLAIN.assuming(nonlinearity=1.5)
    drawn = draw(synapse, (3,), generator(0))
    up = train_of_pulses(synapse, drawn, drawn.low, np.ones(40), generator(1))
    down = train_of_pulses(synapse, drawn, drawn.high, -np.ones(40), generator(1))
    np.testing.assert_allclose(up - drawn.low, drawn.high - down, rtol=1e-9, atol=1e-20)
    np.testing.assert_allclose(up[31:], np.broadcast_to(drawn.high, (10, 3)), rtol=1e-12)
    assert np.all(np.diff(up[:32], axis=0) > 0)


def test_asymmetry_is_between_the_directions() -> None:
    up, down = PLAIN.assuming(nonlinearity=1.0, asymmetry=0.5).branches
    assert (up.nonlinearity, down.nonlinearity) == (1.0, 1.5)


def test_the_density_of_a_step_integrates_to_one_with_its_ends() -> None:
    branch = Branch(10, 1.0, 0.8)
    before = np.array([0.93])
    inside, _ = integrate.quad(
        lambda s: float(np.exp(log_density(branch, before, np.array([s])))[0]), 1e-12, 1 - 1e-12
    )
    ends = [float(np.exp(log_density(branch, before, np.array([end])))[0]) for end in (0.0, 1.0)]
    assert inside + sum(ends) == pytest.approx(1.0, abs=1e-6)
    assert ends[1] > 0.05


def test_devices_have_the_spread_and_the_shares_of_the_population() -> None:
    """100,000 devices, 4.5 standard errors (false alarm below 1e-5 each)."""
    synapse = PLAIN.assuming(sigma_ends=0.1, stuck=0.02)
    drawn = draw(synapse, (100_000,), generator(2))
    free = drawn.moves
    error = 0.1 / math.sqrt(2 * free.sum())
    assert abs(np.log(drawn.high[free]).std() - 0.1) < 4.5 * error
    assert abs(np.log(drawn.low[free]).mean() - math.log(PLAIN.g_min.value)) < 4.5 * 0.1 / 313
    assert abs((~free).mean() - 0.02) < 4.5 * math.sqrt(0.02 * 0.98 / 1e5)
    stuck = drawn.low[~free]
    assert np.array_equal(stuck, drawn.high[~free])
    assert abs((stuck > 2e-6).mean() - 0.5) < 4.5 * 0.5 / math.sqrt(stuck.size)
    pulsed = train_of_pulses(synapse, drawn, drawn.low, np.ones(3), generator(3))
    assert np.array_equal(pulsed[3][~free], stuck)


def test_each_end_has_a_spread_of_its_own() -> None:
    """As many standard errors: that of ln over 100,000 devices is sigma / sqrt(200,000)."""
    ends = {"sigma_ln_g_max": 0.05, "sigma_ln_g_min": 0.2}
    kept = {name: dataclasses.replace(getattr(PLAIN, name), value=v) for name, v in ends.items()}
    drawn = draw(dataclasses.replace(PLAIN, **kept), (100_000,), generator(3))
    for end, sigma in ((drawn.high, 0.05), (drawn.low, 0.2)):
        assert np.log(end).std() == pytest.approx(sigma, abs=5 * sigma / math.sqrt(200_000))


def test_crossing_ends_leave_a_device_that_does_not_move() -> None:
    synapse = PLAIN.assuming(dynamic_range=1.2, sigma_ends=1.0)
    drawn = draw(synapse, (1000,), generator(4))
    assert np.all(drawn.low <= drawn.high)
    assert 0.2 < (~drawn.moves).mean() < 0.7


def test_first_programming_counts_pulses_from_the_low_end() -> None:
    drawn = draw(PLAIN, (4,), generator(0))
    counts = np.array([0, 1, 15, 31])
    found = initial(PLAIN, drawn, counts, generator(5))
    np.testing.assert_allclose((found - drawn.low) / (drawn.high - drawn.low), counts / 31)


def test_a_file_keeps_the_synapse(tmp_path: Path) -> None:
    synapse = PLAIN.assuming(nonlinearity=1.0, sigma_step=0.3, stuck=0.01)
    write_synapse(tmp_path / "synapse.json", synapse.to_dict())
    assert Synapse.from_dict(read_synapse(tmp_path / "synapse.json")) == synapse


BY_HAND = """
schema = 1
name = "mine"
note = "bench book 12"
g_max = 1e-5
g_min = 1e-6
[potentiation]
levels = 32
nonlinearity = 0
sigma_step = 0.1
[depression]
levels = 32
nonlinearity = 0.5
sigma_step = 0.1
"""


def test_a_file_by_hand_needs_numbers_only(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BY_HAND)
    synapse = Synapse.from_dict(read_synapse(path))
    assert synapse.dynamic_range == pytest.approx(10)
    assert (synapse.g_max.source, synapse.g_max.note) == ("taken", "bench book 12")
    assert (synapse.stuck_low.value, synapse.stuck_low.source) == (0.0, "assumed")
    assert dataclasses.astuple(synapse.branches[1]) == (31, 0.5, 0.1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("levels = 32", "levels = 1", "levels"),
        ("g_min = 1e-6", "g_min = 1e-4", "not below g_max"),
        ("g_max", "gmax", "gmax"),
        ("nonlinearity = 0.5", "nonlinearity = nan", "number is nan"),
        ("schema = 1", "schema =", "TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_the_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BY_HAND.replace(old, new))
    with pytest.raises(InputError, match=told):
        read_synapse(path)
