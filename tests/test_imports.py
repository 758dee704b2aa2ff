"""Imports point one way, seen from fresh interpreters and from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("formats", "devices", "circuits", "characterization", "system", "stochram")
ALLOWED = {
    "formats": {"formats"},
    "devices": {"devices"},
    "circuits": {"circuits", "devices", "formats"},
    "characterization/page": {"characterization.page"},
    "characterization/fit": {"characterization.fit", "characterization.page", "devices", "formats"},
    "characterization/synapse": {
        "characterization.synapse",
        "characterization.fit.table",
        "characterization.fit.observations.columns",
        "devices",
        "formats",
    },
    "characterization/extract": {
        "characterization.extract",
        "characterization.page",
        "circuits",
        "devices",
        "formats",
    },
    "system": {"system", "devices", "formats"},
    "stochram": set(OURS) | {"characterization.fit", "characterization.extract"},
}


def imported(path: Path) -> set[str]:
    """Absolute names of our packages that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return {name for name in names if name.split(".")[0] in OURS}


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_source_imports_only_what_its_room_may(room: str) -> None:
    allowed = ALLOWED[room]
    for path in (ROOT / room).rglob("*.py"):
        for name in imported(path):
            assert any(name == a or name.startswith(f"{a}.") for a in allowed), (
                f"{path.relative_to(ROOT)} imports {name}"
            )


def loaded_after(statement: str) -> set[str]:
    """Top-level modules of a fresh interpreter after a statement."""
    script = f"{statement}\nimport sys\nprint(' '.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.split(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        (
            "import system.train.cli, system.train.stage, system.report.cli",
            {"PySpice", "circuits", "characterization"},
        ),
        ("import characterization.synapse.cli", {"PySpice", "circuits", "system", "jax"}),
        ("import system.synapses.cli", {"PySpice", "circuits", "characterization"}),
        ("import characterization.fit.cli", {"PySpice", "circuits", "system", "jax"}),
        ("import characterization.extract.cli", {"system", "jax"}),
        ("import devices.cbram, devices.presets", {"formats", "circuits", "system", "PySpice"}),
        ("import stochram.cli", {"PySpice", "jax"}),
    ],
)
def test_a_fresh_interpreter_loads_nothing_from_the_rooms_above(
    statement: str, forbidden: set[str]
) -> None:
    assert not loaded_after(statement) & forbidden


def test_only_one_folder_talks_to_ngspice() -> None:
    for room in OURS:
        for path in (ROOT / room).rglob("*.py"):
            if path.parent == ROOT / "circuits" / "ngspice":
                continue
            text = path.read_text()
            assert "NgSpiceShared" not in text, path
            assert '"ngspice", "-' not in text, path
