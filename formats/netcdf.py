"""NetCDF-4 files with one group per thing, through xarray and h5netcdf; never pickled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5netcdf
import xarray as xr

from formats.atomic import replacing
from formats.errors import InputError


def write_groups(
    path: Path, attributes: Mapping[str, Any], groups: Mapping[str, xr.Dataset]
) -> None:
    """Write ``groups`` (and global ``attributes``) atomically. ``""`` is the root group."""
    with replacing(path) as temporary:
        root = groups.get("", xr.Dataset()).assign_attrs(**attributes)
        root.to_netcdf(temporary, mode="w", engine="h5netcdf")
        for name, dataset in groups.items():
            if name:
                dataset.to_netcdf(temporary, mode="a", group=name, engine="h5netcdf")


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
        with h5netcdf.File(path, "r") as handle:
            names = [name for name, group in handle.groups.items() if group.variables]
            attributes = {key: _plain(value) for key, value in handle.attrs.items()}
            has_root_variables = bool(handle.variables)
        wanted = ([""] if has_root_variables else []) + names
        groups = {
            name: xr.load_dataset(path, group=name or None, engine="h5netcdf") for name in wanted
        }
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


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
