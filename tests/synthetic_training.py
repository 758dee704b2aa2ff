"""A training.nc with LeNet-5's true counts and round statistics, for tests that must not train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.cells import Cells, read_cells
from formats.training import (
    ARITHMETICS,
    BINARY,
    EVALUATIONS,
    OPERANDS,
    PRODUCTS,
    SCALED,
    STATISTICS,
    write_training,
)
from system.bitstream import DEFAULT_RULES, StreamRules

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
MACS = (117_600, 240_000, 48_000, 10_080, 840)
FAN_IN = (25, 150, 400, 120, 84)
INPUT_GRADIENT_FAN_IN = (0, 400, 120, 84, 10)
OUTPUTS = (4_704, 1_600, 120, 84, 10)
INPUTS = (784, 1_176, 400, 120, 84)
WEIGHTS = (150, 2_400, 48_000, 10_080, 840)
BIASES = (6, 16, 120, 84, 10)
PARAMETERS = 61_706
EPOCHS, BATCH, LENGTH = 3, 32, 256
COUNTER = ("sign_magnitude_counter", "sign-magnitude", "exact-counter")
COUNTS = ("macs", "fan_in", "outputs", "a_streams", "b_streams")
CONSTANTS = {"sgd": 1, "momentum": 2}


def lenet5(
    rules: StreamRules = DEFAULT_RULES,
    kind: tuple[str, str, str] = COUNTER,
    streamed: str | None = None,
) -> xr.Dataset:
    """The tables of LeNet-5 on 28 x 28 images, all matrix products on one ``kind`` of MAC.

    ``streamed``: the rule ("sgd", "momentum") whose update runs on streams too, at mean bit
    probabilities of 0.1 and 0.5; None: a binary update.
    """
    shape = (len(LAYERS), len(PRODUCTS))
    tables = {name: np.zeros(shape) for name in COUNTS}
    probability_a, probability_b = np.full(shape, np.nan), np.full(shape, np.nan)
    texts = [np.full(shape, word, object) for word in kind]
    lengths = np.full((EPOCHS, *shape), float(LENGTH))
    for row in range(len(LAYERS)):
        columns = _columns(row, rules)
        if streamed is not None:
            products = CONSTANTS[streamed] * (WEIGHTS[row] + BIASES[row]) / BATCH
            constants = CONSTANTS[streamed] / BATCH
            columns["update"] = (products, 1, products, products, constants, 0.1, 0.5)
        for column, product in enumerate(PRODUCTS):
            if product in columns:
                for name, value in zip(COUNTS, columns[product][:5], strict=True):
                    tables[name][row, column] = value
                probability_a[row, column], probability_b[row, column] = columns[product][5:]
            else:
                lengths[:, row, column] = 0
                for text in texts:
                    text[row, column] = BINARY if product == "update" else ""
    epochs = np.arange(1, EPOCHS + 1)
    accuracy = np.stack([np.stack([0.9 + 0.02 * epochs, 0.89 + 0.02 * epochs])] * 2, axis=1)
    where, curves = ("layer", "product"), ("arithmetic", "seed", "epoch")
    evaluated = np.full((2, 2, len(EVALUATIONS)), np.nan)
    evaluated[0, :, 0], evaluated[1, :, 1] = 960, 950
    cycles = np.zeros((len(LAYERS), len(OPERANDS), len(STATISTICS)))
    cycles[..., 0], cycles[..., 1] = 1e5, 2e5
    return xr.Dataset(
        {
            "accuracy": (curves, accuracy),
            "loss": (curves, 1.0 - accuracy),
            "correct": (("arithmetic", "seed"), [[960, 960], [950, 950]]),
            **{name: (where, values) for name, values in tables.items()},
            "operand_a": (where, probability_a),
            "operand_b": (where, probability_b),
            "writes_per_device": (where, LENGTH * np.nan_to_num(probability_a)),
            **{
                name: (where, text.astype(str))
                for name, text in zip(("mac", "encoding", "adder"), texts, strict=True)
            },
            "stream_length": (("epoch", *where), lengths),
            "evaluated_correct": (("arithmetic", "seed", "evaluation"), evaluated),
            "evaluated_images": (("evaluation",), [1000, 1000, 0]),
            "cycles_per_device": (("layer", "operand", "statistic"), cycles),
            "scale_exponent": (
                ("seed", "layer", "scaled"),
                np.zeros((2, len(LAYERS), len(SCALED))),
            ),
        },
        {
            "arithmetic": list(ARITHMETICS),
            "seed": [0, 1],
            "epoch": epochs,
            "layer": list(LAYERS),
            "product": list(PRODUCTS),
            "operand": list(OPERANDS),
            "scaled": list(SCALED),
            "evaluation": list(EVALUATIONS),
            "statistic": list(STATISTICS),
        },
    )


def _columns(row: int, rules: StreamRules) -> dict[str, tuple[float, ...]]:
    """Counts and probabilities of the matrix products of one layer."""
    macs, inputs, outputs, weights = MACS[row], INPUTS[row], OUTPUTS[row], WEIGHTS[row]
    met = macs if rules.kind == "use" else weights
    columns: dict[str, tuple[float, ...]] = {
        "forward": (macs, FAN_IN[row], outputs, inputs, met, 0.2, 0.1),
        "weight_gradient": (macs, macs / weights, weights, inputs, outputs, 0.2, 0.05),
    }
    if row:
        fan_in = INPUT_GRADIENT_FAN_IN[row]
        columns["input_gradient"] = (macs, fan_in, inputs, outputs, met, 0.05, 0.1)
    return columns


def attributes_for(
    cells: Path | Cells, mac: str | None = None, rules: StreamRules = DEFAULT_RULES
) -> dict[str, Any]:
    """Attributes of a training on a cells.nc with one of its MACs (None: the default one)."""
    content = cells if isinstance(cells, Cells) else read_cells(cells)
    mac = mac or content.attributes["default_mac"]
    return {
        "cells_sha256": content.sha256,
        "mac": mac,
        "signalling": content.mac(mac).attrs["signalling"],
        "stream_life": rules.life_text,
        "sng_sharing": rules.sharing_text,
        "mode": "moments",
        "network": "lenet5",
        "parameters": PARAMETERS,
        "rule": "momentum",
        "optimiser": "SGD, momentum 0.9, rate 0.05",
        "weight_bits": 16,
        "state_bits": 16,
        "gradient_bits": 16,
        "operand_bits": 10,
        "scale_counter_bits": 20,
        "images": "synthetic",
        "images_sha256": "0" * 64,
        "train_images": 4_000,
        "test_images": 1_000,
        "batch_size": BATCH,
        "conditions": "{}",
        "provenance": json.dumps({"stage": "train", "seed": 1}),
    }


def synthetic_training(
    path: Path,
    cells: Path | Cells,
    mac: str | None = None,
    rules: StreamRules = DEFAULT_RULES,
    streamed: str | None = None,
) -> Path:
    """Write the file that belongs to ``cells`` and return its path; see :func:`lenet5`."""
    content = cells if isinstance(cells, Cells) else read_cells(cells)
    attributes = attributes_for(content, mac, rules) | ({"rule": streamed} if streamed else {})
    group = content.mac(str(attributes["mac"]))
    kind = (str(attributes["mac"]), str(group.attrs["encoding"]), str(group.attrs["adder"]))
    write_training(path, attributes, lenet5(rules, kind, streamed))
    return path
