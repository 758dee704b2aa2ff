"""What a file was made from: hashes of inputs and source, normalised options, seed, versions.

No time stamps, host names or absolute paths: the same work gives the same record.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from formats.errors import InputError


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of bytes as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content; raises :class:`InputError` if it cannot be read."""
    try:
        with Path(path).open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error


def sha256_folder(folder: Path, names: Iterable[str]) -> str:
    """SHA-256 over the named files of a folder, in the order given."""
    total = hashlib.sha256()
    for name in names:
        total.update(f"{name}\0{sha256_file(folder / name)}\n".encode())
    return total.hexdigest()


def source_digest(packages: Iterable[str]) -> str:
    """SHA-256 over the source and data files of our packages, found without importing them.

    Looked at once in a process: a sweep asks for each of its cells, and what runs was loaded then.
    """
    return _source_digest(tuple(sorted(packages)))


@functools.cache
def _source_digest(packages: tuple[str, ...]) -> str:
    total = hashlib.sha256()
    for package in packages:
        found = importlib.util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(f"package {package!r} is not installed")
        root = Path(next(iter(found.submodule_search_locations)))
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"{package}/{path.relative_to(root).as_posix()}"
                total.update(f"{name}\0{sha256_file(path)}\n".encode())
    return total.hexdigest()


def provenance(
    *,
    stage: str,
    inputs: Mapping[str, str],
    options: Mapping[str, Any],
    seed: int | None,
    source: Iterable[str],
    libraries: Iterable[str],
) -> dict[str, Any]:
    """The record of one run of a stage.

    ``inputs`` maps names to SHA-256 sums, ``options`` are the normalised options without those
    that cannot change the result, ``source`` our packages and ``libraries`` the distributions
    whose versions matter.
    """
    return {
        "stage": stage,
        "inputs": dict(sorted(inputs.items())),
        "options": {key: options[key] for key in sorted(options)},
        "seed": seed,
        "source_sha256": source_digest(source),
        "versions": {name: _version(name) for name in sorted(libraries)},
    }


@functools.cache
def _version(library: str) -> str:
    return importlib.metadata.version(library)


def provenance_key(record: Mapping[str, Any]) -> str:
    """SHA-256 of a provenance record: equal keys mean the same work."""
    return sha256_bytes(json.dumps(record, sort_keys=True, default=str).encode())
