"""NetCDF-4 files with one group per thing, through xarray and h5netcdf; never pickled.

All groups go through one open file: xarray opens it anew for each, which takes twice as long.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from formats.atomic import write_bytes
from formats.errors import InputError


def write_groups(
    path: Path, attributes: Mapping[str, Any], groups: Mapping[str, xr.Dataset]
) -> None:
    """Write ``groups`` (and global ``attributes``) atomically. ``""`` is the root group.

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
    write_bytes(path, content.getvalue())


def kind_of(path: Path) -> str:
    """The attribute ``kind`` of a file of ours; "" for anything else, which readers refuse."""
    try:
        with h5netcdf.File(Path(path), "r", decode_vlen_strings=True) as handle:
            return str(_plain(handle.attrs.get("kind", "")))
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError):
        return ""


def read_groups(
    path: Path, kind: str, schema: int = 1
) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """Read global attributes and every group of a file whose ``kind`` and ``schema`` must match.

    Raises :class:`InputError` for a missing, broken or foreign file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "no such file")
    try:
        with h5netcdf.File(path, "r", decode_vlen_strings=True) as handle:
            attributes = {key: _plain(value) for key, value in handle.attrs.items()}
            found = {"": _read_group(handle)} | {
                name: _read_group(group) for name, group in handle.groups.items()
            }
        groups = {name: group for name, group in found.items() if group.variables}
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError) as error:
        raise InputError(path, f"is not a readable NetCDF-4 file ({_first_line(error)})") from error
    if attributes.get("kind") != kind:
        raise InputError(
            path, f"is not a {kind} file (global attribute kind is {attributes.get('kind')!r})"
        )
    if attributes.get("schema") != schema:
        raise InputError(
            path,
            f"has schema {attributes.get('schema')!r}, this version reads schema {schema}; make "
            "the file again",
        )
    return attributes, groups


def require(
    where: str | Path, group: str, dataset: xr.Dataset, variables: Mapping[str, tuple[str, ...]]
) -> None:
    """Check that ``dataset`` holds ``variables`` with exactly these dimensions."""
    for name, dimensions in variables.items():
        if name not in dataset:
            raise InputError(where, f"group {group!r} lacks the variable {name!r}")
        if dataset[name].dims != dimensions:
            raise InputError(
                where,
                f"{group}/{name} has dimensions {dataset[name].dims}, expected {dimensions}",
            )


def require_attributes(
    where: str | Path, group: str, attributes: Mapping[Any, Any], names: Iterable[str]
) -> None:
    """Check that the attributes ``names`` are there."""
    for name in names:
        if name not in attributes:
            raise InputError(where, f"{group or 'the file'} lacks the attribute {name!r}")


def _read_group(group: h5netcdf.Group) -> xr.Dataset:
    """A group as ``xarray.load_dataset`` reads it."""
    raw = {
        name: xr.Variable(variable.dimensions, _values(variable), dict(variable.attrs))
        for name, variable in group.variables.items()
    }
    return xr.decode_cf(xr.Dataset(raw, attrs=dict(group.attrs)))


def _values(variable: h5netcdf.Variable) -> np.ndarray:
    values = np.asarray(variable[...])
    return values.astype(str) if values.dtype == object else values


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
