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


def test_sng_deck_prints_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = measured(run_batch(ROOT / "netlists" / "sng.cir"))
    bits = [results[f"bit{cycle}"] for cycle in range(16)]
    assert all(abs(bit) < 0.05 or abs(bit - 1.1) < 0.05 for bit in bits)
    assert 2 <= sum(bit > 0.5 for bit in bits) <= 14
    assert 1e-11 < results["e_vw_write"] < 1e-8


@pytest.mark.parametrize("name", ["mac", "mac_mux"])
def test_mac_decks_print_energy_and_the_outputs_they_announce(name: str) -> None:
    path = ROOT / "netlists" / f"{name}.cir"
    results = measured(run_batch(path))
    announced = re.findall(
        r"(\w+)=([01])\b", path.read_text().split("should be ")[1].split("\n")[0]
    )
    assert announced
    for output, bit in announced:
        assert (results[output] > 0.55) == (bit == "1")
    assert 1e-15 < results["e_per_bit"] < 1e-13
