"""Refuses a cells.nc and a training.nc that do not describe the same hardware."""

from __future__ import annotations

import numpy as np

from formats.cells import Cells
from formats.errors import InputError
from formats.training import BINARY, PRODUCTS, Training
from system.architecture import Architecture
from system.budget.reading import stream_rules

WORDS = ("encoding", "adder")


def check_pair(cells: Cells, training: Training, accept_edited_cells: bool) -> str | None:
    """Return a warning for accepted edited cells, None for a pair that fits.

    Raises :class:`InputError` where the training was made from another cells.nc (unless
    ``accept_edited_cells``), where a MAC it used differs from the one costed, or where the
    generators of cells.nc, which are devices, cannot share as its streams did.
    """
    attributes = training.attributes
    _check_mac(cells, training, "the file", {"mac": str(attributes["mac"])})
    tables = {name: training.data[name].to_numpy() for name in ("mac", *WORDS)}
    for row, layer in enumerate(training.data["layer"].to_numpy()):
        for column, product in enumerate(PRODUCTS):
            words = {name: str(table[row, column]) for name, table in tables.items()}
            if words["mac"] not in ("", BINARY):
                _check_mac(cells, training, f"{layer}/{product}", words)
    refusal = stream_rules(training).refused_by_devices
    if refusal is not None:
        raise InputError(f"{training.path}, attribute sng_sharing", refusal)
    if str(attributes["cells_sha256"]) == cells.sha256:
        return None
    if not accept_edited_cells:
        raise InputError(
            training.path,
            f"was made from another cells.nc than {cells.path.name} (SHA-256 "
            f"{str(attributes['cells_sha256'])[:12]}..., found {cells.sha256[:12]}...); train "
            "again, or give --accept-edited-cells to cost edited cells with the old training",
        )
    return (
        "EDITED CELLS: the training was made from another cells.nc "
        f"({str(attributes['cells_sha256'])[:12]}...) than the one costed here "
        f"({cells.sha256[:12]}...). Encoding, adder and signalling agree; accuracies and operand "
        "statistics are those of the old file."
    )


def check_trained(training: Training, architecture: Architecture) -> None:
    """Raise :class:`InputError` for a training that is not the one an architecture names."""
    lengths = np.asarray(training.data["stream_length"].to_numpy(), float)
    lengths = np.unique(lengths[lengths > 0])
    found: dict[str, str] = {
        key: str(training.attributes[key])
        for key in ("network", "mac", "stream_life", "sng_sharing")
    }
    found["stream_length"] = ", ".join(f"{length:g}" for length in lengths)
    for key, wanted in architecture.trained.named().items():
        if found[key] != str(wanted):
            raise InputError(
                training.path,
                f"was trained with {key} {found[key] or 'none'}, but architecture "
                f"{architecture.name} is one of {key} {wanted}; train again, or change "
                f"trained.{key} of the architecture",
            )


def _check_mac(cells: Cells, training: Training, where: str, words: dict[str, str]) -> None:
    """Refuse a MAC that cells.nc lacks, or has under the same name with other ``words``."""
    name = words["mac"]
    if name not in cells.macs:
        raise InputError(
            training.path,
            f"{where} was trained with the MAC {name!r}, which {cells.path.name} lacks; it has "
            f"{', '.join(cells.macs)}",
        )
    mac = cells.groups[name]
    for key, word in {**words, "signalling": str(training.attributes["signalling"])}.items():
        if key != "mac" and str(mac.attrs[key]) != word:
            raise InputError(
                training.path,
                f"{where} was trained with {key} {word!r}, but the MAC {name!r} of "
                f"{cells.path.name} has {key} {str(mac.attrs[key])!r}; the arithmetic trained "
                "must be the hardware costed",
            )
