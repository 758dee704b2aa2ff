"""The fit.json beside a device.json goes into cells.nc; that of another run is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from characterization.extract.options import ExtractOptions
from characterization.extract.stage import stage_provenance
from characterization.fit import FitOptions, run
from formats.errors import InputError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "knag2014_pulses.csv"


class Killed(BaseException):
    """Nothing is tidied up after it."""


def test_files_of_a_fit_killed_between_two_of_them_are_not_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device.json of the run before lies beside the new fit.json until the next fit."""
    files = run(FitOptions(EXAMPLE, tmp_path, family="exponential"))
    options = ExtractOptions(files.device, tmp_path)
    assert "fit.json" in stage_provenance(options)["inputs"]
    old, replace = files.device.read_bytes(), Path.replace

    def killed(self: Path, target: Path) -> Path:
        if Path(target).name == "device.json":
            raise Killed
        return replace(self, target)

    again = FitOptions(EXAMPLE, tmp_path, family="exponential", seed=1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            run(again)
    assert files.device.read_bytes() == old  # written last: where it is new, all are
    with pytest.raises(InputError, match=r"fit.json: is of another fit than .*device.json"):
        stage_provenance(options)
    run(again)
    assert "fit.json" in stage_provenance(options)["inputs"]
