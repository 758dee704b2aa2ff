"""What the command makes of devices, order, resistances and samples: the parts work together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lmfit
import numpy as np
import pandas as pd
import pytest
from scipy.special import log_ndtr

from characterization.fit import FitOptions, FitResult, fit_table, run
from characterization.fit.conduction.deembed import cell_voltage
from characterization.fit.conduction.transistor import parse_transistor
from characterization.fit.inference.limits import parse_limits
from characterization.fit.inference.posterior import sample_posterior
from characterization.fit.make_device import device_of
from devices.cbram import CBRAM
from formats.device import read_device
from formats.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
V0 = 0.1


def words(result: FitResult) -> str:
    return "\n".join(result.verdict)


def ends(content: dict[str, Any]) -> tuple[float, float]:
    return tuple(content["ci95"])


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> tuple[FitResult, dict[str, Any]]:
    """The example of 40 devices x 40 cycles, fitted once."""
    folder = tmp_path_factory.mktemp("devices")
    files = run(FitOptions(EXAMPLES / "devices.csv", folder))
    return files.result, read_device(files.device)


def test_a_population_reaches_the_device(devices: tuple[FitResult, dict[str, Any]]) -> None:
    """sigma_ln_tau 0.5 and memory 0.5 lie in their intervals (one fixed data set)."""
    result, device = devices
    law = device["set"]
    spread = law["d2d"]["sigma_ln_tau_ref"]
    assert spread["source"] == "fitted"
    assert ends(spread)[0] < 0.5 < ends(spread)[1]
    assert law["d2d"]["sigma_ln_V0"]["value"] == 0
    memory = law["memory"]["rho"]
    assert memory["source"] == "fitted"
    assert ends(memory)[0] < 0.5 < ends(memory)[1]
    assert result.set is not None and result.set.population is not None
    assert law["family"] == "exponential"
    assert ends(law["parameters"]["V0"])[0] < 0.15 < ends(law["parameters"]["V0"])[1]


def test_no_family_is_rejected_before_devices_are_told_apart() -> None:
    """Pooled, devices that differ look like a stretched law; told apart each is exponential."""
    random = np.random.default_rng(20)
    device = np.repeat(np.arange(40), 30)
    voltage = np.resize([1.0, 1.1, 1.2], device.size)
    own = 1.2 * random.standard_normal(40)[device]
    frame = pd.DataFrame(
        {
            "device": device,
            "voltage_V": voltage,
            "wait_time_s": 1e-3
            * np.exp(own - (voltage - 1.1) / V0)
            * random.exponential(size=device.size),
            "switched": 1,
        }
    )
    told_apart = fit_table(frame)
    assert told_apart.chosen.family.name == "exponential"
    assert "exponential law is compatible" in words(told_apart)
    pooled = fit_table(frame, spread=False)
    assert pooled.chosen.family.name != "exponential"
    assert "pooled as asked" in words(pooled)
    assert "rejected" in words(fit_table(frame, spread=False, family="exponential"))


def single_outcomes(rows: int = 6000) -> pd.DataFrame:
    """One pulse on each of many devices, whose ln tau spreads with sigma 0.8."""
    random = np.random.default_rng(21)
    voltage = random.choice([1.0, 1.2, 1.4, 1.6], rows)
    width = random.choice([1e-6, 1e-5, 1e-4], rows)
    tau = 1e-5 * np.exp(-(voltage - 1.3) / V0 + 0.8 * random.standard_normal(rows))
    return pd.DataFrame(
        {
            "device": np.arange(rows),
            "voltage_V": voltage,
            "pulse_width_s": width,
            "switched": (random.exponential(size=rows) < width / tau).astype(int),
        }
    )


def test_one_outcome_per_device_refuses_sigma_by_name() -> None:
    result = fit_table(single_outcomes())
    assert "sigma_ln_tau is not fitted: 0 of" in words(result)
    assert "to tell D2D from C2C and stretching" in words(result)
    assert "exponential + spread" in {c.family.name for c in result.candidates}


def test_the_marginal_spread_becomes_a_c2c_spread_of_an_exponential_law() -> None:
    """Its 95 % interval holds the truth 0.8, and P is the mixture's."""
    result = fit_table(single_outcomes(), family="exponential", c2c=True)
    law = device_of(result, "x", "x").set
    assert law.family.name == "exponential"
    sigma = law.spread.sigma_ln_tau_c2c
    assert sigma.ci95 is not None and sigma.ci95[0] < 0.8 < sigma.ci95[1]  # type: ignore[operator]
    fitted = result.chosen.likelihood.probability(result.chosen.theta)
    data = result.data
    expected = [
        float(law.probability(np.array([v]), t)[0])
        for v, t in zip(data.voltage, data.duration, strict=True)
    ]
    np.testing.assert_allclose(fitted, expected, rtol=1e-6)


