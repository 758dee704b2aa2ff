"""NetCDF-4 files with one group per thing, through xarray and h5netcdf; never pickled.

All groups go through one open file: xarray opens it anew for each, which takes twice as long.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from formats.atomic import write_bytes
from formats.errors import InputError
from formats.json_file import parse_json
from formats.makers import expected
from formats.netcdf_guard import LARGEST, opened, sealed, values_of

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def write_groups(
    path: Path, attributes: Mapping[str, Any], groups: Mapping[str, xr.Dataset]
) -> None:
    """Write ``groups`` (and global ``attributes``) atomically, sealed. ``""`` is the root group.

    The file is made in memory first: where a disk is full, HDF5 ends the process with a
    segmentation fault.
    """
    content = io.BytesIO()
    root = groups.get("", xr.Dataset()).assign_attrs(**attributes)
    with h5netcdf.File(content, "w") as file:
        root.dump_to_store(H5NetCDFStore(file))
        for name, dataset in groups.items():
            if name:
                dataset.dump_to_store(H5NetCDFStore(file, group=name, mode="a"))
    write_bytes(path, sealed(content.getvalue()))


def kind_of(path: Path) -> str:
    """The attribute ``kind`` of a file of ours; "" for anything else, which readers refuse."""
    try:
        with opened(path) as handle:
            return str(_plain(handle.attrs.get("kind", "")))
    except InputError:
        return ""


def read_groups(
    path: Path, kind: str, schema: int = 1
) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """Read global attributes and every group of a file whose ``kind`` and ``schema`` must match.

    Raises :class:`InputError` for a missing, broken or foreign file.
    """
    path = Path(path)
    _refuse_other(path, kind)
    with opened(path) as handle:
        attributes = {key: _plain(value) for key, value in handle.attrs.items()}
        found = {"": _read_group(handle)} | {
            name: _read_group(group) for name, group in handle.groups.items()
        }
        groups = {name: group for name, group in found.items() if group.variables}
    if attributes.get("kind") != kind:
        raise InputError(
            path,
            f"is not a {kind} file (global attribute kind is {attributes.get('kind')!r})"
            f"{expected(kind)}",
        )
    if attributes.get("schema") != schema:
        raise InputError(
            path,
            f"has schema {attributes.get('schema')!r}, this version reads schema {schema}; make "
            "the file again",
        )
    return attributes, groups


def _refuse_other(path: Path, kind: str) -> None:
    """Say which command makes the file, where there is none or it begins like no NetCDF-4."""
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise InputError(path, f"{found}{expected(kind)}")
    with suppress(OSError), path.open("rb") as file:
        if path.stat().st_size <= LARGEST and _SIGNATURE not in file.read(4096):
            raise InputError(path, f"is not a readable NetCDF-4 file{expected(kind)}")


def require(
    where: str | Path,
    group: str,
    dataset: xr.Dataset,
    variables: Mapping[str, tuple[str, ...]],
    texts: Collection[str] = (),
) -> None:
    """Check that ``dataset`` holds ``variables`` with exactly these dimensions, none of size 0.

    All hold real numbers but ``texts``.
    """
    for name, dimensions in variables.items():
        if name not in dataset:
            raise InputError(where, f"group {group!r} lacks the variable {name!r}")
        if dataset[name].dims != dimensions:
            raise InputError(
                where,
                f"{group}/{name} has dimensions {dataset[name].dims}, expected {dimensions}",
            )
        if dataset[name].size == 0:
            raise InputError(where, f"{group}/{name} holds no values")
        kind = dataset[name].dtype.kind
        if (kind not in "biuf") != (name in texts):
            found = f"values of type {dataset[name].dtype}"
            expected = "texts" if name in texts else "real numbers"
            raise InputError(where, f"{group}/{name} holds {found}, expected {expected}")


def require_attributes(
    where: str | Path, group: str, attributes: Mapping[Any, Any], names: Iterable[str]
) -> None:
    """Check that the attributes ``names`` are there."""
    for name in names:
        if name not in attributes:
            raise InputError(where, f"{group or 'the file'} lacks the attribute {name!r}")


def require_json(
    where: str | Path, attributes: Mapping[Any, Any], names: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """The JSON objects in the attributes ``names``; raises :class:`InputError`."""
    found = {}
    for name in names:
        place = f"{where}, attribute {name}"
        found[name] = parse_json(str(attributes[name]), place)
        if not isinstance(found[name], dict):
            raise InputError(place, "is not a JSON object")
    return found


def require_counts(where: str | Path, attributes: Mapping[Any, Any], names: Iterable[str]) -> None:
    """Check that the attributes ``names`` are whole numbers above 0."""
    for name in names:
        value = attributes[name]
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not whole or value < 1:
            raise InputError(
                f"{where}, attribute {name}", f"is {value!r}; expected a whole number above 0"
            )


def _read_group(group: h5netcdf.Group) -> xr.Dataset:
    """A group as ``xarray.load_dataset`` reads it; no number is a date, whatever its units say."""
    raw = {
        name: xr.Variable(variable.dimensions, values_of(variable), dict(variable.attrs))
        for name, variable in group.variables.items()
    }
    return xr.decode_cf(xr.Dataset(raw, attrs=dict(group.attrs)), decode_times=False)


def _plain(value: Any) -> Any:
    """A number, a text, or a list of such."""
    if isinstance(value, np.ndarray | np.generic):
        return value.item() if value.size == 1 else value.tolist()
    return value if isinstance(value, str | int | float) else str(value)
