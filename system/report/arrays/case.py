"""What is reported: a synapses.nc or a binarized.nc, with its bill and the use of its devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from formats.binarized import KIND as BINARIZED
from formats.binarized import read_binarized
from formats.cells import Cells
from formats.synapse_training import KIND as SYNAPSES
from formats.synapse_training import read_synapse_training
from system.budget.arrays import (
    ArrayBill,
    Converter,
    Use,
    binarized_bill,
    synapses_bill,
    units,
    use_of_programming,
    use_of_training,
)
from system.report.arrays.accuracy import of_binarized, of_synapses
from system.report.quantity import whole

SYSTEMS = {SYNAPSES: "stochastic-synapses", BINARIZED: "binarized"}
"""What a report.json calls the systems of the kinds of files."""
FILES = {SYNAPSES: "synapses.nc", BINARIZED: "binarized.nc"}


@dataclass(frozen=True)
class Case:
    """``about`` is a sentence on what was costed, ``accuracy`` the key of report.json."""

    kind: str
    attributes: Mapping[str, Any]
    accuracy: Mapping[str, Any]
    bill: ArrayBill
    use: Use
    about: str

    @property
    def system(self) -> str:
        """Its name in report.json."""
        return SYSTEMS[self.kind]

    @property
    def file(self) -> str:
        """What its file is usually called."""
        return FILES[self.kind]


def case(kind: str, path: Path, cells: Cells, converter: Converter | None) -> Case:
    """Of the file at ``path``; raises :class:`InputError` for anything wrong in it."""
    found = _case(kind, path, cells, converter)
    warnings = (*cells.faults, *found.bill.warnings)
    return replace(found, bill=replace(found.bill, warnings=warnings))


def _case(kind: str, path: Path, cells: Cells, converter: Converter | None) -> Case:
    unit = units(cells, converter)
    if kind == SYNAPSES:
        training = read_synapse_training(path)
        bill, use = synapses_bill(training, unit), use_of_training(training)
        said = (
            f"Trained on synapses {training.synapse['name']} ({training.attributes['cells']}, "
            f"{training.attributes['rule']} rule), {_common(training.attributes, cells, use)}"
        )
        return Case(kind, training.attributes, of_synapses(training), bill, use, said)
    result = read_binarized(path)
    bill, use = binarized_bill(result, cells, unit), use_of_programming(result)
    said = f"Trained offline and mapped to drawn chips, {_common(result.attributes, cells, use)}"
    return Case(kind, result.attributes, of_binarized(result), bill, use, said)


def _common(about: Mapping[str, Any], cells: Cells, use: Use) -> str:
    return (
        f"network {about['network']}, {whole(float(about['parameters']))} parameters on "
        f"{whole(use.every.devices)} devices, {about['images']}; technology "
        f"{cells.attributes['technology']}."
    )
