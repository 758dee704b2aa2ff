"""``stochram stream``: what it says of good and bad generators, its files, and its refusals."""

from __future__ import annotations

import importlib.util
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from formats.cells import write_cells
from formats.json_file import read_json
from stochram.cli import main
from system.bitstream import BitStream
from tests.synthetic_cells import synthetic_device

ROOT = Path(__file__).resolve().parents[2]
Report = Callable[..., dict[str, Any]]


def synthetic() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "synthetic_cells", ROOT / "tests" / "synthetic_cells.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cells(tmp_path: Path) -> Callable[..., Path]:
    """Writes a cells.nc of the published law with the RESET, errors and memory asked for."""

    def write(reset: float = 1.0, e01: float = 0.0, e10: float = 0.0, rho: float = 0.0) -> Path:
        made = synthetic().synthetic_groups()
        groups = {name: made[name] for name in ("sng", "sign_magnitude_counter")}
        for name, value in (("Pr", reset), ("e01", e01), ("e10", e10)):
            groups["sng"][name][...] = value
        device = synthetic_device()
        device["set"]["memory"]["rho"]["value"] = rho
        attributes = {
            "device_json": json.dumps(device),
            "fit_json": "",
            "technology": "cmos40lp",
            "default_mac": "sign_magnitude_counter",
            "provenance": json.dumps({"stage": "extract"}),
        }
        path = tmp_path / "cells.nc"
        write_cells(path, attributes, groups)
        return path

    return write


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Runs the command without the picture, which takes a second, and returns its stream.json."""
    monkeypatch.setattr("system.bitstream.report.picture.svg", lambda _: "<svg/>")

    def run(*words: object) -> dict[str, Any]:
        folder = tmp_path / "out"
        assert main(["stream", *map(str, words), "--quiet", "-o", str(folder)]) == 0
        return read_json(folder / "stream.json", "stream")

    return run


def failed(part: dict[str, Any]) -> set[str]:
    return {row["test"] for row in part["tests"] if row["ok"] is False}


def test_ideal_bits_pass(report: Report) -> None:
    """Of 160 P-values 1.6 are expected below 0.01; ten have a chance of about 1e-5."""
    content = report("--source", "ideal", "--bits", "20000", "--sequences", "10")
    assert not content["independence"]["rejected"]
    assert content["probability"]["p_asked"] > 0.01
    rows = content["independence"]["tests"] + content["sp800_22"]["tests"]
    assert len(rows) == 16 and all(row["sequences"] == 10 for row in rows)
    assert sum(row["passed"] for row in rows) > 150


def test_the_same_words_give_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for folder in ("a", "b"):
        words = ["--source", "ideal", "--bits", "5000", "--quiet", "-o", str(tmp_path / folder)]
        assert main(["stream", *words]) == 0
        files.append({p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()})
    assert set(files[0]) == {"stream.json", "stream.npz", "stream.svg"}
    assert files[0] == files[1]
    assert files[0]["stream.svg"].startswith(b"<?xml") and b"runs of ones" in files[0]["stream.svg"]


def test_the_file_of_bits_holds_the_sequences_of_one_generator_in_order(
    report: Report, tmp_path: Path
) -> None:
    def bits(sequences: int) -> np.ndarray:
        report("--source", "ideal", "--p", "0.3", "--bits", "1000", "--sequences", sequences)
        with np.load(tmp_path / "out" / "stream.npz") as file:
            return BitStream(file["words"], int(file["length"])).unpack()

    three = bits(3)
    assert three.shape == (3, 1000)
    assert np.array_equal(bits(1)[0], three[0])
    assert not np.array_equal(three[0], three[1])
    (tmp_path / "out" / "stream.npz").rename(tmp_path / "kept.npz")
    content = report("--bits-file", tmp_path / "kept.npz", "--p", "0.3")
    assert content["probability"]["ones"] == int(three[0].sum())


def test_a_good_device_is_independent_with_the_p_of_its_dac_code(
    report: Report, cells: Callable[..., Path]
) -> None:
    content = report("--cells", cells(), "--bits", "200000", "--sequences", "2")
    probability = content["probability"]
    assert not content["independence"]["rejected"] and not failed(content["independence"])
    # The nearest code of the file's 1023 is off by less than a step of 1 mV.
    assert probability["expected"] == pytest.approx(0.5, abs=0.003)
    assert probability["p_expected"] > 0.01
    assert abs(content["autocorrelation"]["z"][0]) < 4
    assert content["autocorrelation"]["expected_lag1"] == 0


def test_a_drawn_device_has_its_own_p_and_is_independent_all_the_same(
    report: Report, cells: Callable[..., Path]
) -> None:
    content = report("--cells", cells(), "--device", "3", "--bits", "200000")
    probability = content["probability"]
    assert abs(probability["expected"] - 0.5) > 0.01
    assert probability["p_asked"] < 1e-9 and probability["p_expected"] > 0.01
    assert not content["independence"]["rejected"]
    assert "frequency" in failed(content["sp800_22"])
    assert any("judge their independence" in s for s in content["sentences"])
    other = report("--cells", cells(), "--device", "4", "--bits", "1000")
    assert other["probability"]["expected"] != probability["expected"]


def test_a_reset_that_fails_shows_as_lag_1_of_the_size_that_follows(
    report: Report, cells: Callable[..., Path]
) -> None:
    content = report("--cells", cells(0.8, 0.01, 0.02), "--p", "0.3", "--bits", "400000")
    lags = content["autocorrelation"]
    # Stored bits: pi = Ps/(Ps + Pr (1 - Ps)), lag-1 (1 - Ps)(1 - Pr); read errors dilute it.
    p = content["probability"]["expected"]
    pi = (p - 0.01) / 0.97
    ps = pi * 0.8 / (1 - pi * 0.2)
    diluted = (1 - ps) * 0.2 * pi * (1 - pi) * 0.97**2 / (p * (1 - p))
    assert lags["expected_lag1"] == pytest.approx(diluted, rel=1e-4)
    assert diluted > 0.1
    assert lags["value"][0] == pytest.approx(diluted, abs=6 / math.sqrt(400_000))
    assert content["independence"]["rejected"]
    assert {"runs of ones", "autocorrelation", "patterns"} <= failed(content["independence"])
    assert content["probability"]["interval_from"] == "scatter of blocks"
    assert any("NOT independent" in s for s in content["sentences"])


def test_memory_of_the_device_shows_as_lag_1_of_the_size_that_follows(
    report: Report, cells: Callable[..., Path]
) -> None:
    content = report("--cells", cells(rho=0.4), "--bits", "200000")
    lags = content["autocorrelation"]
    # At P = 1/2 two scores of correlation rho agree in sign with 1/2 + asin(rho)/pi.
    assert lags["expected_lag1"] == pytest.approx(2 / math.pi * math.asin(0.4), rel=1e-3)
    assert lags["value"][0] == pytest.approx(lags["expected_lag1"], abs=6 / math.sqrt(200_000))
    assert content["independence"]["rejected"]
    assert {"runs", "serial, first", "serial, second"} <= failed(content["sp800_22"])


def test_a_code_can_be_asked_for_instead_of_p(report: Report, cells: Callable[..., Path]) -> None:
    content = report("--cells", cells(), "--code", "500", "--bits", "50000", "--debias")
    probability = content["probability"]
    assert probability["asked"] == probability["expected"] and 0.05 < probability["asked"] < 0.4
    assert probability["p_asked"] > 0.001
    left = content["sp800_22"]["von_neumann_bits"]
    p = probability["value"]
    assert left == pytest.approx(50_000 * p * (1 - p), rel=0.05)
    assert not failed(content["sp800_22"])


@pytest.mark.parametrize("source", ["lfsr", "sobol"])
def test_registers_and_low_discrepancy_numbers_are_not_random(report: Report, source: str) -> None:
    content = report("--source", source, "--bits", "20000")
    assert content["independence"]["rejected"]
    assert content["probability"]["value"] == pytest.approx(
        content["probability"]["expected"], abs=255 / 20_000
    )


def test_sp_800_22_is_left_out_for_other_probabilities_unless_debiased(report: Report) -> None:
    words = ("--source", "ideal", "--p", "0.2", "--bits", "20000")
    content = report(*words)
    assert content["sp800_22"]["tests"] == [] and "fair bits" in str(content["sp800_22"])
    assert not content["independence"]["rejected"]
    assert len(report(*words, "--debias")["sp800_22"]["tests"]) == 10


def test_measured_bits_are_read_from_text_and_arrays(report: Report, tmp_path: Path) -> None:
    bits = np.random.default_rng(8).integers(0, 2, 6000).astype(np.uint8)
    text, one, two = tmp_path / "bits.txt", tmp_path / "one.npy", tmp_path / "two.npy"
    lines = ["".join(map(str, row)) for row in bits.reshape(100, 60)]
    text.write_text("\n".join(lines[:50]) + "\r\n" + "\n".join(", ".join(x) for x in lines[50:]))
    np.save(one, bits.astype(float))
    np.save(two, bits.reshape(3, 2000) == 1)
    from_text = report("--bits-file", text)
    assert from_text["source"]["bits"] == "measured"
    assert from_text["probability"]["ones"] == int(bits.sum())
    assert from_text["probability"]["expected"] is None
    assert report("--bits-file", one)["independence"] == from_text["independence"]
    rows = report("--bits-file", two)
    assert rows["source"]["sequences"] == 3
    assert report("--bits-file", text, "--sequences", "3")["independence"] == rows["independence"]


def test_a_constant_file_is_told_of_and_not_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stuck.txt"
    path.write_text("1" * 500)
    assert main(["stream", "--bits-file", str(path), "-o", str(tmp_path / "out")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "No test of independence could be made" in shown
    assert "is not the 0.5 asked for" in shown and "nan" not in shown


def test_the_screen_names_tests_verdicts_and_lags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stream", "--source", "ideal", "--bits", "5000"]) == 0
    shown = capsys.readouterr().out
    for word in ("runs of ones", "approximate entropy", "passes", "lag", "P(1) =", "independent"):
        assert word in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--source: is missing"),
        (("--source", "dice"), "expected ideal, lfsr, sobol, device"),
        (("--source", "device"), "--cells: is missing"),
        (("--source", "ideal", "--code", "3"), "--code: says nothing about the source ideal"),
        (("--source", "ideal", "--p", "1"), "expected a number above 0 and below 1"),
        (("--source", "ideal", "--bits", "99"), "expected 100 to 20000000"),
        (("--source", "ideal", "--bits", "20000000", "--sequences", "200"), "in all"),
        (("--source", "lfsr", "--width", "5"), "taps are known for 4, 8, 16"),
        (("--source", "lfsr", "--p", "0.001"), "the nearest this source has is 0"),
        (("--bits-file", "none.txt"), "none.txt: cannot be read"),
        (("--bits-file", "bad.txt"), "bad.txt, line 2: holds '2'"),
        (("--bits-file", "empty.txt"), "holds no bits"),
        (("--bits-file", "short.txt"), "sequences of 6 bits"),
        (("--bits-file", "short.txt", "--bits", "100"), "holds 6 bits"),
        (("--bits-file", "short.txt", "--source", "ideal"), "says nothing about the bits"),
        (("--bits-file", "bad.npy"), "bad.npy, element 1: is 0.5"),
        (("--bits-file", "cube.npy"), "has the shape (2, 2, 2)"),
        (("--bits-file", "not.npy"), "not.npy: cannot be read"),
        (("--bits-file", "not.npz"), "is no .npz archive"),
        (("--cells", "none.nc"), "none.nc"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_files(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.txt").write_text("0101\n0121\n")
    Path("empty.txt").write_text(" \n")
    Path("short.txt").write_text("010101")
    np.save("bad.npy", [0, 0.5, 1])
    np.save("cube.npy", np.zeros((2, 2, 2)))
    Path("not.npy").write_text("0101")
    Path("not.npz").write_text("0101")
    assert main(["stream", *words, "-o", "out"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and message in error
    assert not Path("out").exists()


def test_a_code_that_the_dac_does_not_have_is_refused(
    cells: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", "--cells", str(cells()), "--code", "5000"]) == 2
    assert "--code: is 5000; expected 0 to" in capsys.readouterr().err


def test_every_dac_code_can_be_looked_at_and_p_grows_with_it(
    report: Report, cells: Callable[..., Path]
) -> None:
    path = cells()
    asked = [
        report("--cells", path, "--code", str(code), "--bits", "20000")["probability"]["asked"]
        for code in (495, 496, 497, 498)
    ]
    assert np.all(np.diff(asked) > 0)


def test_the_input_is_never_overwritten_and_unused_bits_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bits = np.random.default_rng(1).integers(0, 2, 1000)
    np.savez(tmp_path / "stream.npz", words=BitStream.pack(bits).words, length=1000)
    given = (tmp_path / "stream.npz").read_bytes()
    words = ["stream", "--bits-file", str(tmp_path / "stream.npz"), "--bits", "300"]
    assert main([*words, "-o", str(tmp_path)]) == 2
    assert "would overwrite the input" in capsys.readouterr().err
    assert (tmp_path / "stream.npz").read_bytes() == given
    assert main([*words, "--sequences", "3"]) == 0
    assert "900 of its 1,000 bits" in capsys.readouterr().out.replace("\n", " ")
