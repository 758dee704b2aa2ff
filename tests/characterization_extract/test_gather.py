"""Cells at all conditions: windows that fit each, ratings of each, and what ngspice cannot do.

The simulations of a cell are stood for by what they would give; its own tests make them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from characterization.extract import gather
from characterization.extract.conditions import Conditions
from characterization.extract.faults import Missing
from characterization.extract.library import COLUMN
from characterization.extract.options import ExtractOptions
from circuits.logic.cell import REGISTER
from circuits.ratings import Stress
from circuits.simulator import SimulationError
from devices.technology import CMOS40LP
from formats.errors import InputError, Remark

FAILED = SimulationError("ngspice: no convergence")
CORNERS = Conditions((1e-4,), (300.0,), ("tt", "ss"))
EACH = gather.in_parallel(1)
MILD = Stress("m1", "nmos", "gs", 1.1, 1.21)


def quiet(_: str) -> None:
    """Say nothing."""


def failing(corner: str, found: Any = None) -> Callable[..., Any]:
    """Gives ``found``, but fails for a library or technology of the corner."""

    def work(*given: Any) -> Any:
        if any(getattr(getattr(one, "technology", one), "corner", None) == corner for one in given):
            raise FAILED
        return found

    return work


def library(technology: Any, **worst: Stress) -> Any:
    """Gates, register and checked MAC of a corner, with their largest stresses."""
    return SimpleNamespace(
        technology=technology,
        gates={"inv": SimpleNamespace(worst=worst.get("inv", MILD))},
        register=SimpleNamespace(worst=worst.get("register", MILD)),
        checks={"mac": SimpleNamespace(worst=worst.get("mac", MILD))},
        unchecked={},
    )


def logic() -> tuple[Any, Any, Conditions, list[Missing]]:
    options = ExtractOptions(device=Path("device.json"), cells=())
    simulator: Any = None
    return gather.logic_cells_of(simulator, CMOS40LP, CORNERS, options, EACH, quiet)


@pytest.fixture
def sng(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An SNG at both corners whose windows differ; what was asked of its characterisation."""
    asked: dict[str, Any] = {}

    def characterise(benches: Any, window: Any, *_: Any) -> Any:
        asked["window"] = window
        return [SimpleNamespace(bench=bench, worst=MILD) for bench in benches], []

    for name in ("weak_write", "read_disturb", "read_errors", "failed_reset"):
        monkeypatch.setattr(gather, f"refuse_{name}", lambda *_: None)
    monkeypatch.setattr(gather, "write_window", lambda _, design, __: design.window)
    monkeypatch.setattr(gather, "characterise", characterise)
    monkeypatch.setattr(gather, "sng_group", lambda *_: "group")
    asked["benches"] = [
        SimpleNamespace(
            device=None,
            design=SimpleNamespace(path="io", window=window),
            technology=CMOS40LP.at(corner, 300.0),
            attempt=lambda work: work(),
            faults=[],
        )
        for corner, window in (("tt", (1.0, 2.0)), ("ss", (1.2, 2.5)))
    ]
    return asked


def sng_cells(asked: dict[str, Any], **options: Any) -> tuple[Any, list[Missing]]:
    chosen = ExtractOptions(device=Path("device.json"), **options)
    return gather.sng_cells(asked["benches"], CORNERS, chosen, EACH, quiet)


def test_write_voltages_span_the_window_of_every_condition(sng: dict[str, Any]) -> None:
    sng_cells(sng)
    assert sng["window"] == (1.0, 2.5)


def test_a_comparison_that_fails_leaves_the_sng_and_is_missing(
    sng: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "check_table", lambda nominal, **_: failing("tt")(nominal.bench))
    with pytest.warns(Remark, match="comparison with Monte Carlo is left out"):
        found, missing = sng_cells(sng, check=True, pulse_width=(1e-4,))
    assert found == "group"
    assert missing == [Missing("comparison with Monte Carlo", 1e-4, 300.0, "tt", FAILED)]


@pytest.mark.parametrize(("part", "name"), [("inv", "inv"), ("register", REGISTER), ("mac", "mac")])
def test_logic_beyond_a_rating_at_any_corner_is_refused(
    part: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beyond = Stress("m7", "nmos", "ds", 1.3, 1.21)

    def characterised(_: Any, there: Any, *__: Any) -> Any:
        return library(there, **({part: beyond} if there.corner == "ss" else {}))

    monkeypatch.setattr(gather, "characterise_library", characterised)
    with pytest.raises(InputError, match=rf"cell {name}, transistor m7 .*rated 1.21 V"):
        logic()


def test_gates_without_delays_at_a_corner_are_missing_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their energies, which were simulated before, are not kept alone."""
    monkeypatch.setattr(gather, "characterise_library", lambda _, there, *__: library(there))
    monkeypatch.setattr(gather, "characterise_timings", failing("ss", "delays"))
    for name in ("register_group", "mac_group", "reference_group"):
        monkeypatch.setattr(gather, name, lambda *_: None)
    monkeypatch.setattr(gather, "gate_group", lambda _, libraries, timings, __: timings)
    with pytest.warns(Remark, match="logic at ss, 300 K is left out"):
        groups, libraries, conditions, missing = logic()
    assert groups["inv"] == ["delays"]
    assert [one.technology.corner for one in libraries] == ["tt"]
    assert conditions.environments == [(300.0, "tt")]
    assert missing == [Missing("logic", None, 300.0, "ss", FAILED)]


def test_a_column_that_fails_at_one_corner_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "characterise_column", failing("ss", "column"))
    libraries = [library(CMOS40LP.at(corner, 300.0)) for corner in CORNERS.corners]
    simulator, devices = None, {300.0: None}
    options = ExtractOptions(device=Path("device.json"), cells=(COLUMN,))
    column: Any = gather.column_cell
    with pytest.warns(Remark, match=f"{COLUMN} at ss, 300 K is left out"):
        found = column(simulator, devices, libraries, CORNERS, options, quiet)
    assert found == ({}, {}, [Missing(COLUMN, None, 300.0, "ss", FAILED)])
