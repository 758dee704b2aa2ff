"""What the extraction refuses: devices, ratings and options, in one line and without a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from characterization.extract.cli import main
from devices.cbram import CBRAM
from devices.parameter import Parameter
from formats.device import write_device


def test_stage_refuses_a_violated_rating_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], demo_device: dict[str, Any]
) -> None:
    """A RESET at 4.5 V is more than the 3.3-V transistors stand."""
    path = tmp_path / "device.json"
    write_device(path, demo_device)
    command = [str(path), "--reset-voltage", "4.5", "--points", "3", "-o", str(tmp_path / "out")]
    assert main(command) == 2
    assert "cell SNG, transistor m" in (error := capsys.readouterr().err)
    assert "rated 3.63 V" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def with_resistance(content: dict[str, Any], name: str, value: float) -> dict[str, Any]:
    """A device.json with another resistance (ohm)."""
    conduction = {**content["conduction"], name: {**content["conduction"][name], "value": value}}
    return {**content, "conduction": conduction}


def test_devices_the_cell_cannot_serve_are_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], demo_device: dict[str, Any]
) -> None:
    """An HRS the write path cannot feed; one that often reads as 1; a conditional RESET with
    exposure that is carried on."""
    wide = with_resistance(with_resistance(demo_device, "r_hrs", 1e6), "sigma_ln_r_hrs", 0.7)
    weibull = {**demo_device["set"], "family": "weibull"}
    weibull["parameters"] = {**weibull["parameters"], "shape": Parameter(2.0, "1", "assumed")}
    weibull["parameters"]["shape"] = weibull["parameters"]["shape"].to_dict()
    cases = [
        (with_resistance(demo_device, "r_hrs", 1.5e5), [], "the write path takes too much"),
        (wide, [], "stuck, not noisy"),
        ({**demo_device, "set": weibull}, ["--conditional-reset"], "only the exponential law"),
    ]
    for content, more, message in cases:
        path = tmp_path / "device.json"
        write_device(path, content)
        assert main([str(path), "--points", "3", *more, "-o", str(tmp_path / "out")]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


def test_an_sng_that_hardly_resets_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], demo_device: dict[str, Any]
) -> None:
    """A RESET law fitted far above the RESET voltage of the cell: P of a pulse is small, not 0."""
    device = CBRAM.from_dict(demo_device)
    law = replace(device.set.with_values(1e-4, 0.15), reference_voltage=1.2)
    path, content = tmp_path / "device.json", replace(device, reset=law).to_dict()
    write_device(path, {**demo_device, **content})
    assert main([str(path), "--points", "3", "--cells", "", "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "RESET succeeds with P = 0.00" in error and "--reset-voltage" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.json"], "nowhere.json"),
        (["DEVICE", "--technology", "cmos7"], "'cmos7' is unknown"),
        (["DEVICE", "--pulse-width", "-1"], "--pulse-width"),
        (["DEVICE", "--dac-bits", "99"], "--dac-bits"),
        (["DEVICE", "--pulse-width", "1e-8"], "longer write pulse"),
        (["DEVICE", "--nonsense"], "nonsense"),
    ],
)
def test_bad_options_exit_with_2_and_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    demo_device: dict[str, Any],
) -> None:
    path = tmp_path / "device.json"
    write_device(path, demo_device)
    arguments = [str(path) if word == "DEVICE" else word for word in arguments]
    assert main([*arguments, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_a_1t1r_law_is_refused_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], demo_device: dict[str, Any]
) -> None:
    path = tmp_path / "device.json"
    write_device(path, {**demo_device, "voltage_reference": "1t1r"})
    assert main([str(path), "-o", str(tmp_path / "out")]) == 2
    assert "--cell-voltage" in capsys.readouterr().err
