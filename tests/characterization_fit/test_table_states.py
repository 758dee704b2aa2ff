"""Two resistance states: found where there are two, refused where there are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from characterization.fit.table.readers import read_table
from characterization.fit.table.states import OVERLAP, find_states, find_threshold
from characterization.fit.table.validation import numbers
from formats.errors import InputError


def two_states(
    rng: np.random.Generator,
    size: int,
    share: float,
    lrs: tuple[float, float] = (1e4, 0.2),
    hrs: tuple[float, float] = (1e6, 0.7),
) -> np.ndarray:
    """Resistances of which ``share`` are LRS; a state is (median in ohm, sigma of ln R)."""
    low = rng.random(size) < share
    spread = np.where(low, lrs[1], hrs[1]) * rng.standard_normal(size)
    return np.asarray(np.where(low, lrs[0], hrs[0]) * np.exp(spread))


@pytest.mark.parametrize("share", [0.03, 0.3, 0.9])
@pytest.mark.parametrize("size", [2000, 200_000])
def test_both_states_are_recovered(size: int, share: float) -> None:
    """Each estimate within 5 standard errors of known labels (binning adds less than that)."""
    found = find_states(two_states(np.random.default_rng(7), size, share), "table")
    states = ((found.lrs, 1e4, 0.2, share), (found.hrs, 1e6, 0.7, 1 - share))
    for state, median, sigma, weight in states:
        n = size * weight
        assert abs(np.log(state.median / median)) < 5 * sigma / np.sqrt(n) + 1e-3
        assert abs(np.log(state.sigma / sigma)) < 5 / np.sqrt(2 * n) + 5e-3
        assert abs(state.weight - weight) < 5 * np.sqrt(weight * (1 - weight) / size)
    assert found.rows == size
    assert found.separation == pytest.approx(np.log(100) / np.sqrt((0.2**2 + 0.7**2) / 2), rel=0.1)


def test_the_threshold_is_where_both_posteriors_are_equal() -> None:
    found = find_states(two_states(np.random.default_rng(3), 5000, 0.4), "table")

    def difference(x: float) -> float:
        return float(
            np.log(found.lrs.weight)
            + norm.logpdf(x, np.log(found.lrs.median), found.lrs.sigma)
            - np.log(found.hrs.weight)
            - norm.logpdf(x, np.log(found.hrs.median), found.hrs.sigma)
        )

    root = brentq(difference, np.log(found.lrs.median), np.log(found.hrs.median))
    assert np.log(found.threshold) == pytest.approx(root, abs=1e-9)
    beyond = norm.sf(root, np.log(found.lrs.median), found.lrs.sigma)
    below = norm.cdf(root, np.log(found.hrs.median), found.hrs.sigma)
    assert found.overlap == pytest.approx(max(beyond, below), rel=1e-6)


def test_the_threshold_scales_with_the_ohm_and_not_with_the_order_of_rows() -> None:
    rng = np.random.default_rng(11)
    values = two_states(rng, 3000, 0.5)
    found = find_states(values, "table").threshold
    assert find_states(values * 1000, "table").threshold == pytest.approx(1000 * found, rel=1e-6)
    assert find_states(rng.permutation(values), "table").threshold == pytest.approx(found, rel=1e-9)


def test_one_state_is_refused() -> None:
    """Of 15 tables of one log-normal state none passes: BIC alone errs in about 1 %, and the
    overlap of what it errs on is large."""
    for seed in range(15):
        values = 1e4 * np.exp(0.5 * np.random.default_rng(seed).standard_normal(400))
        with pytest.raises(InputError, match=r"as well as two|overlap"):
            find_states(values, "table")


def test_overlapping_states_are_refused_with_the_share() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(InputError, match=rf"overlap: .* at most {100 * OVERLAP:g} % is accepted"):
        find_states(two_states(rng, 20_000, 0.5, (1e4, 0.5), (3.5e4, 0.5)), "table")


@pytest.mark.parametrize(
    ("values", "expected"), [([1e4] * 10, "too few"), ([1e4, 1e6] * 20, "2 different")]
)
def test_too_little_is_refused(values: list[float], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        find_states(np.array(values), "table")


def test_measured_set_sweep_has_two_states_and_the_graded_reset_has_not(data_folder: Path) -> None:
    columns = (
        *("address", "pulse_width_s", "gate_voltage_V"),
        *("voltage_V", "r_before_ohm", "r_after_ohm"),
    )
    tables = {
        name: read_table(
            data_folder / "nirram_tsmc40" / f"{name}_sweep.tsv.gz", header=False, columns=columns
        )
        for name in ("set", "reset")
    }
    for column in ("r_before_ohm", "r_after_ohm"):
        found = find_threshold(numbers(tables["set"], column), column)
        assert 9e3 < found.value < 15e3
        assert f"threshold {found.value:.4g} ohm found between LRS" in found.sentences[0]
    with pytest.raises(InputError, match="give the threshold in ohms"):
        find_threshold(numbers(tables["reset"], "r_after_ohm"), "r_after_ohm")
