"""Refuses a cells.nc and a training.nc that do not describe the same hardware."""

from __future__ import annotations

from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.budget.workload import stream_rules

ARITHMETIC = ("encoding", "adder", "signalling")


def check_pair(cells: Cells, training: Training, accept_edited_cells: bool) -> str | None:
    """Return a warning for accepted edited cells, None for a pair that fits.

    Raises :class:`InputError` where the training was made from another cells.nc (unless
    ``accept_edited_cells``), where the MAC it used differs from the one costed, or where the
    generators of cells.nc, which are devices, cannot share as its streams did.
    """
    attributes = training.attributes
    name = str(attributes["mac"])
    if name not in cells.macs:
        raise InputError(
            training.path,
            f"was trained with the MAC {name!r}, which {cells.path.name} lacks; it has "
            f"{', '.join(cells.macs)}",
        )
    mac = cells.mac(name)
    for key in ARITHMETIC:
        if str(mac.attrs[key]) != str(attributes[key]):
            raise InputError(
                training.path,
                f"was trained with {key} {str(attributes[key])!r}, but the MAC {name!r} of "
                f"{cells.path.name} has {key} {str(mac.attrs[key])!r}; the arithmetic trained "
                "must be the hardware costed",
            )
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
