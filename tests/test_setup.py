"""The set-up finds what is there: with stand-ins for the programs of Debian."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TALKS_ON = "for line in $(seq 20000); do echo another line; done"
"""More than a pipe holds: what no longer finds a reader is killed."""
NEEDED = ("bash", "cat", "dirname", "env", "flock", "grep", "seq")


def test_a_package_is_found_though_its_list_talks_on(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(str(shutil.which(name)))
    stand_ins = {
        "id": "echo 0",
        "apt-get": 'echo "$@" >> ../asked\n[ "$1" = update ]',
        "apt-cache": f'echo "  Candidate: 39.3"\n{TALKS_ON}',
        "python3": f'exec "{sys.executable}" "$@"',
        "ldconfig": f"echo libngspice.so.0\n{TALKS_ON}",
    }
    for name, text in stand_ins.items():
        (programs / name).write_text(f"#!/bin/bash\n{text}\n")
        (programs / name).chmod(0o755)
    (tmp_path / "clone" / "tools").mkdir(parents=True)
    script = shutil.copy(ROOT / "tools" / "setup.sh", tmp_path / "clone" / "tools")
    bash = str(shutil.which("bash"))
    run = subprocess.run(
        [bash, script], env={"PATH": str(programs)}, capture_output=True, text=True, check=False
    )
    # The stand-in refuses to install, so the set-up stops there; asked for is what is missing.
    assert run.returncode == 1
    assert "apt-get install ngspice failed" in run.stderr
    assert "knows no package" not in run.stderr
    assert (tmp_path / "asked").read_text().splitlines()[-1].split()[-1] == "ngspice"
