"""The two states: what a spread means, and the log-normals against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import lognorm

from devices.binary_states import BinaryStates, relative_spread, sigma_ln
from devices.presets import knag2014
from formats.seeds import generator

STATES = BinaryStates.of_spread(1e5, 10, 0.3, 0.7)


def test_moments_are_those_of_scipys_lognormal() -> None:
    for r, sigma, mean, variance in (
        (STATES.r_on, STATES.sigma_ln_on, STATES.mean_on, STATES.variance_on),
        (STATES.r_off, STATES.sigma_ln_off, STATES.mean_off, STATES.variance_off),
    ):
        theirs = lognorm(sigma, scale=1 / r)
        assert mean == pytest.approx(theirs.mean())
        assert variance == pytest.approx(theirs.var())
        resistance = lognorm(sigma, scale=r)
        assert resistance.std() / resistance.mean() == pytest.approx(theirs.std() / theirs.mean())
    assert STATES.spreads == pytest.approx((0.3, 0.7))
    assert relative_spread(sigma_ln(1.0)) == pytest.approx(1.0)


def test_drawn_conductances_have_these_medians_and_spreads() -> None:
    """100,000 draws: the median of ln G within 5 of its standard errors (1e-6 false alarms)."""
    on = np.arange(200_000) % 2 == 0
    drawn = STATES.conductances(on, generator(0, "states").standard_normal(on.size))
    for state, r, sigma in ((on, 1e5, STATES.sigma_ln_on), (~on, 1e6, STATES.sigma_ln_off)):
        logs = np.log(drawn[state])
        assert np.median(logs) == pytest.approx(-np.log(r), abs=5 * 1.2533 * sigma / np.sqrt(1e5))
        assert logs.std() == pytest.approx(sigma, rel=5 / np.sqrt(2e5))


def test_a_device_file_gives_its_medians_and_sigmas() -> None:
    conduction = knag2014().conduction
    states = BinaryStates.of_device(knag2014())
    assert (states.r_on, states.r_off) == (conduction.r_lrs.value, conduction.r_hrs.value)
    assert states.sigma_ln_off == conduction.sigma_ln_r_hrs.value
    assert states.ratio == pytest.approx(100)


@pytest.mark.parametrize(
    "wrong", [(1e5, 1e5, 0, 0), (1e5, 1e4, 0, 0), (1e5, 1e6, -0.1, 0), (0, 1e6, 0, 0)]
)
def test_states_that_are_none_are_refused(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        BinaryStates(*wrong)


def test_an_off_state_that_conducts_more_in_the_mean_has_no_unit() -> None:
    with pytest.raises(ValueError, match="conducts more"):
        _ = BinaryStates.of_spread(1e5, 2, 0.0, 3.0).unit
