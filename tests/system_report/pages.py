"""A page with everything on it: from synthetic cells and a synthetic training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from devices.presets import knag2014
from formats.cells import Cells, read_cells, variable, write_cells
from formats.provenance import provenance
from formats.training import Training
from system.report.content import device, report
from system.report.page import page
from tests.synthetic_cells import synthetic_cells
from tests.system_report import optional_keys
from tests.system_report.changes import bill

ROOT_ATTRIBUTES = ("device_json", "fit_json", "technology", "default_mac", "provenance")


def fit_json(**changes: Any) -> str:
    """A fit.json of pulses at two widths."""
    voltage = np.tile(np.linspace(2.8, 3.4, 7), 2)
    width = np.repeat([1e-4, 1e-3], 7)
    probability = np.array(
        [
            knag2014().set.probability(np.array([v]), w)[0]
            for v, w in zip(voltage, width, strict=True)
        ]
    )
    points = {
        "voltage_V": voltage,
        "width_s": width,
        "trials": np.full(14, 100),
        "switched": np.round(100 * probability),
        "probability": probability,
        "low": np.maximum(0, probability - 0.05),
        "high": np.minimum(1, probability + 0.05),
    }
    law = {
        "direction": "set",
        "candidates": [
            {"family": "exponential", "loglik": -12.5, "aic": 29.0, "aicc": 29.1, "bic": 30.0}
        ],
        "chosen": "exponential",
        "points": {name: np.asarray(values).tolist() for name, values in points.items()},
    }
    content = {
        "schema": 1,
        "kind": "pulses",
        "laws": [law],
        "counts": {"rows": 14},
        "excluded": [{"reason": "start <above> 50 kohm", "rows": 3}],
        "verdict": ["A bare exponential & nothing else."],
    }
    return json.dumps({**content, **changes})


def cells_with_a_waveform(path: Path, **attributes: str) -> Path:
    """Write a cells.nc with a waveform; ``attributes`` replace its global texts."""
    cells = read_cells(synthetic_cells(path))
    time = np.linspace(0, 1e-4, 50)
    sng = cells.sng.assign_coords(waveform_time=("waveform_time", time))
    sng["waveform_te"] = variable(("waveform_time",), np.sin(1e5 * time), "V", "simulated: test")
    sng["waveform_te"].attrs["long_name"] = "active <electrode>"
    kept = {key: cells.attributes[key] for key in ROOT_ATTRIBUTES}
    record = provenance(stage="test", inputs={}, options={}, seed=0, source=(), libraries=())
    kept["device_json"] = json.dumps({**knag2014().to_dict(), "provenance": record})
    write_cells(path, kept | attributes, {**cells.groups, "sng": sng})
    return path


def whole_content(cells: Cells, training: Training) -> dict[str, Any]:
    """A report.json with every optional key."""
    record = provenance(
        stage="report",
        inputs={"cells": "0" * 64},
        options={"frame_rate_Hz": 1.0},
        seed=None,
        source=("formats",),
        libraries=("numpy",),
    )
    content = report(cells, training, bill(cells, training), record)
    wear = content["wear"] | {"accuracy_with_worn_devices": optional_keys.worn()}
    return content | {"wear": wear, "baselines": optional_keys.baselines()}


def whole_page(cells: Cells, training: Training, content: dict[str, Any]) -> str:
    """The page of a report.json."""
    return page(cells, training, bill(cells, training), content, device(cells))
