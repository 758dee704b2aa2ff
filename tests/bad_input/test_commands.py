"""Commands on broken files: exit code 2, one line, no traceback; what was there stays as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.presets import knag2014
from stochram.cli import main
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training

ROOT = Path(__file__).resolve().parents[2]
OLD = {"device.json": "old", "report.json": "{}", "cells.nc": "old", "stream.npz": "old"}
DATA = "voltage_V,pulse_width_s,trials,switched\n3.2,1e-4,50,12\n3.4,1e-4,50,31\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    cells = synthetic_cells(folder / "cells.nc")
    synthetic_training(folder / "training.nc", cells)
    record = {"stage": "preset", "inputs": {}, "options": {}, "seed": None}
    record |= {"source_sha256": "0" * 64, "versions": {}}
    content = {**knag2014().to_dict(), "provenance": record}
    (folder / "device.json").write_text(json.dumps(content))
    (folder / "data.csv").write_text(DATA)
    (folder / "demo.toml").write_bytes((ROOT / "examples" / "demo.toml").read_bytes())
    return folder


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def edited(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(40) + content[len(content) // 2 + 40 :]


def huge(content: bytes) -> bytes:
    return content.replace(b'"schema": 1', b'"schema": 1e999', 1)


def utf16(content: bytes) -> bytes:
    return content.decode().encode("utf-16")


CASES: tuple[tuple[str, Callable[[bytes], bytes], tuple[str, ...]], ...] = (
    ("data.csv", utf16, ("fit", "data.csv", "-o", "out")),
    ("data.csv", lambda _: b"\x1f\x8b" + bytes(20), ("fit", "data.csv", "-o", "out")),
    ("device.json", huge, ("extract", "device.json", "-o", "out")),
    ("device.json", cut, ("extract", "device.json", "-o", "out")),
    ("device.json", lambda _: b"[" * 10**5, ("binarized", "device.json", "-o", "out")),
    ("cells.nc", edited, ("report", "cells.nc", "training.nc", "-o", "out")),
    ("training.nc", edited, ("report", "cells.nc", "training.nc", "-o", "out")),
    ("training.nc", cut, ("report", "cells.nc", "training.nc", "-o", "out")),
    ("cells.nc", edited, ("train", "cells.nc", "--images", "digits", "-o", "out")),
    ("cells.nc", cut, ("explore", "cells.nc", "-o", "out")),
    ("demo.toml", cut, ("run", "demo.toml", "-o", "out")),
    ("demo.toml", lambda _: b"a = " + b"[" * 10**5, ("run", "demo.toml", "-o", "out")),
    ("bits\nof\x1b[2Jmine.txt", lambda _: b"01x", ("stream", "--bits-file", "{}", "-o", "out")),
    ("a.json", lambda _: b'{"a": 1, "a": 2}', ("report", "--compare", "a.json", "a.json")),
    ("images.npz", lambda _: b"PK\x05\x06" + bytes(18), ("train", "cells.nc", "--images", "{}")),
    ("x" * 300, lambda _: b"", ("report", "cells.nc", "training.nc", "-o", "x" * 5000)),
)


@pytest.fixture
def folder(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in whole.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "out").mkdir()
    for name, text in OLD.items():
        (tmp_path / "out" / name).write_text(text)
    return tmp_path


def broken(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    path = folder / name
    if len(name) < 255:
        path.write_bytes(change(path.read_bytes() if path.exists() else b""))


def refused(folder: Path, error: str, name: str) -> None:
    assert error.startswith("error: ") and error.endswith("\n") and error.count("\n") == 1, error
    assert "Traceback" not in error
    assert name[:4] in error
    held = {path.name: path.read_text() for path in (folder / "out").iterdir()}
    assert held == OLD
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("case", CASES, ids=[f"{c[2][0]} {c[0][:12]!r}" for c in CASES])
def test_a_broken_file_is_one_line_and_changes_nothing(
    folder: Path,
    case: tuple[str, Callable[[bytes], bytes], tuple[str, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, change, words = case
    broken(folder, name, change)
    assert main([word.replace("{}", name) for word in words]) == 2
    refused(folder, capsys.readouterr().err, name)


@pytest.mark.parametrize("place", [0, 5])
def test_whole_processes_end_so_too(folder: Path, place: int) -> None:
    name, change, words = CASES[place]
    broken(folder, name, change)
    done = subprocess.run(
        [sys.executable, "-m", "stochram", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=250,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 2
    refused(folder, done.stderr, name)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("fit", "."), ".: cannot be read (Is a directory); expected a table of measurements"),
        (("fit", "device.json"), "is JSON, not measurements; expected a table"),
        (("fit", "cells.nc"), "is NetCDF, not measurements; expected a table"),
        (("extract", "data.csv"), "expected a device.json, which stochram fit"),
        (("extract", "nowhere.json"), "expected a device.json, which stochram fit"),
        (("extract", "other.json"), "expected a device.json, which stochram fit"),
        (("train", "device.json"), "expected a cells.nc, which stochram extract makes"),
        (("train", "nowhere.nc"), "no such file; expected a cells.nc, which stochram extract"),
        (("report", "training.nc", "cells.nc"), "expected a cells.nc, which stochram extract"),
        (("report", "cells.nc", "data.csv"), "expected a training.nc, which stochram train"),
        (("report", "cells.nc"), "Missing argument 'RESULT': training.nc, synapses.nc or bina"),
        (("extract",), "device.json of stochram fit"),
    ],
)
def test_a_wrong_file_is_told_the_right_one_and_its_command(
    folder: Path, words: tuple[str, ...], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other.json").write_text('{"schema": 1}')
    assert main(words) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1, error
