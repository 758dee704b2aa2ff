"""A small synapses.nc and binarized.nc with round numbers; nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

from devices.synapse import PRESETS
from formats.binarized import TREATMENTS, write_binarized
from formats.synapse_training import write_synapse_training

DEVICES, POSITIONS = np.array([200.0, 8.0, 24.0, 4.0]), np.array([9.0, 9.0, 1.0, 1.0])
"""Two layers on pairs: 25 x 4 weights and 4 biases at 9 positions, 6 x 2 and 2 at one."""
OUTPUTS = np.array([4.0, 0.0, 2.0, 0.0])
CONDUCTANCE = np.array([1e-6, 2e-6, 3e-6, 4e-6])
FIRST, PULSES, MOST = (
    np.array(values)
    for values in ([16.0, 15.0, 14.0, 13.0], [2.0, 4.0, 1.0, 3.0], [50.0, 40.0, 30.0, 20.0])
)
IMAGES, EPOCHS = 100, 2


def synapses(path: Path) -> Path:
    """A synapses.nc of two seeds."""
    runs = ("arithmetic", "seed")
    by_crossbar = {
        "devices": DEVICES,
        "reads": DEVICES * POSITIONS,
        "sums": OUTPUTS * POSITIONS,
        "conductance": CONDUCTANCE,
        "span": np.ones(4),
        "first_pulses": FIRST,
        "pulses": PULSES,
        "most_pulses": MOST,
        "potentiated": np.full(4, 0.5),
        "at_end": np.full(4, 0.1),
    }
    data = xr.Dataset(
        {
            "accuracy": ((*runs, "epoch"), [[[0.8, 0.9]] * 2, [[0.7, 0.85]] * 2]),
            "loss": ((*runs, "epoch"), np.full((2, 2, EPOCHS), 0.3)),
            "correct": (runs, [[450, 460], [430, 420]]),
            "strength": (("corruption", "step"), [[0.1, 0.2], [1.0, 2.0]]),
            "corrupted_correct": ((*runs, "corruption", "step"), np.full((2, 2, 2, 2), 364)),
            **{name: ("crossbar", values) for name, values in by_crossbar.items()},
        },
        coords={
            "arithmetic": ["float", "synapses"],
            "seed": [1, 2],
            "epoch": [0, 1],
            "corruption": ["gaussian", "blur"],
            "crossbar": ["conv.weight", "conv.bias", "out.weight", "out.bias"],
        },
    )
    preset = next(iter(PRESETS.values()))
    synapse = preset()
    about = {
        "synapse": json.dumps({**synapse.to_dict(), "provenance": {}}),
        "network": "small",
        "parameters": 118,
        "cells": "pair",
        "rule": "gradient",
        "rate": 0.1,
        "stream_bits": 0,
        "recentre": 0,
        "images": "drawn",
        "images_sha256": "0" * 64,
        "train_images": IMAGES,
        "test_images": 500,
        "batch_size": 10,
        "conductances_sha256": "0" * 64,
        "source": "simulated: for a test",
        "provenance": "{}",
    }
    write_synapse_training(path, about, data)
    return path


def binarized(path: Path, device: str) -> Path:
    """A binarized.nc with one layer on devices and a digital one, two chips of two states."""
    correct = np.array([[[[400, 410], [300, 320]], [[440, 430], [400, 390]]]])
    data = xr.Dataset(
        {
            "loss": (("trained", "epoch"), np.full((2, 1), 0.2)),
            "digital_correct": ("trained", [480, 470]),
            "correct": (("mapped", "treatment", "condition", "chip"), correct),
            "ratio": ("condition", [10.0, 10.0]),
            "spread_on": ("condition", [0.3, 0.6]),
            "spread_off": ("condition", [0.4, 0.6]),
            "stuck_on": (("chip", "layer"), np.zeros((2, 2))),
            "stuck_off": (("chip", "layer"), np.zeros((2, 2))),
            "devices": ("layer", [200, 0]),
            "conversions": ("layer", [72, 0]),
            "device_reads": ("layer", [1800, 0]),
            "macs": ("layer", [900, 12]),
        },
        coords={
            "trained": ["float", "bnn"],
            "mapped": ["bnn"],
            "treatment": list(TREATMENTS[:2]),
            "layer": ["conv", "out"],
        },
    )
    chip = {"mapping": "differential", "tile_rows": 128, "tile_columns": 128, "adc_bits": 6}
    about = {
        "network": "small",
        "parameters": 118,
        "images": "drawn",
        "images_sha256": "0" * 64,
        "train_images": IMAGES,
        "test_images": 500,
        "calibration_images": 10,
        "representations": "{}",
        "chip": json.dumps(chip),
        "device_json": device,
        "aware": "null",
        "weights_sha256": "0" * 64,
        "provenance": "{}",
    }
    write_binarized(path, about, data)
    return path
