"""Fit of a synapse: what was sampled comes back within its errors; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from characterization.fit.table.base import table_of_frame
from characterization.synapse.cli import main
from characterization.synapse.estimate import FEWEST, Estimate, estimate, fit_branch
from characterization.synapse.trains import trains_of
from devices.parameter import Parameter
from devices.synapse import PRESETS, Branch, Synapse, draw, train_of_pulses
from devices.synapse.law import Steps
from formats.seeds import generator
from formats.synapse import read_synapse


def parameter(value: float) -> Parameter:
    return Parameter(value, "1", "taken", "")


TRUTH = PRESETS["limited-15-32"]().assuming(sigma_ends=0.1)
TRUTH = Synapse(
    **{
        **TRUTH.__dict__,
        "potentiation": Steps(parameter(41), parameter(1.5), parameter(0.5)),
        "depression": Steps(parameter(31), parameter(-1.0), parameter(0.3)),
    }
)
CYCLE = np.concatenate([np.ones(70), -np.ones(60)])


def pulses(synapse: Synapse, devices: int, cycles: int, seed: int) -> pd.DataFrame:
    """Trains long enough to reach both ends, devices interleaved as an instrument scans them."""
    random = generator(seed, "pulse data")
    drawn = draw(synapse, (devices,), random)
    sign = np.tile(CYCLE, cycles)
    course = train_of_pulses(synapse, drawn, drawn.low, sign, random)
    voltage = np.concatenate([[0.0], sign])
    return pd.DataFrame(
        {
            "device": np.tile([f"d{k}" for k in range(devices)], voltage.size),
            "voltage_V": np.repeat(voltage, devices),
            "r_after_ohm": 1 / course.ravel(),
        }
    )


def fitted(frame: pd.DataFrame) -> Estimate:
    return estimate(trains_of(table_of_frame(frame)), "it", "table")


def test_parameters_come_back_within_their_standard_errors() -> None:
    """Three tables, six parameters of steps each: chi-square of 18 z-scores, false alarm 1e-3."""
    z = []
    for seed in range(3):
        found = fitted(pulses(TRUTH, 6, 2, seed)).synapse
        for side in ("potentiation", "depression"):
            for name in ("levels", "nonlinearity", "sigma_step"):
                value = getattr(getattr(found, side), name)
                true = getattr(getattr(TRUTH, side), name).value
                assert value.source == "fitted" and value.stderr is not None
                z.append((value.value - true) / value.stderr)
    total = float(np.sum(np.square(z)))
    assert stats.chi2.sf(total, len(z)) > 5e-4 and stats.chi2.cdf(total, len(z)) > 5e-4


def test_ends_and_their_spread_come_back() -> None:
    """60 devices, 4.5 standard errors."""
    found = fitted(pulses(TRUTH, 60, 1, 9)).synapse
    for name in ("g_max", "g_min", "sigma_ln_g_max", "sigma_ln_g_min"):
        value = getattr(found, name)
        assert value.stderr is not None
        assert abs(value.value - getattr(TRUTH, name).value) < 4.5 * value.stderr


def test_without_ends_the_maximum_is_that_of_least_squares() -> None:
    """Inside the range the law is a line with equal errors, whose maximum is known in closed form:
    slope exp(-nu/n), intercept (1 - slope) / (1 - exp(-nu))."""
    branch, random = Branch(25, 1.2, 0.4), generator(4, "least squares")
    before = random.uniform(0.2, 0.7, 3000)
    after = branch.after(before, 1, random.standard_normal(before.size))
    assert after.min() > 0 and after.max() < 1
    found = fit_branch(before, after, np.arange(before.size)).branch
    slope, intercept = np.polyfit(before, after, 1)
    nu = -np.log(1 - (1 - slope) / intercept)
    n = -nu / np.log(slope)
    sigma = np.std(after - slope * before - intercept) * n
    assert (found.pulses, found.nonlinearity, found.sigma) == pytest.approx(
        (n, nu, sigma), rel=5e-3
    )


def test_stuck_devices_are_counted_at_their_end_and_left_out() -> None:
    frame = pulses(TRUTH, 10, 1, 3)
    frame.loc[frame["device"] == "d2", "r_after_ohm"] = 1.5e6
    frame.loc[frame["device"] == "d7", "r_after_ohm"] = 0.1e6
    found = fitted(frame).synapse
    assert (found.stuck_low.value, found.stuck_high.value) == (0.1, 0.1)
    assert abs(found.potentiation.levels.value - 41) < 4.5 * (found.potentiation.levels.stderr or 0)


def test_one_direction_is_said_to_stand_for_both() -> None:
    frame = pulses(TRUTH, 4, 1, 5)
    rising = frame[frame["voltage_V"] >= 0]
    found = fitted(rising)
    assert found.directions[1] is None and "nothing fitted" in found.notes[0]
    assert found.synapse.depression.levels.source == "assumed"
    assert found.synapse.depression.branch == found.synapse.potentiation.branch


def test_read_noise_is_noticed() -> None:
    frame = pulses(TRUTH.assuming(sigma_step=0.05, sigma_ends=0.0), 6, 2, 6)
    noise = generator(6, "read noise").normal(0, 0.01, len(frame))
    noisy = frame.assign(r_after_ohm=frame["r_after_ohm"] * (1 + noise))
    assert any("read noise" in note for note in fitted(noisy).notes)
    assert not any("read noise" in note for note in fitted(frame).notes)


def test_the_command_writes_what_training_reads(tmp_path: Path) -> None:
    frame = pulses(TRUTH, 4, 1, 7)
    frame["resistance (kohm)"] = frame.pop("r_after_ohm") / 1e3
    frame.to_csv(tmp_path / "p.csv", index=False)
    words = [tmp_path / "p.csv", "--map", "r_after_ohm=resistance (kohm):kohm", "-o", tmp_path]
    assert main([str(word) for word in words]) == 0
    content = read_synapse(tmp_path / "synapse.json")
    assert content["provenance"]["stage"] == "fit a synapse"
    assert Synapse.from_dict(content).potentiation.levels.value == pytest.approx(41, rel=0.2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("device,voltage_V\na,1\n", "no column r_after_ohm"),
        ("voltage_V,r_after_ohm\n1,5\n1,-3\n", "row 3, column r_after_ohm"),
        ("voltage_V,r_after_ohm\n1,5\n1,x\n", "found 'x'"),
        ("device,voltage_V,r_after_ohm\na,1,5\nb,1,3\n", "no pulse whose resistance before"),
        ("voltage_V,r_after_ohm\n" + "1,5\n1,4\n1,3\n-1,5\n", f"fewer than {FEWEST} pulses"),
        ("voltage_V,r_after_ohm\n" + "-1,5\n-1,4\n1,5\n1,9\n" * 6, "check the signs"),
    ],
)
def test_wrong_data_end_with_one_line(
    tmp_path: Path, text: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.csv").write_text(text)
    assert main([str(tmp_path / "p.csv"), "-o", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1
