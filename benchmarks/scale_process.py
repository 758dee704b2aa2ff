"""A command in a process of its own: its wall time, its processor time, its largest memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Used:
    """Exit code, wall time (s), processor time with children (s), memory (bytes).

    ``memory`` is the largest resident set of one process, the command's own or a child's.
    """

    code: int
    seconds: float
    processor: float
    memory: int


def used(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Used:
    """Run a command, what it prints into ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    with log.open("w") as told:
        process = subprocess.Popen(
            command, stdout=told, stderr=told, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Used(
        process.returncode,
        time.monotonic() - begin,
        usage.ru_utime + usage.ru_stime,
        1024 * usage.ru_maxrss,
    )
