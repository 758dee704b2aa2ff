"""training.nc and weights.npz: what the network learned, and what it asked of the hardware.

Operand statistics are per image and per (layer, product); a stream belongs to (operand, product,
image). ``operand_a`` and ``operand_b`` are mean bit probabilities, ``a_streams`` and ``b_streams``
the streams that one image meets, ``macs`` the products of one image, each of ``stream_length``
bits. The attributes ``stream_life`` and ``sng_sharing`` say whose streams the weights' are, in the
words of system/bitstream/ownership.py, ``mode`` how the stochastic runs were computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.atomic import replacing
from formats.errors import InputError
from formats.netcdf import read_groups, require, require_attributes, write_groups

KIND = "stochram training"
ARITHMETICS = ("float", "sc")
PRODUCTS = ("forward", "input_gradient", "weight_gradient", "update")
MODES = ("moments", "exact")
"""Computed from the moments of the streams, or bit by bit."""
ATTRIBUTES = (
    "cells_sha256",
    "mac",
    "encoding",
    "adder",
    "signalling",
    "stream_length",
    "stream_life",
    "sng_sharing",
    "mode",
    "exact_images",
    "network",
    "parameters",
    "optimiser",
    "images",
    "images_sha256",
    "train_images",
    "test_images",
    "batch_size",
    "provenance",
)
VARIABLES: dict[str, tuple[str, ...]] = {
    "accuracy": ("arithmetic", "seed", "epoch"),
    "loss": ("arithmetic", "seed", "epoch"),
    "correct": ("arithmetic", "seed"),
    "macs": ("layer", "product"),
    "fan_in": ("layer", "product"),
    "outputs": ("layer", "product"),
    "a_streams": ("layer", "product"),
    "b_streams": ("layer", "product"),
    "operand_a": ("layer", "product"),
    "operand_b": ("layer", "product"),
    "writes_per_device": ("layer", "product"),
}

EXACT_VARIABLES: dict[str, tuple[str, ...]] = {
    "accuracy_exact": ("seed",),
    "only_exact_right": ("seed",),
    "only_moments_right": ("seed",),
}
"""There where ``exact_images`` is above 0: the networks trained by moments, scored bit by bit on so
many of the test images, beside the moments on the same ones."""


@dataclass(frozen=True)
class Training:
    """The content of one training.nc."""

    path: Path
    attributes: Mapping[str, Any]
    data: xr.Dataset


def write_training(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    """Check and write a training.nc atomically."""
    attributes = {"kind": KIND, "schema": 1, **attributes}
    _check(path, attributes, data)
    write_groups(path, attributes, {"": data})


def read_training(path: Path) -> Training:
    """Read and check a training.nc; raises :class:`InputError`."""
    attributes, groups = read_groups(Path(path), KIND)
    if "" not in groups:
        raise InputError(path, "holds no variables")
    data = groups[""]
    _check(path, attributes, data)
    return Training(Path(path), attributes, data)


def write_weights(path: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as .npz (no pickle) atomically."""
    with replacing(path) as temporary, temporary.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **dict(weights))


def _check(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    require_attributes(path, "", attributes, ATTRIBUTES)
    if str(attributes["mode"]) not in MODES:
        raise InputError(
            f"{path}, attribute mode", f"{attributes['mode']!r}: expected {' or '.join(MODES)}"
        )
    variables = VARIABLES
    if attributes["exact_images"]:
        variables = VARIABLES | EXACT_VARIABLES
    require(path, "", data, variables)
    for name in variables:
        values = data[name].to_numpy()
        if np.any(np.isinf(values)) or np.any(values[~np.isnan(values)] < 0):
            raise InputError(path, f"{name} holds negative or infinite values")
