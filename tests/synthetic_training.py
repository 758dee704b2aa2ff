"""A training.nc with LeNet-5's true counts and round statistics, for tests that must not train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.cells import read_cells
from formats.training import ARITHMETICS, PRODUCTS, write_training
from system.bitstream import DEFAULT_RULES, StreamRules

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
MACS = (117_600, 240_000, 48_000, 10_080, 840)
FAN_IN = (25, 150, 400, 120, 84)
INPUT_GRADIENT_FAN_IN = (0, 400, 120, 84, 10)
OUTPUTS = (4_704, 1_600, 120, 84, 10)
INPUTS = (784, 1_176, 400, 120, 84)
WEIGHTS = (150, 2_400, 48_000, 10_080, 840)
PARAMETERS = 61_706


def lenet5(rules: StreamRules = DEFAULT_RULES) -> xr.Dataset:
    """The tables of LeNet-5 on 28 x 28 images."""
    tables = {
        name: np.zeros((len(LAYERS), len(PRODUCTS)))
        for name in ("macs", "fan_in", "outputs", "a_streams", "b_streams")
    }
    probability_a = np.full((len(LAYERS), len(PRODUCTS)), np.nan)
    probability_b = probability_a.copy()
    for row in range(len(LAYERS)):
        macs, inputs, outputs, weights = MACS[row], INPUTS[row], OUTPUTS[row], WEIGHTS[row]
        met = macs if rules.kind == "use" else weights
        columns = {
            "forward": (macs, FAN_IN[row], outputs, inputs, met, 0.2, 0.1),
            "input_gradient": (
                macs,
                INPUT_GRADIENT_FAN_IN[row],
                inputs,
                outputs,
                met,
                0.05,
                0.1,
            ),
            "weight_gradient": (macs, macs / weights, weights, inputs, outputs, 0.2, 0.05),
            "update": (0, 0, 0, 0, 0, np.nan, np.nan),
        }
        if row == 0:
            columns["input_gradient"] = (0, 0, 0, 0, 0, np.nan, np.nan)
        for product, values in columns.items():
            column = PRODUCTS.index(product)
            for name, value in zip(tables, values[:5], strict=True):
                tables[name][row, column] = np.ceil(value)
            probability_a[row, column], probability_b[row, column] = values[5:]
    epochs = np.arange(1, 4)
    accuracy = np.stack([np.stack([0.9 + 0.02 * epochs, 0.89 + 0.02 * epochs])] * 2, axis=1)
    where = ("layer", "product")
    curves = ("arithmetic", "seed", "epoch")
    return xr.Dataset(
        {
            "accuracy": (curves, accuracy),
            "loss": (curves, 1.0 - accuracy),
            "correct": (("arithmetic", "seed"), [[960, 960], [950, 950]]),
            **{name: (where, values) for name, values in tables.items()},
            "operand_a": (where, probability_a),
            "operand_b": (where, probability_b),
            "writes_per_device": (where, 256 * np.nan_to_num(probability_a)),
        },
        {
            "arithmetic": list(ARITHMETICS),
            "seed": [0, 1],
            "epoch": epochs,
            "layer": list(LAYERS),
            "product": list(PRODUCTS),
        },
    )


def attributes_for(
    cells: Path, mac: str | None = None, rules: StreamRules = DEFAULT_RULES
) -> dict[str, Any]:
    """Attributes of a training on a cells.nc with one of its MACs (None: the default one)."""
    content = read_cells(cells)
    mac = mac or content.attributes["default_mac"]
    group = content.mac(mac)
    return {
        "cells_sha256": content.sha256,
        "mac": mac,
        "encoding": group.attrs["encoding"],
        "adder": group.attrs["adder"],
        "signalling": group.attrs["signalling"],
        "stream_length": 256,
        "stream_life": rules.life_text,
        "sng_sharing": rules.sharing_text,
        "mode": "moments",
        "exact_images": 0,
        "network": "lenet5",
        "parameters": PARAMETERS,
        "optimiser": "SGD, momentum 0.9, rate 0.05",
        "images": "synthetic",
        "images_sha256": "0" * 64,
        "train_images": 4_000,
        "test_images": 1_000,
        "batch_size": 32,
        "provenance": json.dumps({"stage": "train", "seed": 1}),
    }


def synthetic_training(
    path: Path, cells: Path, mac: str | None = None, rules: StreamRules = DEFAULT_RULES
) -> Path:
    """Write the file that belongs to ``cells`` and return its path."""
    write_training(path, attributes_for(cells, mac, rules), lenet5(rules))
    return path
