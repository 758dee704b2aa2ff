"""training.nc and weights.npz: what the network learned, and what it asked of the hardware.

*Products.* Operand statistics are per image and per (layer, product); a stream belongs to (operand,
product, image). ``macs`` are the products of one image, ``fan_in`` the products summed to one
output, ``outputs`` the sums; ``a_streams`` and ``b_streams`` the numbers of each operand that one
image meets (a stream each), ``operand_a`` and ``operand_b`` their mean bit probabilities (NaN where
nothing runs on streams). ``mac`` is the MAC group of cells.nc that a product runs on, ``encoding``
and ``adder`` its words, ``stream_length`` its bits in each epoch. All three texts are ``BINARY``
for a product in plain arithmetic (length 0; its counts of products, outputs and numbers stand as if
it ran on streams), and "" where the layer has no such product, whose counts are 0. A layer has the
same kind of MAC in all epochs.

*The update* on streams makes 1 product per parameter (SGD) or 2 (momentum) once a batch, so its
``macs``, ``outputs`` and ``a_streams`` are 1 or 2 x parameters of the layer / ``batch_size``, its
``fan_in`` 1, its ``b_streams`` (streams of the constants, shared by the layer) 1 or 2 /
``batch_size``. Where the update is ``BINARY`` these are 0; ``rule`` says what it computes.

*Wear.* ``cycles_per_device`` are the SET + RESET cycles that the whole SC run put on a device that
makes streams of this operand, mean over the seeds of the mean and of the most used one of the
layer; 0 where the operand meets no stream. ``cycles_by_rank``, where it is there, are the means
over classes of these devices by rank, the least used first; a class holds ``rank_share`` of them.
``scale_exponent`` is the last power of two of each
tensor's scale; NaN where it has none.

*Scores.* ``evaluated_correct`` are the images that the last networks get right, evaluated in each
arithmetic of ``EVALUATIONS`` on ``evaluated_images`` of the test images (NaN and 0: not done).

*Worn devices*, where it was asked for: ``worn_correct`` are the images of ``worn_images`` that the
last SC networks get right if a share ``worn_share`` of all SNGs stays in one state (the first share
is 0: none does).

The attributes ``stream_life`` and ``sng_sharing`` say whose streams the weights' are, in the words
of system/bitstream/ownership.py, ``mode`` how the stochastic runs were computed (``float``: trained
in floating point and mapped to streams afterwards). ``weight_bits``, ``state_bits``,
``gradient_bits`` and ``operand_bits`` are the widths of the registers that hold weights, optimiser
state, gradient sums and the magnitudes that an SNG is set to; ``scale_counter_bits`` that of the
counters that move the scales.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.atomic import replacing
from formats.errors import InputError
from formats.netcdf import (
    read_groups,
    require,
    require_attributes,
    require_counts,
    require_json,
    write_groups,
)

KIND = "stochram training"
SCHEMA = 2
ARITHMETICS = ("float", "sc")
PRODUCTS = ("forward", "input_gradient", "weight_gradient", "update")
OPERANDS = ("x", "w", "d")
"""Activations, weights and errors of a layer: the tensors whose generators' wear is recorded."""
SCALED = ("x", "w", "d", "m", "bias", "bias_m")
"""The tensors of a layer with a scale: also the update's memory (of the momentum, or the gradient
itself), the biases, and their memory."""
EVALUATIONS = ("float", "moments", "exact")
STATISTICS = ("mean", "max")
STUCK = ("hrs", "lrs")
"""States in which worn devices stay: the stored bit is always 0, always 1."""
MODES = ("moments", "exact", "float")
"""Computed from the moments of the streams, bit by bit, or in floating point and mapped after."""
RULES = ("sgd", "momentum", "adam")
BINARY = "binary"
"""The ``mac``, ``encoding`` and ``adder`` of a product in plain arithmetic."""
WIDTHS = ("weight_bits", "state_bits", "gradient_bits", "operand_bits", "scale_counter_bits")
ATTRIBUTES = (
    "cells_sha256",
    "mac",
    "signalling",
    "stream_life",
    "sng_sharing",
    "mode",
    "network",
    "parameters",
    "rule",
    "optimiser",
    *WIDTHS,
    "images",
    "images_sha256",
    "train_images",
    "test_images",
    "batch_size",
    "conditions",
    "provenance",
)
_WHERE = ("layer", "product")
VARIABLES: dict[str, tuple[str, ...]] = {
    "accuracy": ("arithmetic", "seed", "epoch"),
    "loss": ("arithmetic", "seed", "epoch"),
    "correct": ("arithmetic", "seed"),
    "macs": _WHERE,
    "fan_in": _WHERE,
    "outputs": _WHERE,
    "a_streams": _WHERE,
    "b_streams": _WHERE,
    "operand_a": _WHERE,
    "operand_b": _WHERE,
    "writes_per_device": _WHERE,
    "mac": _WHERE,
    "encoding": _WHERE,
    "adder": _WHERE,
    "stream_length": ("epoch", *_WHERE),
    "evaluated_correct": ("arithmetic", "seed", "evaluation"),
    "evaluated_images": ("evaluation",),
    "cycles_per_device": ("layer", "operand", "statistic"),
    "scale_exponent": ("seed", "layer", "scaled"),
}
COORDINATES: dict[str, tuple[str, ...]] = {
    "arithmetic": ARITHMETICS,
    "product": PRODUCTS,
    "operand": OPERANDS,
    "scaled": SCALED,
    "evaluation": EVALUATIONS,
    "statistic": STATISTICS,
}
"""The values of the dimensions that have fixed ones, in this order."""
PAIRED_VARIABLES: dict[str, tuple[str, ...]] = {
    "only_exact_right": ("seed",),
    "only_moments_right": ("seed",),
}
"""There, both, where the SC networks were scored bit by bit beside the moments: of the
``evaluated_images`` of "exact", how many only one of the two gets right."""
STAGE_VARIABLES: dict[str, tuple[str, ...]] = {
    "stage_length": ("stage",),
    "stage_reached": ("stage",),
    "stage_correct": ("stage",),
    "stage_images": ("stage",),
}
"""There, all, for an inference of progressive precision: bits of a stage's streams, images that ran
it, and images that were decided in it with how many of those are right."""
RANK_VARIABLES: dict[str, tuple[str, ...]] = {
    "cycles_by_rank": ("layer", "operand", "rank"),
    "rank_share": ("rank",),
}
"""There, both, where use is known by rank and not only by ``STATISTICS``."""
WORN_VARIABLES: dict[str, tuple[str, ...]] = {
    "worn_share": ("worn",),
    "worn_correct": ("seed", "worn", "stuck"),
    "worn_images": (),
}
"""There, all, where the last networks were evaluated with worn devices."""
_OPTIONAL = (PAIRED_VARIABLES, STAGE_VARIABLES, RANK_VARIABLES, WORN_VARIABLES)

