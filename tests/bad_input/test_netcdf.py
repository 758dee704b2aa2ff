"""NetCDF files: ours, those of others, damaged and hostile ones; never a hang or a crash."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given
from hypothesis import strategies as st

from formats import binarized as binarized_format
from formats import cells as cells_format
from formats import child, netcdf_guard
from formats import synapse_training as synapses_format
from formats import training as training_format
from formats.binarized import read_binarized
from formats.cells import read_cells
from formats.errors import InputError
from formats.netcdf import kind_of, read_groups
from formats.synapse_training import read_synapse_training
from formats.training import read_training
from system.budget.wear.failure import Rates
from system.budget.wear.use import _group
from system.sweep.scores import read_scores
from tests.bad_input.damage import NUMBERS, TEXTS, cases, damaged, judged, odd_values
from tests.bad_input.nursery import nursed
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training
from tests.system_report.array_files import binarized, synapses

READERS: dict[str, tuple[Callable[[Path], Any], ...]] = {
    "cells.nc": (read_cells,),
    "training.nc": (read_training, read_scores),
    "synapses.nc": (read_synapse_training,),
    "binarized.nc": (read_binarized,),
}
CHECKS: dict[str, Callable[[Path, dict[str, Any], dict[str, xr.Dataset]], None]] = {
    "cells.nc": cells_format._check,
    "training.nc": lambda path, about, groups: training_format._check(path, about, groups[""]),
    "synapses.nc": lambda path, about, groups: synapses_format._check(path, about, groups[""]),
    "binarized.nc": lambda path, about, groups: binarized_format._check(path, about, groups[""]),
}
KINDS = {
    "cells.nc": (cells_format.KIND, 1),
    "training.nc": (training_format.KIND, training_format.SCHEMA),
    "synapses.nc": (synapses_format.KIND, synapses_format.SCHEMA),
    "binarized.nc": (binarized_format.KIND, binarized_format.SCHEMA),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each kind, written by us."""
    folder = tmp_path_factory.mktemp("whole")
    cells = synthetic_cells(folder / "cells.nc")
    synthetic_training(folder / "training.nc", cells)
    synapses(folder / "synapses.nc")
    binarized(folder / "binarized.nc", str(read_cells(cells).attributes["device_json"]))
    return {name: folder / name for name in READERS}


def unsealed(path: Path, target: Path) -> Path:
    """The same file as someone else would have made it."""
    target.write_bytes(path.read_bytes()[: -netcdf_guard._SEAL_LENGTH])
    return target


def read_all(name: str, path: Path) -> list[Any]:
    kind_of(path)
    return [judged(reader, path) for reader in READERS[name]]


