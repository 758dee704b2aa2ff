"""What goes into binarized.nc and binarized.npz."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from devices.binary_states import BinaryStates
from formats.binarized import NETWORKS, TREATMENTS
from system.binarized.injection import Injection
from system.binarized.network import Binarized
from system.binarized.options import BinarizedOptions
from system.binarized.pairs import Count, Pairs, tiles
from system.images import Images
from system.networks import Layer


def dataset(
    losses: Mapping[str, Sequence[float]],
    digital: Sequence[int],
    correct: np.ndarray,
    conditions: Sequence[BinaryStates],
    counts: Sequence[Mapping[str, Count]],
    layers: Sequence[Layer],
    options: BinarizedOptions,
) -> xr.Dataset:
    """The variables of binarized.nc; ``correct`` (networks, treatments, conditions, chips),
    ``counts`` of each chip by layer."""
    none = Count(0, 0, 0)
    by_chip = np.array([[chip.get(layer.name, none) for layer in layers] for chip in counts])
    devices = by_chip[0, :, 0]
    uses = np.array([layer.linear.uses for layer in layers])
    spreads = np.array([states.spreads for states in conditions])
    return xr.Dataset(
        {
            "loss": (("trained", "epoch"), np.array(list(losses.values()))),
            "digital_correct": ("trained", np.array(digital)),
            "correct": (("mapped", "treatment", "condition", "chip"), correct),
            "ratio": ("condition", np.array([states.ratio for states in conditions])),
            "spread_on": ("condition", spreads[:, 0]),
            "spread_off": ("condition", spreads[:, 1]),
            "stuck_on": (("chip", "layer"), by_chip[:, :, 1]),
            "stuck_off": (("chip", "layer"), by_chip[:, :, 2]),
            "devices": ("layer", devices),
            "conversions": ("layer", np.array(conversions(layers, options))),
            "device_reads": ("layer", uses * devices),
            "macs": ("layer", np.array([layer.linear.macs for layer in layers])),
        },
        coords={
            "trained": list(losses),
            "mapped": list(NETWORKS[1 : 1 + correct.shape[0]]),
            "treatment": list(TREATMENTS[: correct.shape[1]]),
            "layer": [layer.name for layer in layers],
        },
    )


def conversions(layers: Sequence[Layer], options: BinarizedOptions) -> list[int]:
    """ADC conversions of each layer for one image: one an output, position, plane and tile.

    Copies are read together. 0 for digital layers.
    """
    found = []
    for index, layer in enumerate(layers):
        planes = options.representations.weights_of(index, len(layers)).plane_count
        taps, outputs = layer.linear.weight_shape
        stacked = len(tiles(taps, options.tile_rows))
        found.append(planes * stacked * outputs * layer.linear.uses)
    return found


def attributes(
    options: BinarizedOptions,
    images: Images,
    layers: Sequence[Layer],
    device: str,
    pairs: Pairs,
    injection: Injection | None,
    record: Mapping[str, Any],
) -> dict[str, Any]:
    """The attributes of binarized.nc, but for the hash of the weights."""
    shared = asdict(pairs)
    del shared["states"]
    forms = ("image", "activations", "first", "weights", "last")
    return {
        "network": options.network,
        "parameters": sum(layer.parameters for layer in layers),
        "images": images.name,
        "images_sha256": images.sha256,
        "train_images": images.train_labels.size,
        "test_images": images.test_labels.size,
        "calibration_images": options.calibrate,
        "representations": json.dumps({name: getattr(options, name) for name in forms}),
        "chip": json.dumps(shared),
        "device_json": device,
        "aware": json.dumps(None if injection is None else asdict(injection)),
        "provenance": json.dumps(record),
    }


def weights(models: Mapping[str, Binarized]) -> dict[str, np.ndarray]:
    """Arrays by network, layer and name; weights are the latent ones."""
    found: dict[str, np.ndarray] = {}
    for name, model in models.items():
        for layer in model.layers:
            norm = model.norms[layer.name]
            parts = {
                "weight": layer.weight,
                "bias": layer.bias,
                "gain": norm.gain,
                "mean": norm.mean,
                "variance": norm.variance,
            }
            found |= {f"{name}/{layer.name}/{key}": np.asarray(v) for key, v in parts.items()}
    return found
