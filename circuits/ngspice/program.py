"""A deck through the plain program, as a user without this project would run it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from circuits.ngspice.failures import SimulationError
from circuits.ngspice.installation import executable_path

DEFAULT_TIMEOUT = 120.0
"""s of wall time for one deck."""
_LAST_LINES = 12


def run_batch(deck: Path, timeout: float = DEFAULT_TIMEOUT) -> str:
    """Run a deck with plain ``ngspice -n -b`` and return what it printed.

    Raises :class:`SimulationError` on failure or timeout.
    """
    command = [executable_path(), "-n", "-b", str(deck)]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # see circuits.ngspice.worker
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""  # bytes, whatever was asked for
        tail = "\n".join(said.decode(errors="replace").splitlines()[-_LAST_LINES:])
        raise SimulationError(
            f"ngspice -b ran longer than {timeout:g} s on {deck}:\n{tail}", deck
        ) from error
    if run.returncode != 0:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-_LAST_LINES:])
        raise SimulationError(f"ngspice -b failed on {deck} (exit {run.returncode}):\n{tail}", deck)
    return run.stdout