def ordered_waits(rho: float, drift: float, rows: int = 900) -> pd.DataFrame:
    """Waits of one device in order: scores with lag-1 correlation rho, ln tau drifting."""
    random = np.random.default_rng(22)
    score = np.empty(rows)
    score[0] = random.standard_normal()
    for k in range(1, rows):
        score[k] = rho * score[k - 1] + np.sqrt(1 - rho**2) * random.standard_normal()
    voltage = np.resize([1.0, 1.1, 1.2], rows)
    ln_tau = np.log(1e-3) - (voltage - 1.1) / V0 + drift * np.linspace(-0.5, 0.5, rows)
    return pd.DataFrame(
        {
            "cycle": np.arange(rows),
            "voltage_V": voltage,
            "wait_time_s": np.exp(ln_tau) * -log_ndtr(-score),
            "switched": 1,
        }
    )


def test_dependent_waits_widen_the_errors_and_give_a_memory() -> None:
    dependent = fit_table(ordered_waits(0.6, 0.0), family="exponential")
    free = fit_table(ordered_waits(0.6, 0.0).drop(columns="cycle"), family="exponential")
    wide = dependent.chosen.parameter("tau_ref", "").stderr
    narrow = free.chosen.parameter("tau_ref", "").stderr
    assert wide is not None and narrow is not None
    assert 1.5 < wide / narrow < 3.0  # 2 for rho 0.6: sqrt((1 + rho)/(1 - rho))
    memory = device_of(dependent, "x", "x").set.spread.memory
    assert memory.ci95 is not None and memory.ci95[0] < 0.6 < memory.ci95[1]  # type: ignore[operator]


def test_a_drift_is_not_called_memory() -> None:
    result = fit_table(ordered_waits(0.0, 2.5), family="exponential")
    assert result.set is not None and result.set.dependence is not None
    assert result.set.dependence.drift.verdict == "drift"
    assert device_of(result, "x", "x").set.spread.memory.value == 0


def resistances(direction: str) -> pd.DataFrame:
    """Single pulses known by their resistances only, some rows in the wrong state."""
    random = np.random.default_rng(23)
    rows = 3000
    voltage, width = random.choice([1.0, 1.1, 1.2], rows), random.choice([1e-6, 1e-5], rows)
    switched = random.exponential(size=rows) < width / (1e-5 * np.exp(-(voltage - 1.1) / V0))
    lrs, hrs = 1e4 * np.exp(0.1 * random.standard_normal((2, rows))) * [[1.0], [20.0]]
    before, after = (hrs, np.where(switched, lrs, hrs))
    if direction == "reset":
        before, after, voltage = lrs, np.where(switched, hrs, lrs), -voltage
    before = np.where(np.arange(rows) % 50 == 0, after, before)
    frame = {"voltage_V": voltage, "pulse_width_s": width}
    return pd.DataFrame({**frame, "r_before_ohm": before, "r_after_ohm": after})


@pytest.mark.parametrize("direction", ["set", "reset"])
def test_switched_is_found_from_the_resistances_alone(direction: str) -> None:
    options: dict[str, Any] = {"family": "exponential"}
    if direction == "set":
        options |= {"start_above": "auto", "switched_below": "auto"}
    else:
        options |= {"start_below": "auto", "switched_above": "auto"}
    result = fit_table(resistances(direction), **options)
    law = getattr(result, direction)
    low, high = law.chosen.parameter("V0", "").ci95
    assert low < V0 < high
    assert sum(item["rows"] for item in result.excluded) > 0
    assert len(law.thresholds) == 3
    assert all(one.v0 == pytest.approx(V0, rel=0.2) for one in law.thresholds)
    assert result.conduction.conduction.r_lrs.value == pytest.approx(1e4, rel=0.02)


