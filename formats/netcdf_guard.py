"""Whether HDF5 may be let at a file: it is C code that can hang or crash on a damaged one.

A file of ours ends with a seal, a line with the SHA-256 of what stands before it. HDF5 ignores what
stands behind its end of file, and drops it when it changes a file, so a sealed file is as we wrote
it and is opened right away; one whose seal is wrong was damaged since. A file without a seal was
made or edited by someone else, which is fine: a child process writes what it holds anew, and is
killed if it takes too long or too much memory; only the new file is opened here. The seal is
against damage; it does not say who made it.

Files that lead to others, need filter plugins, or announce more than they can hold are refused.
"""

from __future__ import annotations

import functools
import hashlib
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5netcdf
import h5py
import numpy as np

from formats.child import RefusedError, delivered, first_line
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
    """The file, open for reading; where it has no seal, what a child process made of it.

    Raises :class:`InputError` for a missing, broken, damaged or boundless file, also where reading
    in the block fails.
    """
    path = Path(path)
    digest = _unsealed(path)
    copy = _anew(path, digest) if digest else None
    with _readable(path):
        if copy is None:
            _check_structure(path)
        source = path if copy is None else io.BytesIO(copy)
        with h5netcdf.File(source, "r", decode_vlen_strings=True) as handle:
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


def rewritten(path: str, _: bytes) -> bytes:
    """All that the file holds as a new file; what the child of :func:`_anew` does."""
    _check_structure(Path(path))
    content = io.BytesIO()
    with (
        h5netcdf.File(path, "r", decode_vlen_strings=True) as file,
        h5netcdf.File(content, "w") as copy,
    ):
        _copy(file, copy)
    return content.getvalue()


def _copy(source: h5netcdf.Group, target: h5netcdf.Group) -> None:
    target.dimensions = {name: found.size for name, found in source.dimensions.items()}
    target.attrs.update(source.attrs)
    for name, variable in source.variables.items():
        values = values_of(variable)
        if values.dtype.kind == "U":
            values = values.astype(object)
        dtype = h5py.string_dtype() if values.dtype == object else values.dtype
        new = target.create_variable(name, variable.dimensions, dtype)
        new[...] = values
        new.attrs.update(variable.attrs)
    for name, group in source.groups.items():
        _copy(group, target.create_group(name))


def _unsealed(path: Path) -> str:
    """The SHA-256 of a file without seal, "" for a sealed one.

    Raises :class:`InputError` where there is no such file, or the seal is wrong.
    """
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
        return hashlib.sha256(content).hexdigest()
    if hashlib.sha256(memoryview(content)[:-_SEAL_LENGTH]).hexdigest().encode() != found[1]:
        raise InputError(
            path,
            "is damaged: its content does not fit the checksum in its last line; copy it again or "
            "make it anew",
        )
    return ""


@functools.lru_cache(maxsize=4)
def _anew(path: Path, digest: str) -> bytes:
    """What a child makes of the file of this ``digest``; kept, as most are opened twice."""
    try:
        return delivered("formats.netcdf_guard:rewritten", str(path))
    except RefusedError as reason:
        raise InputError(path, f"is not a readable NetCDF-4 file ({reason})") from reason


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
