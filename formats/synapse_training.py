"""synapses.nc and conductances.npz: a network trained on synapses beside one in floating point.

``accuracy`` and ``loss`` are by epoch, ``correct`` the images of ``test_images`` that the last
networks get right, ``corrupted_correct`` those of the same images spoilt with each ``strength`` of
each ``corruption``. ``devices`` are those of a crossbar (the weights or biases of a layer),
``reads`` the device reads of one image (devices x positions), ``sums`` the outputs that weights
have in an image (0 for biases, which add to these), ``conductance`` (S) the mean of the devices at
last, ``span`` the weight of its full range, ``first_pulses`` and ``pulses`` the mean number on a
device by programming the first weights and by training, ``most_pulses`` that on the most used one
(first programming included), ``potentiated`` the share of training's pulses that potentiate,
``at_end`` the share of devices within half a step of an end state at last; means over the seeds.

The attribute ``synapse`` is the text of the synapse.json that was used, what-ifs included.
conductances.npz holds for each seed, crossbar and device of a weight the last conductances (S), the
end states (S) and the pulses: ``seed1/conv1.weight/0/conductance``, ``.../low``, ``.../high``,
``.../pulses``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.errors import InputError
from formats.netcdf import (
    read_groups,
    require,
    require_attributes,
    require_counts,
    require_json,
    write_groups,
)
from formats.synapse import parse_synapse

KIND, SCHEMA = "stochram synapse training", 1
ARITHMETICS = ("float", "synapses")
ATTRIBUTES = (
    "synapse",
    "network",
    "parameters",
    "cells",
    "rule",
    "rate",
    "stream_bits",
    "recentre",
    "images",
    "images_sha256",
    "train_images",
    "test_images",
    "batch_size",
    "conductances_sha256",
    "source",
    "provenance",
)
_BY_CROSSBAR = (
    "devices",
    "reads",
    "sums",
    "conductance",
    "span",
    "first_pulses",
    "pulses",
    "most_pulses",
    "potentiated",
    "at_end",
)
VARIABLES: dict[str, tuple[str, ...]] = {
    "accuracy": ("arithmetic", "seed", "epoch"),
    "loss": ("arithmetic", "seed", "epoch"),
    "correct": ("arithmetic", "seed"),
    "strength": ("corruption", "step"),
    "corrupted_correct": ("arithmetic", "seed", "corruption", "step"),
    **dict.fromkeys(_BY_CROSSBAR, ("crossbar",)),
}


@dataclass(frozen=True)
class SynapseTraining:
    """The content of one synapses.nc."""

    path: Path
    attributes: Mapping[str, Any]
    data: xr.Dataset

    @property
    def synapse(self) -> dict[str, Any]:
        """The content of the synapse.json."""
        return parse_synapse(str(self.attributes["synapse"]), f"{self.path}, attribute synapse")


def write_synapse_training(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    """Check and write a synapses.nc atomically; raises :class:`InputError`."""
    attributes = {"kind": KIND, "schema": SCHEMA, **attributes}
    _check(path, attributes, data)
    write_groups(path, attributes, {"": data})


def read_synapse_training(path: Path) -> SynapseTraining:
    """Read and check a synapses.nc; raises :class:`InputError`."""
    attributes, groups = read_groups(Path(path), KIND, SCHEMA)
    if "" not in groups:
        raise InputError(path, "holds no variables")
    _check(path, attributes, groups[""])
    return SynapseTraining(Path(path), attributes, groups[""])


def _check(path: Path, attributes: Mapping[str, Any], data: xr.Dataset) -> None:
    require_attributes(path, "", attributes, ATTRIBUTES)
    require(path, "", data, VARIABLES)
    require_json(path, attributes, ("provenance",))
    require_counts(path, attributes, ("parameters", "train_images", "test_images", "batch_size"))
    found = tuple(str(name) for name in np.atleast_1d(data["arithmetic"].values))
    if found != ARITHMETICS:
        raise InputError(path, f"has the arithmetics {found}, expected {ARITHMETICS}")
    unknown = sorted(set(map(str, data.data_vars)) - set(VARIABLES))
    if unknown:
        raise InputError(path, f"holds the unknown variable {unknown[0]!r}")
    parse_synapse(str(attributes["synapse"]), f"{path}, attribute synapse")