def test_thresholds_may_be_given_and_are_written(tmp_path: Path) -> None:
    resistances("set").to_csv(tmp_path / "r.csv", index=False)
    run(
        FitOptions(
            tmp_path / "r.csv",
            tmp_path,
            start_above=5e4,
            switched_below=5e4,
            thresholds=(3e4, 5e4, 9e4),
        )
    )
    law = json.loads((tmp_path / "fit.json").read_text())["laws"][0]
    assert [one["threshold"] for one in law["thresholds"]] == [3e4, 5e4, 9e4]


def test_posterior_samples_agree_with_the_likelihood(tmp_path: Path) -> None:
    """Medians within half a standard error and standard deviations within 20 % of the fit's."""
    options = FitOptions(EXAMPLES / "knag2014_pulses.csv", tmp_path, posterior=True)
    files = run(options)
    assert files.posterior is not None
    drawn = np.load(files.posterior)
    assert drawn["set_names"].tolist() == ["tau_ref", "V0"]
    for column, name in zip(drawn["set_samples"].T, ("tau_ref", "V0"), strict=True):
        fitted = files.result.chosen.parameter(name, "")
        assert fitted.stderr is not None
        assert abs(np.median(column) - fitted.value) < 0.5 * fitted.stderr
        assert column.std() == pytest.approx(fitted.stderr, rel=0.2)
    one, other = (sample_posterior(files.result.chosen, 3, steps=60) for _ in range(2))
    np.testing.assert_array_equal(one.samples, other.samples)


def test_a_transistor_is_taken_off() -> None:
    """Terminal voltages from cell voltages by the same circuit: the law of the bare cell returns,
    where the terminal law has another V0."""
    random = np.random.default_rng(24)
    text = "kp=2.5e-5,vth=0.6"
    rows = 4000
    terminal = random.choice([1.5, 1.7, 1.9, 2.1], rows)
    gate = random.choice([1.0, 1.2], rows)
    cell = cell_voltage(terminal, gate, 1e6, parse_transistor(text)).voltage
    assert np.ptp(terminal - cell) > 0.1
    width = random.choice([1e-6, 1e-5, 1e-4], rows)
    tau = 1e-5 * np.exp(-(cell - np.median(cell)) / V0)
    frame = pd.DataFrame(
        {
            "voltage_V": terminal,
            "gate_voltage_V": gate,
            "pulse_width_s": width,
            "r_before_ohm": 1e6,
            "switched": (random.exponential(size=rows) < width / tau).astype(int),
        }
    )
    bare = fit_table(frame, family="exponential", transistor=text)
    low, high = bare.chosen.parameter("V0", "").ci95 or (None, None)
    assert low is not None and high is not None
    assert low < V0 < high
    assert bare.circumstances.voltage_reference == "cell"
    outside = fit_table(frame, family="exponential").chosen.parameter("V0", "").ci95
    assert outside is not None and outside[0] is not None and outside[0] > high


def test_all_files_of_the_device_are_written(tmp_path: Path) -> None:
    files = run(FitOptions(EXAMPLES / "cycling.csv", tmp_path, ramp_rate=1.0))
    assert [path.name for path in files.written] == [
        "device.json",
        "fit.json",
        "device.lib",
        "device.va",
        "fit.svg",
        "fit.html",
    ]
    assert ".subckt cbram_auto" in files.subcircuit.read_text()
    assert "module cbram" in files.verilog.read_text()
    page = files.page.read_text()
    assert "Read disturb" in page and "extrapolated" in page
    device = CBRAM.from_dict(read_device(files.device))
    assert device.reset is not None
    assert device.conduction.r_hrs.value == pytest.approx(2e5, rel=0.1)


