"""Files are whole or absent, seeds are a tree, and bad files are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from formats import binarized, cells, synapse_training, training
from formats.atomic import replacing, write_text
from formats.cells import read_cells, write_cells
from formats.errors import InputError, run_command
from formats.json_file import dump, parse, schema
from formats.makers import MAKERS
from formats.netcdf import read_groups, write_groups
from formats.plural import plural
from formats.provenance import provenance, provenance_key, source_digest
from formats.seeds import generator, integer_seed


def test_a_failing_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_one_of_a_thing_is_singular() -> None:
    assert [plural(number, "step") for number in (0, 1, 1.5, 2)] == [
        "steps",
        "step",
        *["steps"] * 2,
    ]


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        write_text(tmp_path / "file" / "a.txt", "text")


def test_written_files_follow_the_umask(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "text")
    (tmp_path / "b.txt").write_text("text")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_branches_of_a_seed_are_independent_and_stable() -> None:
    one = generator(1, "train", "shuffle", 3).standard_normal(4000)
    assert np.array_equal(one, generator(1, "train", "shuffle", 3).standard_normal(4000))
    for other in (generator(1, "train", "shuffle", 4), generator(2, "train", "shuffle", 3)):
        # |r| < 5/sqrt(4000): false-alarm rate 6e-7.
        assert abs(np.corrcoef(one, other.standard_normal(4000))[0, 1]) < 0.08
    assert integer_seed(1, "a", "b") != integer_seed(1, "ab")
    assert integer_seed(1, 2) != integer_seed(1, "2")


def test_provenance_moves_with_inputs_options_and_seed_only() -> None:
    def key(**changes: Any) -> str:
        given: dict[str, Any] = {"inputs": {"a": "0"}, "options": {"x": 1}, "seed": 0} | changes
        return provenance_key(
            provenance(stage="s", source=("formats",), libraries=("numpy",), **given)
        )

    assert key() == key()
    assert len({key(), key(inputs={"a": "1"}), key(options={"x": 2}), key(seed=1)}) == 4
    assert source_digest(("formats",)) != source_digest(("devices",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ('{"schema": NaN}', "NaN is not allowed"),
        ("[]", "top level"),
        ("{}", "required"),
        ("[" * 100_000, "nested too deeply"),
        ('{"schema": 9223372036854775808}', "needs more than 64 bits"),
    ],
)
def test_bad_json_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"device.json: .*{message}"):
        parse(text, "device", "device.json")


def test_unknown_and_missing_device_keys_are_refused_by_name(demo_device: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="colour"):
        parse(dump({**demo_device, "colour": 1}), "device", "device.json")
    short = {key: demo_device[key] for key in demo_device if key != "conduction"}
    with pytest.raises(InputError, match="conduction"):
        parse(dump(short), "device", "device.json")


def test_json_numbers_that_are_not_finite_become_null() -> None:
    assert json.loads(dump({"a": float("nan"), "b": np.float64(2.0)})) == {"a": None, "b": 2.0}


def rewritten(cells_file: Path, change: Any) -> Path:
    cells = read_cells(cells_file)
    groups = {name: data.copy(deep=True) for name, data in cells.groups.items()}
    attributes = {k: v for k, v in cells.attributes.items() if k not in ("kind", "schema")}
    change(attributes, groups)
    path = cells_file.with_name("changed.nc")
    write_cells(path, attributes, groups)
    return path


def test_cells_survive_a_round_trip(cells_file: Path) -> None:
    path = rewritten(cells_file, lambda attributes, groups: None)
    assert path.read_bytes() == cells_file.read_bytes()


def test_groups_are_read_as_xarray_reads_them(tmp_path: Path) -> None:
    """Kinds of numbers, texts, missing values, axes with and without numbers, attributes."""
    data = xr.Dataset(
        {
            "number": (("x", "bare"), [[1.0, np.nan, 2.0]] * 2, {"units": "s", "list": [1, 2]}),
            "count": ("x", np.array([1, -1], np.int16), {"_FillValue": np.int16(-1)}),
            "scaled": ("x", [1, 2], {"scale_factor": 0.5, "add_offset": 3.0}),
            "flag": ("x", [True, False]),
            "text": (("x", "name"), [["", "longer"], ["a", "µ"]]),
            "one": ((), 2.5),
            "word": ((), "alone"),
        },
        {"x": [0.5, 0.25], "name": ["first", "second"], "side": ("x", [7, 8]), "at": 300.0},
        {"role": "toy", "width": 1e-9, "names": ["a", "b"], "whole": 3},
    )
    path = tmp_path / "toy.nc"
    write_groups(path, {"kind": "toy", "schema": 1}, {"": data, "inner": data})
    attributes, groups = read_groups(path, "toy")
    assert attributes["kind"] == "toy" and attributes["schema"] == 1
    assert list(groups) == ["", "inner"]
    for name, found in groups.items():
        wanted = xr.load_dataset(path, group=name or None, engine="h5netcdf")
        xr.testing.assert_identical(found, wanted)
        for key, variable in wanted.variables.items():
            assert found.variables[key].dtype == variable.dtype, key
            assert set(found.variables[key].attrs) == set(variable.attrs), key


def test_a_number_without_axes_of_a_name_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "plain.nc", "w") as file:
        file.attrs.update(kind="toy", schema=1)
        file["values"] = [1.0, 2.0]
    with pytest.raises(InputError, match=r"/values. has no dimension scale"):
        read_groups(tmp_path / "plain.nc", "toy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a, g: g.pop("sng"), "lacks the group 'sng'"),
        (lambda a, g: a.update(default_mac="none"), "default_mac is 'none'"),
        (lambda a, g: g.update(odd=xr.Dataset({"x": 1}, attrs={"role": "toy"})), "role 'toy'"),
        (lambda a, g: g["sng"]["area"].values.fill(-1.0), "sng/area holds negative"),
        (lambda a, g: g["dff"].update({"energy_hold": ("x", [1.0])}), "dimensions"),
        (lambda a, g: a.pop("fit_json"), "lacks the attribute 'fit_json'"),
    ],
)
def test_impossible_cells_are_refused(cells_file: Path, change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rewritten(cells_file, change)
    assert not cells_file.with_name("changed.nc").exists()


@pytest.mark.parametrize("content", [b"", b"not hdf5", b"\x89HDF\r\n\x1a\n" + b"\0" * 64])
def test_files_that_are_not_netcdf_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cells.nc"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cells.nc: is not a readable NetCDF-4"):
        read_cells(path)


def test_every_kind_of_result_names_its_command() -> None:
    kinds = {one.KIND for one in (cells, training, binarized, synapse_training)}
    assert kinds == {kind for kind in MAKERS if kind.startswith("stochram ")}
    assert all(schema(name) for name in set(MAKERS) - kinds)


def test_a_truncated_file_is_named(cells_file: Path) -> None:
    whole = cells_file.read_bytes()
    for length in (100, 4096, len(whole) // 2, len(whole) - 100):
        cells_file.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cells.nc"):
            read_cells(cells_file)


def test_commands_end_with_one_line_for_the_users_mistakes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def mistaken(**_: Any) -> None:
        raise InputError("data.csv", "row 3:\n expected a number")

    def defective(**_: Any) -> None:
        raise RuntimeError("ours")

    assert run_command(mistaken) == 2
    assert capsys.readouterr().err == "error: data.csv: row 3: expected a number\n"
    with pytest.raises(RuntimeError):
        run_command(defective)
