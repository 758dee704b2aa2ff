"""Runs the stages of an experiment, skipping those whose inputs, options and source are unchanged.

``manifest.json`` in the output folder holds, per stage, the key of its provenance record and the
SHA-256 of what it wrote. While a stage runs it holds nothing of it, so that what a kill leaves, old
files beside new ones, is neither taken for whole nor for an edit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from formats.atomic import write_text
from formats.errors import InputError
from formats.interrupts import going_on
from formats.json_file import dump, parse_json, read_text
from formats.paths import is_file
from formats.provenance import provenance_key, sha256_file
from stochram.stage import Stage

MANIFEST = "manifest.json"


def run_chain(
    stages: tuple[Stage, ...], output: Path, say: Callable[[str], None], force: bool = False
) -> list[str]:
    """Run what is not up to date, in order; returns the names of the stages that ran.

    A stage whose results lack something is not taken as up to date in the next run.
    Raises :class:`InputError` where an output was changed since its stage wrote it, unless
    ``force`` is set: the change would be lost.
    """
    manifest = _read_manifest(output)
    ran = []
    for number, stage in enumerate(stages, start=1):
        label = f"[{number}/{len(stages)}] {stage.name}"
        key = provenance_key(stage.record())
        entry = manifest.get(stage.name, {})
        changed, missing = _differences(output, entry.get("outputs", {}))
        if changed and not force:
            raise InputError(
                output / changed[0],
                f"was changed since the {stage.name} stage wrote it; run the later stages on it by "
                f"themselves (see `stochram --help`), or pass --force to make it anew",
            )
        if entry.get("key") == key and not changed and not missing:
            say(f"{label}: up to date")
            continue
        say(f"{label}: running")
        start = time.monotonic()
        if manifest.pop(stage.name, None) is not None:
            write_text(output / MANIFEST, dump(manifest))
        with going_on(f"stages before {stage.name} are kept, the same command goes on there"):
            lacking = stage.run()
        manifest[stage.name] = {
            "key": f"incomplete {key}" if lacking else key,
            "outputs": {name: sha256_file(output / name) for name in stage.outputs},
        }
        write_text(output / MANIFEST, dump(manifest))
        done = "INCOMPLETE after" if lacking else "done in"
        say(f"{label}: {done} {time.monotonic() - start:.1f} s")
        ran.append(stage.name)
    return ran


def _differences(output: Path, known: dict[str, str]) -> tuple[list[str], list[str]]:
    """Outputs that differ from what their stage wrote, and outputs that are gone."""
    missing = [name for name in known if not is_file(output / name)]
    changed = [
        name
        for name, digest in known.items()
        if name not in missing and sha256_file(output / name) != digest
    ]
    return changed, missing


def _read_manifest(output: Path) -> dict[str, Any]:
    path = output / MANIFEST
    if not path.is_file():
        return {}
    try:
        content = parse_json(read_text(path), path)
        entries = {
            name: {"key": str(entry["key"]), "outputs": dict(entry["outputs"])}
            for name, entry in content.items()
        }
    except (InputError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(path, "is not a manifest of `stochram run`; delete it") from error
    return entries
