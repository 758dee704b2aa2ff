"""netlists/ is what circuits/ writes, and plain ngspice runs it from anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from circuits.decks import demo_decks
from circuits.simulator import run_batch

ROOT = Path(__file__).resolve().parent.parent.parent


def test_netlists_are_up_to_date() -> None:
    written = {path.name: path.read_text() for path in (ROOT / "netlists").glob("*.cir")}
    assert written == demo_decks(), "run `make netlists`"


def measured(text: str) -> dict[str, float]:
    found = re.findall(r"^(\w+)\s+=\s+(\S+)", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


@pytest.mark.parametrize("name", ["sng", "sng_conditional"])
def test_sng_decks_print_bits(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = measured(run_batch(ROOT / "netlists" / f"{name}.cir"))
    bits = [results[f"bit{cycle}"] for cycle in range(16)]
    assert all(abs(bit) < 0.05 or abs(bit - 1.1) < 0.05 for bit in bits)
    assert 2 <= sum(bit > 0.5 for bit in bits) <= 14
    assert 1e-11 < results["e_vw_write"] < 1e-8


@pytest.mark.parametrize(
    "name",
    [
        "gates",
        "mac",
        "mac_mux",
        "mac_mux_tree",
        "mac_counter",
        "lfsr_sng",
        "binary_multiplier",
    ],
)
def test_decks_of_logic_give_the_outputs_they_announce(name: str) -> None:
    path = ROOT / "netlists" / f"{name}.cir"
    results = measured(run_batch(path))
    lines = re.findall(r"^\* outputs should be (.*)$", path.read_text(), re.MULTILINE)
    announced = re.findall(r"(\w+)=([01])\b", " ".join(lines))
    assert len(announced) >= 4
    for output, bit in announced:
        assert (results[output.lower()] > 0.55) == (bit == "1"), output
    if name != "gates":
        assert 1e-15 < results["e_per_vector"] < 1e-11


def test_the_column_deck_counts_its_three_products() -> None:
    results = measured(run_batch(ROOT / "netlists" / "mac_column.cir"))
    over = [results[f"over{count}"] for count in range(8)]
    assert sum(value > 0.55 for value in over) == 3
    assert sorted(over, reverse=True) == pytest.approx(over, abs=0.05)