@pytest.mark.parametrize("name", READERS)
def test_damage_to_a_sealed_file_is_always_seen(
    whole: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """Where the last line still is the seal, HDF5 is never asked."""
    content = whole[name].read_bytes()
    end = len(content) - netcdf_guard._SEAL_LENGTH

    @cases(20)
    @given(damaged(content[:end]))
    def each(changed: bytes) -> None:
        path = tmp_path / name
        path.write_bytes(changed + content[end:])
        if changed != content[:end]:
            assert read_all(name, path) == [None] * len(READERS[name])
            with pytest.raises(InputError, match=f"{name}: is damaged"):
                netcdf_guard._unsealed(path)

    each()


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_of_others_are_read_or_refused(
    whole: dict[str, Path], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MOST_SECONDS", 3.0)
    content = unsealed(whole[name], tmp_path / "unsealed.nc").read_bytes()

    @cases(30)
    @given(damaged(content))
    @example(content)
    def each(changed: bytes) -> None:
        path = tmp_path / name
        path.write_bytes(changed)
        read_all(name, path)

    with nursed() as codes:
        each()
    assert {0, 3} <= set(codes)  # the whole one is read, some damaged ones are refused


@pytest.mark.parametrize("name", READERS)
def test_hdf5_opens_nothing_of_others_in_this_process(
    whole: dict[str, Path], tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the child wrote anew is read instead, to the last type and attribute the same."""
    path = unsealed(whole[name], tmp_path / name)
    opened: list[Any] = []
    start = h5py.File.__init__

    def watched(file: h5py.File, source: Any, *args: Any, **options: Any) -> None:
        opened.append(type(source))
        start(file, source, *args, **options)

    monkeypatch.setattr(h5py.File, "__init__", watched)
    found, groups = read_groups(path, *KINDS[name])
    monkeypatch.undo()
    assert io.BytesIO in opened and not {str, bytes, type(path)} & set(opened)
    about, expected = read_groups(whole[name], *KINDS[name])
    assert found == about and set(groups) == set(expected)
    for group, data in expected.items():
        assert groups[group].identical(data)
        assert {n: v.dtype for n, v in groups[group].variables.items()} == {
            n: v.dtype for n, v in data.variables.items()
        }


def test_a_file_that_hangs_hdf5_is_given_up(
    whole: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HDF5 2.0 never comes back from some damaged attributes; here the child sleeps instead."""
    monkeypatch.setattr(child, "MOST_SECONDS", 1.5)
    path = unsealed(whole["training.nc"], tmp_path / "training.nc")
    monkeypatch.setattr(child, "_START", "import time; time.sleep(100)")
    start = time.monotonic()
    with pytest.raises(InputError, match=r"training.nc: is not .*does not come to an end in 1.5 s"):
        read_training(path)
    assert time.monotonic() - start < 30


def test_a_file_that_crashes_hdf5_is_refused(
    whole: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unsealed(whole["training.nc"], tmp_path / "training.nc")
    monkeypatch.setattr(child, "_START", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(InputError, match=r"training.nc: .*its reader crashes, with code -11"):
        read_training(path)


@pytest.mark.parametrize("name", READERS)
def test_files_made_by_xarray_alone_are_read(
    whole: dict[str, Path], tmp_path: Path, name: str
) -> None:
    about, groups = read_groups(whole[name], *KINDS[name])
    path = tmp_path / name
    groups.get("", xr.Dataset()).assign_attrs(**about).to_netcdf(path, engine="h5netcdf")
    for group, data in groups.items():
        if group:
            data.to_netcdf(path, mode="a", group=group, engine="h5netcdf")
    assert read_all(name, path)[0] is not None


def test_a_file_changed_by_xarray_or_h5py_is_read_as_changed(
    whole: dict[str, Path], tmp_path: Path
) -> None:
    """HDF5 drops the seal of a file that it changes, so that no honest edit looks like damage."""
    path = tmp_path / "training.nc"
    path.write_bytes(whole["training.nc"].read_bytes())
    with h5py.File(path, "r+") as file:
        file["loss"][...] = 0.25
    assert np.all(read_training(path).data["loss"] == 0.25)
    path.write_bytes(whole["training.nc"].read_bytes())
    with h5netcdf.File(path, "a") as file:
        file.attrs["mode"] = "exact"
    assert read_training(path).attributes["mode"] == "exact"


def test_a_seal_is_the_same_for_the_same_content_and_other_programs_ignore_it(
    whole: dict[str, Path], tmp_path: Path
) -> None:
    again = synthetic_cells(tmp_path / "cells.nc")
    assert again.read_bytes() == whole["cells.nc"].read_bytes()
    with xr.open_dataset(again, group="sng", engine="h5netcdf") as data:
        assert float(data["area"]) > 0


def _with(change: Callable[[h5py.File], Any]) -> Callable[[Path], Any]:
    def changed(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            change(file)

    return changed


def _bomb(file: h5py.File) -> None:
    file.create_dataset("bomb", (10**6, 10**6), "f8", chunks=(10, 10), fillvalue=1.0)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
    file.create_virtual_dataset("elsewhere", layout)


def _texts(file: h5py.File) -> None:
    file.create_dataset("texts", (2**27,), h5py.string_dtype(), chunks=(2**10,))


def _objects(file: h5py.File) -> None:
    for number in range(netcdf_guard.MOST_OBJECTS):
        file.create_group(f"g{number}")


HOSTILE = {
    "a shape of 1e12": (_bomb, "announces more than 1024 MiB"),
    "texts without end": (_texts, "announces more than 1024 MiB"),
    "values of another file": (_virtual, "stand in another file"),
    "values in a raw file": (
        lambda file: file.create_dataset("raw", (8,), "u1", external="/etc/passwd"),
        "stand in another file",
    ),
    "a link to another file": (
        lambda file: file.__setitem__("out", h5py.ExternalLink("/etc/other.h5", "/")),
        "link to elsewhere",
    ),
    "a link within": (
        lambda file: file.__setitem__("soft", h5py.SoftLink("/")),
        "link to elsewhere",
    ),
    "a group in itself": (lambda file: file.__setitem__("again", file["/"]), "stands there twice"),
    "another filter": (
        lambda file: file.create_dataset("packed", (8,), "f8", compression="lzf"),
        "another filter than zlib",
    ),
    "objects without end": (_objects, "more than 10000 groups"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("sealed", [True, False])
def test_hostile_files_are_refused_before_anything_is_allocated(
    whole: dict[str, Path], tmp_path: Path, name: str, sealed: bool
) -> None:
    change, told = HOSTILE[name]
    path = tmp_path / "training.nc"
    path.write_bytes(whole["training.nc"].read_bytes())
    _with(change)(path)
    if sealed:
        path.write_bytes(netcdf_guard.sealed(path.read_bytes()))
    with pytest.raises(InputError, match=f"training.nc: is not a readable NetCDF-4 file .*{told}"):
        read_training(path)


def test_a_file_beyond_the_limit_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "cells.nc"
    with path.open("wb") as file:
        file.truncate(netcdf_guard.LARGEST + 1)
    with pytest.raises(InputError, match=r"cells.nc: is larger than 1024 MiB"):
        read_cells(path)


def odd_arrays(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    """Values that a variable of this shape should not have."""
    numbers = st.sampled_from([value for value in NUMBERS if not abs(value) >= 2**63])
    texts = st.sampled_from([text for text in TEXTS if "\0" not in text and "\ud800" not in text])
    scalars = st.one_of(
        numbers.map(float), texts, st.booleans(), st.just(1 + 2j), st.just(np.datetime64(0, "s"))
    )
    return scalars.map(lambda value: np.full(shape, value))


@st.composite
def changed_groups(
    draw: st.DrawFn, about: dict[str, Any], groups: dict[str, xr.Dataset]
) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """Attributes and groups with one or two of their parts gone, renamed or replaced."""
    about = dict(about)
    groups = {name: data.copy() for name, data in groups.items()}
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(sorted(groups)))
        data = groups[name]
        action = draw(st.sampled_from(("values", "values", "about", "drop", "axis", "group", "of")))
        if action == "about":
            about[draw(st.sampled_from(sorted(about)))] = draw(odd_values())
        elif action == "of" and data.attrs:
            data.attrs[draw(st.sampled_from(sorted(data.attrs)))] = draw(odd_values())
        elif action == "group" and len(groups) > 1:
            del groups[name]
        elif action == "drop":
            groups[name] = data.drop_vars(draw(st.sampled_from(sorted(data.variables))))
        elif action == "axis" and data.sizes:
            axis = draw(st.sampled_from(sorted(data.sizes)))
            groups[name] = data.isel({axis: draw(st.sampled_from((slice(0), slice(1))))})
        else:
            key = draw(st.sampled_from(sorted(data.variables)))
            found = data[key]
            odd = draw(odd_arrays(found.shape))
            if draw(st.booleans()) and found.size and odd.dtype == found.dtype:
                partly = found.to_numpy().copy()
                partly.reshape(-1)[draw(st.integers(0, found.size - 1))] = odd.reshape(-1)[0]
                odd = partly
            replaced = xr.Variable(found.dims, odd, found.attrs)
            groups[name] = data.drop_vars(key).assign({key: replaced})
    return about, groups


@pytest.mark.parametrize("name", READERS)
def test_changed_contents_are_accepted_or_refused(whole: dict[str, Path], name: str) -> None:
    about, groups = read_groups(whole[name], *KINDS[name])

    @cases(20)
    @given(changed_groups(about, groups))
    def each(changed: tuple[dict[str, Any], dict[str, xr.Dataset]]) -> None:
        judged(lambda path: CHECKS[name](path, *changed), Path(name))

    each()


@pytest.mark.parametrize("text", ["", "{", "[]", "1", json.dumps({"schema": 1}), "[" * 10**5])
def test_cells_whose_device_is_none_are_refused(whole: dict[str, Path], text: str) -> None:
    about, groups = read_groups(whole["cells.nc"], *KINDS["cells.nc"])
    with pytest.raises(InputError, match=r"cells.nc, attribute device_json"):
        cells_format._check(Path("cells.nc"), {**about, "device_json": text}, groups)


def test_texts_that_grow_as_they_are_read_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One long text among many makes all of them long in memory."""
    path = tmp_path / "texts.nc"
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"n": 10}
        texts = file.create_variable("texts", ("n",), dtype=h5py.string_dtype())
        texts[:] = np.array(["x" * 100] + ["x"] * 9, dtype=object)
    with h5netcdf.File(path, "r", decode_vlen_strings=True) as file:
        assert netcdf_guard.values_of(file["texts"]).size == 10
        monkeypatch.setattr(netcdf_guard, "LARGEST", 1000)
        with pytest.raises(ValueError, match=r"the texts of .*texts are longer than"):
            netcdf_guard.values_of(file["texts"])


@pytest.mark.parametrize("name", ["missing", "rescued"])
@pytest.mark.parametrize("text", ["", "{", "1", "[1]", '{"a": 1}', "NaN"])
def test_cells_whose_faults_are_none_are_refused(
    whole: dict[str, Path], name: str, text: str
) -> None:
    about, groups = read_groups(whole["cells.nc"], *KINDS["cells.nc"])
    with pytest.raises(InputError, match=f"attribute '?{name}"):
        cells_format._check(Path("cells.nc"), {**about, name: text}, groups)


@pytest.mark.parametrize("name", ["Ps", "Pr", "e01"])
def test_probabilities_above_one_are_refused(whole: dict[str, Path], name: str) -> None:
    about, groups = read_groups(whole["cells.nc"], *KINDS["cells.nc"])
    groups["sng"][name].values.fill(1.5)
    with pytest.raises(InputError, match=f"sng/{name} holds probabilities above 1"):
        cells_format._check(Path("cells.nc"), about, groups)


def test_a_device_that_never_resets_wears_by_all_its_pulses() -> None:
    """A P(RESET) of 0 in cells.nc divides nothing."""
    found = _group("layer", "x", Rates.alike(1.0, 0.0), Rates.alike(1.0, 5.0), 0.0, True)
    assert found.in_vain == 5.0
