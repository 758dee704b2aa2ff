"""Whether HDF5 may be let at a file: it is C code that can hang or crash on a damaged one.

A file of ours ends with a seal, a line with the SHA-256 of what stands before it. HDF5 ignores what
stands behind its end of file, and drops it when it changes a file, so a sealed file is as we wrote
it and is opened right away; one whose seal is wrong was damaged since. A file without a seal was
made or edited by someone else, which is fine: a child process reads all of it first, and is killed
if it takes too long or too much memory. The seal is against damage; it does not say who made it.

Files that lead to others, need filter plugins, or announce more than they can hold are refused.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5netcdf
import h5py
import numpy as np

from formats.child import first_line, refusal
from formats.errors import InputError

LARGEST = 2**30
"""Bytes of a file, and of all its variables expanded."""
MOST_OBJECTS = 10_000
"""Groups and variables."""
_SEAL = re.compile(rb"\nstochram sha256 ([0-9a-f]{64})\n")
_SEAL_LENGTH = 82
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


def sealed(content: bytes) -> bytes:
    """The content of a finished file with the seal behind it."""
    return content + f"\nstochram sha256 {hashlib.sha256(content).hexdigest()}\n".encode()


@contextmanager
def opened(path: Path) -> Iterator[h5netcdf.File]:
    """The file, open for reading, once HDF5 may be let at it.

    Raises :class:`InputError` for a missing, broken, damaged or boundless file, also where reading
    in the block fails.
    """
    path = Path(path)
    _admit(path)
    with _readable(path):
        _check_structure(path)
        with h5netcdf.File(path, "r", decode_vlen_strings=True) as handle:
            yield handle


def values_of(variable: h5netcdf.Variable) -> np.ndarray:
    """All values of a variable; texts as an array of texts."""
    values = np.asarray(variable[...])
    if values.dtype != object:
        return values
    texts = [str(value) for value in values.reshape(-1).tolist()]
    if 4 * len(texts) * max(map(len, texts), default=0) > LARGEST:
        raise ValueError(f"the texts of {variable.name} are longer than {LARGEST >> 20} MiB")
    return np.array(texts, str).reshape(values.shape)


def read_all(path: str, _: bytes) -> None:
    """Read everything in a file; what the child of :func:`_admit_foreign` does."""
    _check_structure(Path(path))
    with h5netcdf.File(path, "r", decode_vlen_strings=True) as handle:
        for group in (handle, *handle.groups.values()):
            dict(group.attrs)
            for variable in group.variables.values():
                dict(variable.attrs)
                values_of(variable)


def _admit(path: Path) -> None:
    """Raise :class:`InputError` unless the file is sealed as it is, or a child could read it."""
    try:
        if not path.is_file():
            raise InputError(path, "no such file")
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(path, f"is larger than {LARGEST >> 20} MiB; expected a table")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({first_line(error)})") from error
    found = _SEAL.fullmatch(content[-_SEAL_LENGTH:])
    if found is None:
        _admit_foreign(path, hashlib.sha256(content).hexdigest())
    elif hashlib.sha256(memoryview(content)[:-_SEAL_LENGTH]).hexdigest().encode() != found[1]:
        raise InputError(
            path,
            "is damaged: its content does not fit the checksum in its last line; copy it again or "
            "make it anew",
        )


@functools.lru_cache(maxsize=256)
def _admit_foreign(path: Path, digest: str) -> None:
    """A child reads the file of this ``digest``; not again once it could."""
    if reason := refusal("formats.netcdf_guard:read_all", str(path)):
        raise InputError(path, f"is not a readable NetCDF-4 file ({reason})")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What fails in the block is the file's fault: h5py, h5netcdf and xarray raise anything."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(path, f"is not a readable NetCDF-4 file ({first_line(error)})") from error


def _check_structure(path: Path) -> None:
    """Raise ValueError for what leads out of the file, or for more than it can hold."""
    with h5py.File(path, "r") as file:
        waiting: list[h5py.Group] = [file]
        known = {h5py.h5o.get_info(file.id).addr}
        total = 0
        while waiting:
            group = waiting.pop()
            for name in group:
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"{group.name}: {name} is a link to elsewhere")
                member = group[name]
                address = h5py.h5o.get_info(member.id).addr
                if address in known:
                    raise ValueError(f"{group.name}: {name} stands there twice")
                known.add(address)
                if len(known) > MOST_OBJECTS:
                    raise ValueError(f"more than {MOST_OBJECTS} groups and variables")
                if isinstance(member, h5py.Group):
                    waiting.append(member)
                elif isinstance(member, h5py.Dataset):
                    _check_storage(member)
                    total += math.prod(member.shape or ()) * member.dtype.itemsize
                    if total > LARGEST:
                        raise ValueError(f"announces more than {LARGEST >> 20} MiB of values")


def _check_storage(dataset: h5py.Dataset) -> None:
    """The values stand in this file, as numbers or texts, packed by nothing but zlib."""
    layout = dataset.id.get_create_plist()
    if layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count():
        raise ValueError(f"the values of {dataset.name} stand in another file")
    filters = {layout.get_filter(index)[0] for index in range(layout.get_nfilters())}
    if not filters <= _FILTERS:
        raise ValueError(f"{dataset.name} is packed by another filter than zlib")
