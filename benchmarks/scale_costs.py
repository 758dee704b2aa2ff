"""What one more operating point of the cells, and a training, cost: processor time and memory.

Processor seconds and not wall time: other work on the machine moves them least. ngspice's cache is
empty at the start of each run.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common import STATE, resumed, write_result
from benchmarks.scale_process import Used, used
from devices.presets import knag2014
from formats.device import write_device
from formats.provenance import provenance
from tests.synthetic_cells import synthetic_cells

VERSION = 2
FEW, MANY = ("tt", "300", "1e-4"), ("tt,ff,ss", "280,300,350", "1e-4,3e-5")
"""Corners, temperatures and pulse widths of one operating point, and of eighteen."""
MAC = "sign_magnitude_counter"
ACTIVATION = "0.6"
"""eV, assumed: the published law has no activation energy."""
IMAGES, EPOCHS = 4_000, (1, 11)
"""Of a short and of a longer training: their difference is free of start-up and of compiling, and
long beside what these vary by (some 40 s, give or take one)."""


def main() -> None:
    """Measure, print and write."""
    names = ("few", "many", *(f"train {count}" for count in EPOCHS))
    cases = range(len(names))
    runs = resumed(f"scale-costs-{VERSION}", _case, cases, workers=1, chunk=1)
    found = dict(zip(names, runs, strict=True))
    if bad := [name for name, run in found.items() if run["code"]]:
        raise SystemExit(f"failed: {', '.join(bad)}; see {STATE / 'scale-costs'}")
    point = (found["many"]["processor"] - found["few"]["processor"]) / (_points(MANY) - 1)
    short, longer = (found[f"train {count}"] for count in EPOCHS)
    more_images = IMAGES * (EPOCHS[1] - EPOCHS[0])
    image = (longer["processor"] - short["processor"]) / more_images
    print(f"  one more operating point of the SNG: {point:.2f} s of one core")
    print(f"  one training image, floating point and on streams: {1e3 * image:.2f} ms of one core")
    for name, run in found.items():
        print(f"  {name:12s} {run['processor']:6.1f} s of cores, {run['memory'] / 2**30:.2f} GiB")
    write_result(
        "scale_costs",
        {
            "shows": "what one more point of a characterisation and of a training costs",
            "operating_point_core_s": point,
            "training_image_core_s": image,
            "runs": found,
        },
    )


def _points(chosen: tuple[str, str, str]) -> int:
    corners, temperatures, widths = (len(text.split(",")) for text in chosen)
    return corners * temperatures * widths


def _case(number: int) -> dict[str, Any]:
    folder = STATE / "scale-costs"
    folder.mkdir(parents=True, exist_ok=True)
    run = _extracted(folder, (FEW, MANY)[number]) if number < 2 else _trained(folder, number - 2)
    return asdict(run)


def _extracted(folder: Path, chosen: tuple[str, str, str]) -> Used:
    device = folder / "device.json"
    record = provenance(
        stage="preset", inputs={}, options={}, seed=None, source=("devices",), libraries=("numpy",)
    )
    write_device(device, {**knag2014().to_dict(), "provenance": record})
    corners, temperatures, widths = chosen
    with tempfile.TemporaryDirectory() as cache:
        return used(
            [
                *(sys.executable, "-m", "characterization.extract", str(device)),
                *("--corners", corners, "--temperatures", temperatures, "--pulse-width", widths),
                *(
                    "--cells",
                    MAC,
                    "--activation-energy",
                    ACTIVATION,
                    "-o",
                    str(folder / "cells"),
                    "--quiet",
                ),
            ],
            folder / f"extract-{_points(chosen)}.log",
            {"STOCHRAM_CACHE": cache},
        )


def _trained(folder: Path, which: int) -> Used:
    cells = synthetic_cells(folder / "synthetic.nc")
    count = EPOCHS[which]
    return used(
        [
            *(sys.executable, "-m", "system.train", str(cells), "--network", "lenet5"),
            *("--train-images", str(IMAGES), "--test-images", "100", "--epochs", str(count)),
            *("--seeds", "1", "-o", str(folder / f"train-{count}"), "--fresh", "--quiet"),
        ],
        folder / f"train-{count}.log",
        {"STOCHRAM_CACHE": "off"},
    )
