"""What is said of dependencies: a licence that does not fit, and a weakness, fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("licence", "code"),
    [
        ("BSD-3-Clause", 0),
        ("Apache Software License", 0),
        ("GNU General Public License v2 or later (GPLv2+)", 0),
        ("GNU General Public License v2 (GPLv2)", 1),
        ("GPL-2.0-only", 1),
        ("UNKNOWN", 1),
        ("Proprietary, BSD on request", 1),
    ],
)
def test_a_licence_that_is_unknown_or_unfit_fails_by_name(
    tmp_path: Path, licence: str, code: int
) -> None:
    path = tmp_path / "licences.json"
    path.write_text(json.dumps([{"Name": "some", "Version": "1.0", "License": licence}]))
    run = _run("licences.py", path)
    assert run.returncode == code, run.stdout
    assert ("some 1.0" in run.stderr) == bool(code)


def test_a_known_weakness_fails_and_what_was_not_looked_up_is_said(tmp_path: Path) -> None:
    answer, said = tmp_path / "audit.json", tmp_path / "audit.txt"
    said.write_text("no route to host")
    assert (
        "NOT AUDITED: pip-audit gave no answer (no route" in _run("audit.py", answer, said).stdout
    )
    fine = {"name": "fine", "version": "1", "vulns": []}
    unknown = {"name": "unknown", "skip_reason": "not found"}
    answer.write_text(json.dumps({"dependencies": [fine, unknown]}))
    run = _run("audit.py", answer, said)
    assert run.returncode == 0
    assert "1 of 2 packages audited" in run.stdout and "NOT AUDITED: 1 packages" in run.stdout
    weak = {"name": "weak", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
    answer.write_text(json.dumps({"dependencies": [fine, weak]}))
    run = _run("audit.py", answer, said)
    assert run.returncode == 1 and "weak 2: CVE-1, mended in 3" in run.stdout


def _run(script: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
