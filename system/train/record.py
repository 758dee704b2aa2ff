"""The content of training.nc: what was learned, and what one image asks of the hardware."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from formats.cells import Cells
from formats.training import ARITHMETICS, PRODUCTS
from system.arithmetic import Arithmetic, Generators, Linear
from system.images import Images
from system.networks import LAYERS, linear_layers, parameter_count
from system.train.learning import Learned
from system.train.optimiser import describe
from system.train.options import TrainOptions
from system.train.score import Scored

_DERIVED = "derived: from the shapes of the network's layers"
_SIMULATED = "simulated: training run"


def dataset(
    runs: Mapping[str, Sequence[Learned]],
    scores: Sequence[Scored],
    options: TrainOptions,
    images: Images,
    generators: Generators,
) -> xr.Dataset:
    """All variables of training.nc.

    ``runs`` maps "float" and "sc" to one run for each seed, ``scores`` holds the exact score of
    each seed, or nothing.
    """

    def of_epochs(value: str, scale: float) -> np.ndarray:
        rows = [
            [[getattr(epoch, value) * scale for epoch in run.epochs] for run in runs[name]]
            for name in ARITHMETICS
        ]
        array = np.asarray(rows, float)
        return np.where(np.isfinite(array), array, np.nan)

    by_epoch = ("arithmetic", "seed", "epoch")
    total = images.test_labels.size
    variables = {
        "accuracy": _variable(
            by_epoch, of_epochs("correct", 1 / total), "1", _SIMULATED, "test accuracy after epoch"
        ),
        "loss": _variable(
            by_epoch,
            of_epochs("loss", 1.0),
            "nat",
            _SIMULATED,
            "mean cross-entropy over the epoch's training steps (NaN: diverged)",
        ),
        "correct": _variable(
            ("arithmetic", "seed"),
            [[run.correct for run in runs[name]] for name in ARITHMETICS],
            "images",
            _SIMULATED,
            f"test images of {total} that are right after the last epoch",
        ),
    }
    probabilities = np.mean([run.bit_probabilities for run in runs["sc"]], axis=0)
    variables |= demand(linear_layers(images.classes), probabilities, options, generators)
    if scores:
        variables |= _exact(scores)
    coordinates = {
        "arithmetic": list(ARITHMETICS),
        "seed": options.seed + np.arange(options.seeds),
        "epoch": np.arange(options.epochs),
        "layer": list(LAYERS),
        "product": list(PRODUCTS),
    }
    return xr.Dataset(variables, coordinates)


def attributes(
    cells: Cells,
    mac: str,
    arithmetic: Arithmetic,
    mode: str,
    exact_images: int,
    options: TrainOptions,
    images: Images,
    record: Any,
) -> dict[str, Any]:
    """The global attributes of training.nc.

    ``mode`` is the one the stochastic runs took, ``exact_images`` on how many test images they were
    scored bit by bit besides.
    """
    return {
        "cells_sha256": cells.sha256,
        "mac": mac,
        "encoding": arithmetic.encoding,
        "adder": arithmetic.adder,
        "signalling": cells.mac(mac).attrs["signalling"],
        "stream_length": options.stream_length,
        "stream_life": options.rules.life_text,
        "sng_sharing": options.rules.sharing_text,
        "mode": mode,
        "exact_images": exact_images,
        "network": "lenet5",
        "parameters": parameter_count(images.classes),
        "optimiser": describe(),
        "images": images.name,
        "images_sha256": images.sha256,
        "train_images": images.train_labels.size,
        "test_images": images.test_labels.size,
        "batch_size": options.batch_size,
        "provenance": json.dumps(record, sort_keys=True),
    }


def weights(runs: Mapping[str, Sequence[Learned]], options: TrainOptions) -> dict[str, np.ndarray]:
    """Named arrays "float.seed1.conv1.weight" of every run, weights as (taps, outputs)."""
    arrays = {}
    for name in ARITHMETICS:
        for index, run in enumerate(runs[name]):
            for layer_name, layer in zip(LAYERS, run.network.layers, strict=True):
                start = f"{name}.seed{options.seed + index}.{layer_name}"
                arrays[f"{start}.weight"] = np.asarray(layer.weight)
                arrays[f"{start}.bias"] = np.asarray(layer.bias)
    return arrays


def _exact(scores: Sequence[Scored]) -> dict[str, xr.Variable]:
    """The networks trained by moments, scored bit by bit."""
    images = scores[0].exact.size
    columns = {
        "accuracy_exact": (
            [float(score.exact.mean()) for score in scores],
            "1",
            f"bit-exact test accuracy after the last epoch, on {images} images",
        ),
        "only_exact_right": (
            [score.only_exact for score in scores],
            "images",
            "images right bit by bit but not by the moments",
        ),
        "only_moments_right": (
            [score.only_moments for score in scores],
            "images",
            "images right by the moments but not bit by bit",
        ),
    }
    return {
        name: _variable(("seed",), values, units, "simulated: every bit of every stream", text)
        for name, (values, units, text) in columns.items()
    }


def demand(
    layers: Sequence[Linear],
    probabilities: np.ndarray,
    options: TrainOptions,
    generators: Generators,
) -> dict[str, xr.Variable]:
    """What one image asks of the hardware. The update is binary: its column is zero throughout.

    The stream rules say how many streams of weights an image meets, and how many of them a device
    makes for it.
    """
    rules = options.rules
    made = np.ones((len(layers), len(PRODUCTS)))  # streams a device makes for an image
    columns = ("macs", "fan_in", "outputs", "a_streams", "b_streams", "operand_a", "operand_b")
    table = {name: np.zeros((len(layers), len(PRODUCTS))) for name in columns}
    for index, linear in enumerate(layers):
        shapes = (linear.input_shape, linear.weight_shape, linear.output_shape)
        (inputs, parameters, outputs), (p_x, p_w, p_d) = (
            map(math.prod, shapes),
            probabilities[index],
        )
        weights = rules.streams(parameters, linear.uses)
        made[index, :2] = rules.made_per_image(options.batch_size) * rules.turns(parameters)
        rows = [
            (linear.fan_ins[0], outputs, inputs, weights, p_x, p_w),
            (linear.fan_ins[1], inputs, outputs, weights, p_d, p_w),
            (linear.fan_ins[2], parameters, inputs, outputs, p_x, p_d),
        ]
        for column, row in enumerate(rows):
            if index == 0 and PRODUCTS[column] == "input_gradient":
                continue
            for name, value in zip(columns, (linear.macs, *row), strict=True):
                table[name][index, column] = value
    events = np.vectorize(generators.read_out.set_events, otypes=[float])(table["operand_b"])
    table["writes_per_device"] = np.where(
        table["macs"] > 0, options.stream_length * events * made, 0.0
    )
    texts = {
        "macs": ("1", _DERIVED, "products per image, each of stream_length bits"),
        "fan_in": ("1", _DERIVED, "largest number of products summed into one output"),
        "outputs": ("1", _DERIVED, "sums per image"),
        "a_streams": (
            "1",
            _DERIVED,
            "streams of operand a (activation, error, activation) that one image meets",
        ),
        "b_streams": (
            "1",
            _DERIVED,
            "streams of operand b (weight, weight, error) that one image meets",
        ),
        "operand_a": ("1", _SIMULATED, "mean P(bit = 1) of operand a over the last epoch"),
        "operand_b": ("1", _SIMULATED, "mean P(bit = 1) of operand b over the last epoch"),
        "writes_per_device": (
            "1",
            "derived: stream_length x pi x Pr at the mean operand b x streams a device makes",
            "SET events per image on a generator of operand b, by stream_life and sng_sharing",
        ),
    }
    return {
        name: _variable(("layer", "product"), values, *texts[name])
        for name, values in table.items()
    }


def _variable(
    dimensions: tuple[str, ...], values: Any, units: str, source: str, long_name: str
) -> xr.Variable:
    details = {"units": units, "source": source, "long_name": long_name}
    return xr.Variable(dimensions, np.asarray(values), details)
