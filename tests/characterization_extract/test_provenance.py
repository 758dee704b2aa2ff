"""What the extraction records of its inputs: another technology of the same name is another."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from characterization.extract.options import ExtractOptions
from characterization.extract.stage import stage_provenance
from formats.device import write_device
from formats.provenance import provenance_key

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("technology.toml", "supply_V = 1.1", "supply_V = 0.9"),
        ("technology_models.lib", "vth0=", "vth0=0.1+"),
    ],
)
def test_an_edited_technology_of_the_same_name_is_extracted_anew(
    name: str, old: str, new: str, tmp_path: Path, demo_device: dict[str, Any]
) -> None:
    for file in ("technology.toml", "technology_models.lib"):
        shutil.copy(EXAMPLES / file, tmp_path)
    write_device(tmp_path / "device.json", demo_device)
    options = ExtractOptions(
        device=tmp_path / "device.json",
        output=tmp_path,
        technology=str(tmp_path / "technology.toml"),
    )
    before = stage_provenance(options)
    assert provenance_key(stage_provenance(options)) == provenance_key(before)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1))
    after = stage_provenance(options)
    assert after["options"] == before["options"]
    assert provenance_key(after) != provenance_key(before)
