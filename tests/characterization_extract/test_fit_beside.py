"""The fit.json beside a device.json goes into cells.nc; that of another run is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from characterization.extract.options import ExtractOptions
from characterization.extract.stage import stage_provenance
from characterization.fit import FitOptions, run
from formats.errors import InputError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "knag2014_pulses.csv"


def test_a_device_beside_the_fit_of_another_run_is_not_extracted(tmp_path: Path) -> None:
    """As a kill between the two files leaves them."""
    files = run(FitOptions(EXAMPLE, tmp_path, family="exponential"))
    options = ExtractOptions(files.device, tmp_path)
    assert "fit.json" in stage_provenance(options)["inputs"]
    other = json.loads(files.fit.read_text())
    other["provenance"]["seed"] = 5
    files.fit.write_text(json.dumps(other))
    with pytest.raises(InputError, match=r"fit.json: is of another fit than .*device.json"):
        stage_provenance(options)
    files.fit.unlink()
    assert "fit.json" not in stage_provenance(options)["inputs"]