_TEXTS = ("mac", "encoding", "adder")
_WHOLE = ("parameters", "train_images", "test_images", "batch_size")
_SIGNED = ("scale_exponent",)
_COUNTS = ("macs", "fan_in", "outputs", "a_streams", "b_streams")


@dataclass(frozen=True)
class Training:
    """The content of one training.nc."""

    path: Path
    attributes: Mapping[str, Any]
    data: xr.Dataset

    @property
    def conditions(self) -> dict[str, Any]:
        """What the run assumed beyond the options: temperature, corner, what-ifs, calibration."""
        return dict(json.loads(str(self.attributes["conditions"])))


def write_training(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    """Check and write a training.nc atomically; raises :class:`InputError`."""
    attributes = {"kind": KIND, "schema": SCHEMA, **attributes}
    _check(path, attributes, data)
    write_groups(path, attributes, {"": data})


def read_training(path: Path) -> Training:
    """Read and check a training.nc; raises :class:`InputError`."""
    attributes, groups = read_groups(Path(path), KIND, SCHEMA)
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
    for key, known in (("mode", MODES), ("rule", RULES)):
        if str(attributes[key]) not in known:
            raise InputError(
                f"{path}, attribute {key}", f"{attributes[key]!r}: expected {' or '.join(known)}"
            )
    require_json(path, attributes, ("conditions", "provenance"))
    require_counts(path, attributes, _WHOLE)
    variables = dict(VARIABLES)
    for group in _OPTIONAL:
        if any(name in data for name in group):
            variables |= group
    require(path, "", data, variables, _TEXTS)
    coordinates = COORDINATES | ({"stuck": STUCK} if "worn_correct" in variables else {})
    for name, values in coordinates.items():
        found = [str(value) for value in data[name].to_numpy()] if name in data.coords else []
        if found != list(values):
            raise InputError(path, f"the coordinate {name} is {found}, expected {list(values)}")
    for name in variables:
        if name not in _TEXTS:
            numbers = np.asarray(data[name].to_numpy(), float)
            negative = name not in _SIGNED and bool(np.any(numbers[~np.isnan(numbers)] < 0))
            if negative or np.any(np.isinf(numbers)):
                raise InputError(path, f"{name} holds negative or infinite values")
    _check_products(path, data)
    if "rank_share" in variables:
        shares = np.asarray(data["rank_share"].to_numpy(), float)
        if not abs(shares.sum() - 1) < 1e-9:
            raise InputError(path, f"rank_share adds up to {shares.sum():g}; expected 1")
    if "worn_share" in variables and not np.all(data["worn_share"].to_numpy() <= 1):
        raise InputError(path, "worn_share holds more than 1; expected shares of the SNGs")


def _check_products(path: Path, data: xr.Dataset) -> None:
    """Counts, lengths and the three texts of every (layer, product) say the same."""
    texts = {name: data[name].to_numpy() for name in _TEXTS}
    counts = {name: np.asarray(data[name].to_numpy(), float) for name in _COUNTS}
    lengths = np.asarray(data["stream_length"].to_numpy(), float)
    for row, layer in enumerate(data["layer"].to_numpy()):
        for column, product in enumerate(PRODUCTS):
            where = f"{path}, {layer}/{product}"
            mac, *words = (str(texts[name][row, column]) for name in _TEXTS)
            on_streams = mac not in ("", BINARY)
            if any((word == mac) == on_streams for word in words):
                raise InputError(where, f"mac is {mac!r}, but encoding and adder are {words}")
            here = lengths[:, row, column]
            if np.any(np.isnan(here)) or np.any((here > 0) != on_streams):
                raise InputError(
                    where, f"mac is {mac!r}, but stream_length is {here.tolist()} in the epochs"
                )
            runs = on_streams or (mac == BINARY and product != "update")
            for name in _COUNTS:
                count = float(counts[name][row, column])
                if not (count > 0 if runs else count == 0):
                    raise InputError(
                        where,
                        f"mac is {mac!r}, but {name} is {count:g}; expected "
                        f"{'a number above 0' if runs else '0'}",
                    )