def ramp_frame(rates: tuple[float, ...] = (1.0, 10.0)) -> pd.DataFrame:
    random = np.random.default_rng(25)
    rate = np.repeat(rates, 200)
    exposure = random.weibull(2.0, rate.size)
    top = V0 * np.log1p(exposure * rate * 1e6 / V0)
    return pd.DataFrame({"ramp_rate_V_per_s": rate, "set_voltage_V": top, "switched": 1})


def test_a_known_shape_lets_one_ramp_rate_give_v0() -> None:
    """Fixed on the command line or by lmfit's Parameters; without it V0 stands for V0/shape."""
    frame = ramp_frame((1.0,))
    wanted = lmfit.Parameters()
    wanted.add("shape", value=2.0, vary=False)
    for result in (
        fit_table(frame, wanted, family="weibull"),
        fit_table(frame, family="weibull", limits=parse_limits(["shape=2"])),
    ):
        low, high = result.chosen.parameter("V0", "").ci95 or (None, None)
        assert low is not None and high is not None and low < V0 < high
        law = device_of(result, "x", "x").set
        assert law.shape is not None
        assert (law.shape.value, law.shape.source) == (2.0, "assumed")
        assert result.chosen.count == 2
    free = fit_table(frame).chosen.parameter("V0", "")
    assert free.value == pytest.approx(V0 / 2, rel=0.15)


def test_bounds_hold_and_nonsense_is_refused() -> None:
    bounded = fit_table(ramp_frame(), family="weibull", limits=parse_limits(["V0=0.12:0.2"]))
    assert bounded.chosen.value("V0") == pytest.approx(0.12)
    for text in ("V0", "V0=x", "V0=2:1", "tau_ref=1", "floor=1", "shape=-1"):
        with pytest.raises(InputError, match="--fix"):
            parse_limits([text])


def test_conf_interval_is_the_profile_likelihood() -> None:
    result = fit_table(ramp_frame(), family="weibull")
    points = result.conf_interval()["V0"]
    assert [round(p, 2) for p, _ in points] == [1.0, 0.95, 0.68, 0.0, 0.68, 0.95, 1.0]
    low, high = result.chosen.parameter("V0", "").ci95 or (None, None)
    values = [value for _, value in points]
    assert values == sorted(values)
    assert low == pytest.approx(values[1], rel=2e-3)
    assert high == pytest.approx(values[5], rel=2e-3)


def test_missed_switches_are_suggested_and_fitted() -> None:
    random = np.random.default_rng(26)
    voltage, width = np.tile([1.0, 1.2, 1.4, 1.6, 1.8], 2), np.repeat([1e-6, 1e-5], 5)
    p = -0.97 * np.expm1(-width / (1e-5 * np.exp(-(voltage - 1.2) / V0)))
    frame = pd.DataFrame(
        {
            "voltage_V": voltage,
            "pulse_width_s": width,
            "trials": 500,
            "switched": random.binomial(500, p),
        }
    )
    assert "try --lapse" in words(fit_table(frame, family="exponential"))
    fitted = fit_table(frame, family="exponential", lapse=True)
    low, high = fitted.chosen.parameter("lapse", "").ci95 or (None, None)
    assert low is not None and high is not None and low < 0.03 < high
    assert "rate of missed switches" in words(fitted)


def test_current_voltage_points_give_a_nonlinear_hrs(tmp_path: Path) -> None:
    random = np.random.default_rng(27)
    voltage = np.linspace(0.05, 0.6, 40)
    current = 1e-6 * np.sinh(voltage / 0.25) * np.exp(0.02 * random.standard_normal(40))
    pd.DataFrame({"voltage_V": voltage, "current_A": current}).to_csv(tmp_path / "iv.csv")
    options = FitOptions(EXAMPLES / "knag2014_pulses.csv", tmp_path, hrs_iv=tmp_path / "iv.csv")
    device = CBRAM.from_dict(read_device(run(options).device))
    assert device.conduction.hrs_sinh is not None
    assert device.conduction.hrs_sinh.v_s.value == pytest.approx(0.25, rel=0.1)
