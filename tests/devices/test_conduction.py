"""Resistance laws of a device: closed forms, limits, and the way through device.json."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm

from devices.cbram import CBRAM
from devices.cbram import Conduction as FromCbram
from devices.conduction import Conduction, GradedReset, HrsSinh, LrsVsGate
from devices.defaults import assumed_conduction
from devices.parameter import Parameter
from formats.device import read_device, write_device
from formats.errors import InputError


def p(value: float, unit: str = "1") -> Parameter:
    return Parameter(value, unit, "fitted", "test", 0.1, (value - 0.2, value + 0.2))


def graded(**changes: Any) -> GradedReset:
    law = GradedReset(
        reference_width=1e-6,
        r_lrs=p(9e3, "ohm"),
        sigma_ln_r_lrs=p(0.08),
        r_max=p(150e3, "ohm"),
        v_on=p(3.5, "V"),
        v_per_efold=p(0.45, "V"),
        v_scale=p(0.6, "V"),
        sigma_ln_r_graded=p(1.0),
        valid_voltage=(0.5, 3.0),
        valid_width=(2e-8, 2e-6),
        v_half=p(2.8, "V"),
        v_half_scale=p(0.1, "V"),
        share_max=p(0.75),
        dip=p(0.4),
    )
    return replace(law, **changes)


def gate() -> LrsVsGate:
    return LrsVsGate(
        2.0,
        p(700, "ohm"),
        p(1.7),
        p(0.4, "V"),
        p(5.5e3, "ohm"),
        p(0.07),
        p(0.7),
        (0.5, 3.4),
    )


def sinh() -> HrsSinh:
    return HrsSinh(p(1e-9, "A"), p(0.2, "V"), (-1.0, 1.0))


def full() -> Conduction:
    return replace(assumed_conduction(), lrs_vs_gate=gate(), graded_reset=graded(), hrs_sinh=sinh())


ONE_MODE = {"v_half": None, "v_half_scale": None, "share_max": None, "dip": None}
V, T = np.array(2.9), np.array(1e-6)


def test_importers_of_the_old_place_find_the_same_class() -> None:
    assert FromCbram is Conduction


@pytest.mark.parametrize("changes", [{}, ONE_MODE])
def test_density_integrates_to_the_fraction_above(changes: dict[str, Any]) -> None:
    law = graded(**changes)
    for edge in (8e3, 15e3, 40e3):
        area, _ = quad(
            lambda x: float(np.exp(law.log_density(x, V, T))), np.log(edge), 16, limit=200
        )
        assert area == pytest.approx(float(law.probability_above(edge, V, T)), abs=1e-7)


@pytest.mark.parametrize("changes", [{}, ONE_MODE])
def test_quantile_inverts_the_fraction_above_everywhere(changes: dict[str, Any]) -> None:
    law = graded(**changes)
    voltage = np.linspace(0.5, 5.0, 10)[:, None]
    width = np.array([2e-8, 1e-6, 1e-3])
    for level in (1e-6, 0.1, 0.5, 0.9, 1 - 1e-6):
        above = law.probability_above(law.quantile(level, voltage, width), voltage, width)
        np.testing.assert_allclose(above, 1 - level, rtol=1e-8, atol=1e-10)


def test_response_starts_at_the_lrs_and_ends_at_the_bound() -> None:
    law = graded(**ONE_MODE)
    assert law.median(np.array(-50.0), T) == pytest.approx(9e3)
    assert law.median(np.array(50.0), T) == pytest.approx(150e3)
    x = np.linspace(0, 8, 200)
    assert np.all(np.diff(law.median_of_reset(x, T)) > 0)
    # 1 - exp(-softplus(x)) is the logistic function.
    z = (x - 3.5) / 0.6
    np.testing.assert_allclose(law.grade(x, T), 1 - np.exp(-np.logaddexp(0, z)), atol=1e-12)


def test_a_factor_e_in_time_is_v_per_efold_in_voltage() -> None:
    law = graded()
    one = law.probability_above(20e3, V + 0.45, T)
    other = law.probability_above(20e3, V, T * np.e)
    assert one == pytest.approx(float(other), rel=1e-12)


def test_share_never_exceeds_its_bound_and_the_rest_keeps_the_lrs() -> None:
    law = graded(dip=p(0.0))
    far = np.array(1e3)
    assert law.share(far, T) == pytest.approx(0.75)
    assert law.probability_above(30e3, far, T) == pytest.approx(
        0.75 * norm.sf(np.log(30 / 150) / np.hypot(0.08, 1.0)), rel=1e-9
    )


def test_samples_follow_the_law() -> None:
    """Kolmogorov-Smirnov on 20,000 draws at a fixed seed; false-alarm rate 1e-3."""
    law = graded()
    voltage = np.full(20_000, 2.9)
    drawn = law.sample(np.random.default_rng(3), voltage, np.full(20_000, 1e-6))
    assert kstest(drawn, lambda r: 1 - law.probability_above(r, V, T)).pvalue > 1e-3


def test_gate_law_is_a_power_of_the_overdrive_on_a_series_resistance() -> None:
    law = gate()
    assert law.median(np.array(2.0)) == pytest.approx(6200)
    double = 0.4 + 2 * 1.6
    assert law.median(np.array(double)) == pytest.approx(5500 + 700 * 2**-1.7)
    assert law.sigma(np.array(double)) == pytest.approx(0.07 * 2**-0.7)
    assert np.all(np.isnan(law.median(np.array([0.4, 0.1]))))


def test_sinh_current_is_odd_and_ohmic_near_zero() -> None:
    law = sinh()
    v = np.array([0.01, 0.3, 1.0])
    np.testing.assert_allclose(law.current(-v), -law.current(v))
    np.testing.assert_allclose(law.resistance(v), v / law.current(v))
    assert law.resistance(np.array(0.0)) == pytest.approx(0.2 / 1e-9)


def test_members_return_from_device_json_as_they_went(
    tmp_path: Path, demo_device: dict[str, Any]
) -> None:
    content = {**demo_device, "conduction": full().to_dict()}
    write_device(tmp_path / "device.json", content)
    back = CBRAM.from_dict(read_device(tmp_path / "device.json"))
    assert back.conduction == full()
    names = [name for name, _ in back.conduction.parameters()]
    assert "graded_reset.v_on" in names
    assert len(names) == len(set(names)) == 5 + 6 + 11 + 2


def test_a_device_without_members_writes_none() -> None:
    assert set(assumed_conduction().to_dict()) == {
        "r_lrs",
        "r_hrs",
        "sigma_ln_r_lrs",
        "sigma_ln_r_hrs",
        "correlation",
    }


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda c: c.update(r_mid={}), "r_mid"),
        (lambda c: c["graded_reset"].update(speed=1), "speed"),
        (lambda c: c["graded_reset"]["parameters"].pop("dip"), "dip"),
        (lambda c: c["graded_reset"]["parameters"].pop("v_on"), "v_on"),
        (lambda c: c["graded_reset"]["parameters"]["v_on"].update(unit="mV"), "v_on.unit"),
        (lambda c: c["graded_reset"]["parameters"]["r_max"].update(value=5e3), "r_max"),
        (lambda c: c["graded_reset"]["parameters"]["share_max"].update(value=1.2), "share_max"),
        (lambda c: c["graded_reset"]["valid_range"].update(voltage_V=[3.0, 1.0]), "voltage_V"),
        (lambda c: c["lrs_vs_gate"].update(reference_gate_V=0.3), "v_t"),
        (lambda c: c["hrs_sinh"]["parameters"]["i0"].update(value=0.0), "i0"),
    ],
)
def test_wrong_members_are_refused_by_name(
    tmp_path: Path,
    demo_device: dict[str, Any],
    spoil: Callable[[dict[str, Any]], object],
    named: str,
) -> None:
    content = {**demo_device, "conduction": full().to_dict()}
    spoil(content["conduction"])
    with pytest.raises(InputError, match=named):
        write_device(tmp_path / "device.json", content)
