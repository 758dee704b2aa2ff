"""binarized.nc and its weights: what binarized networks get right on chips of binary memristors.

*Networks* (``trained``): ``float`` (nothing rounded), ``bnn`` (in the representations asked for)
and, where it was asked for, ``aware`` (the same, trained on drawn devices). ``digital_correct``
test images are right without devices.

*Chips*: ``correct`` of a network on chip ``chip`` whose states are those of ``condition``, after
``treatment``: ``none``, ``calibrated`` (normalisations of the chip's own), ``tuned`` (then gains
and biases too). A condition is the ``ratio`` of the median resistances and the relative spreads
(standard deviation over mean of the log-normal) ``spread_on`` and ``spread_off``.

*Layers*: ``devices`` that hold its weights, ``conversions`` of ADCs and ``device_reads`` for one
image (0 for a layer with floating-point weights, which is digital), ``macs`` of one image; of each
chip ``stuck_on`` and ``stuck_off`` devices. The attribute ``chip`` is a JSON text of what all chips
share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.device import parse_device
from formats.errors import InputError
from formats.json_file import parse_json
from formats.netcdf import (
    read_groups,
    require,
    require_attributes,
    require_counts,
    write_groups,
)

KIND = "stochram binarized"
SCHEMA = 1
NETWORKS = ("float", "bnn", "aware")
TREATMENTS = ("none", "calibrated", "tuned")
ATTRIBUTES = (
    "network",
    "parameters",
    "images",
    "images_sha256",
    "train_images",
    "test_images",
    "calibration_images",
    "representations",
    "chip",
    "device_json",
    "aware",
    "weights_sha256",
    "provenance",
)
_JSON = ("representations", "chip", "device_json", "aware", "provenance")
VARIABLES: dict[str, tuple[str, ...]] = {
    "loss": ("trained", "epoch"),
    "digital_correct": ("trained",),
    "correct": ("mapped", "treatment", "condition", "chip"),
    "ratio": ("condition",),
    "spread_on": ("condition",),
    "spread_off": ("condition",),
    "stuck_on": ("chip", "layer"),
    "stuck_off": ("chip", "layer"),
    "devices": ("layer",),
    "conversions": ("layer",),
    "device_reads": ("layer",),
    "macs": ("layer",),
}
_FIRST = {"trained": NETWORKS, "mapped": NETWORKS[1:], "treatment": TREATMENTS}
"""Dimensions whose values are the first ones of these."""


@dataclass(frozen=True)
class BinarizedResult:
    """The content of one binarized.nc."""

    path: Path
    attributes: Mapping[str, Any]
    data: xr.Dataset


def write_binarized(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    """Check and write a binarized.nc atomically; raises :class:`InputError`."""
    attributes = {"kind": KIND, "schema": SCHEMA, **attributes}
    _check(path, attributes, data)
    write_groups(path, attributes, {"": data})


def read_binarized(path: Path) -> BinarizedResult:
    """Read and check a binarized.nc; raises :class:`InputError`."""
    attributes, groups = read_groups(Path(path), KIND, SCHEMA)
    if "" not in groups:
        raise InputError(path, "holds no variables")
    _check(path, attributes, groups[""])
    return BinarizedResult(Path(path), attributes, groups[""])


def _check(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    require_attributes(path, "", attributes, ATTRIBUTES)
    for key in _JSON:
        parse_json(str(attributes[key]), f"{path}, attribute {key}")
    parse_device(str(attributes["device_json"]), f"{path}, attribute device_json")
    require_counts(path, attributes, ("parameters", "train_images", "test_images"))
    require(path, "", data, VARIABLES)
    unknown = sorted(set(map(str, data.data_vars)) - set(VARIABLES))
    if unknown:
        raise InputError(path, f"holds the unknown variable {unknown[0]!r}")
    for name, values in _FIRST.items():
        found = [str(value) for value in data[name].to_numpy()] if name in data.coords else []
        if not found or found != list(values[: len(found)]):
            raise InputError(path, f"the coordinate {name} is {found}, expected {list(values)}")
    for name in VARIABLES:
        numbers = np.asarray(data[name].to_numpy(), float)
        if not np.isfinite(numbers).all() or np.any(numbers < 0):
            raise InputError(path, f"{name} holds negative or infinite values, or none")
    tested = int(attributes["test_images"])
    for name in ("digital_correct", "correct"):
        if np.any(data[name].to_numpy() > tested):
            raise InputError(path, f"{name} holds more than the {tested} test images")
    if np.any(data["ratio"].to_numpy() <= 1):
        raise InputError(path, "ratio holds 1 or less; R_OFF lies above R_ON")
