"""Devices that come with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.cbram import CBRAM
from devices.presets import PRESETS
from formats.device import read_device
from stochram.cli import main


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_is_written_as_the_device_it_is(name: str, tmp_path: Path) -> None:
    assert main(["preset", name, "-o", str(tmp_path)]) == 0
    content = read_device(tmp_path / "device.json")
    del content["provenance"]
    assert CBRAM.from_dict(content) == PRESETS[name]()


def test_an_unknown_preset_names_the_known_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preset", "nonsense", "-o", str(tmp_path)]) == 2
    assert "cbram-lv-assumed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
