"""Provenance: which commands made the files, from what, with which seeds and versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from system.report.page.section import Given, Section
from system.report.table import Column, Table

COMMANDS = {
    "fit": "python -m characterization.fit",
    "preset": "stochram preset",
    "extract": "python -m characterization.extract",
    "train": "python -m system.train",
    "train on synapses": "python -m system.synapses",
    "binarized": "python -m system.binarized",
    "report": "python -m system.report",
}
"""What a stage is called on the command line."""
LONGEST = 60


def section(given: Given) -> Section:
    return of(records(given), str(given.training.attributes["images_sha256"]))


def of(found: Mapping[str, Mapping[str, Any]], images_sha256: str) -> Section:
    """The section of the provenance records of any files, by their names."""
    return Section(
        "provenance",
        "Provenance",
        (),
        (stages(found), versions(found)),
        {
            "records": [
                (name, json.dumps(record, indent=2, ensure_ascii=False))
                for name, record in found.items()
            ],
            "images_sha256": images_sha256,
        },
    )


def records(given: Given) -> dict[str, Mapping[str, Any]]:
    """The provenance record of each file; a text that is no record stands under ``text``."""
    return {
        "device.json": given.device.get("provenance") or {},
        "cells.nc": parsed(str(given.cells.attributes["provenance"])),
        "training.nc": parsed(str(given.training.attributes["provenance"])),
        "report.json": given.report["provenance"],
    }


def stages(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row a file: command, options that were set, seed and hashes."""
    return Table(
        "files",
        "The files, and what made them. Options that were left at none are not named; "
        "names and units of the options are those of the record.",
        (
            Column("file"),
            Column("command"),
            Column("seed"),
            Column("options", wide=True),
            Column("inputs (SHA-256)", wide=True),
            Column("source (SHA-256)", wide=True),
        ),
        tuple(
            (
                name,
                COMMANDS.get(str(record.get("stage")), str(record.get("stage", "unknown"))),
                None if record.get("seed") is None else str(record["seed"]),
                ", ".join(
                    f"{key}={_short(value)}"
                    for key, value in (record.get("options") or {}).items()
                    if value not in (None, [], "", False)
                ),
                ", ".join(f"{key} {sum}" for key, sum in (record.get("inputs") or {}).items()),
                record.get("source_sha256"),
            )
            for name, record in found.items()
        ),
    )


def versions(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row a library: the version that each file was made with."""
    held = {name: record.get("versions") or {} for name, record in found.items()}
    names = sorted({library for libraries in held.values() for library in libraries}, key=str.lower)
    return Table(
        "versions",
        "Versions of the libraries that matter to each file",
        (Column("library"), *(Column(name) for name in held)),
        tuple((name, *(libraries.get(name) for libraries in held.values())) for name in names),
    )


def _short(value: Any) -> str:
    """An option in at most LONGEST letters; the whole record stands below."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def parsed(text: str) -> Mapping[str, Any]:
    """A record from its text, or the text under ``text``."""
    try:
        content = json.loads(text)
    except ValueError:
        return {"text": text}
    return content if isinstance(content, dict) else {"text": text}
