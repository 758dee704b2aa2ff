"""Lets a child process try first what C code may hang, crash or run out of memory on.

The child gets what is to be tried, the limits, and nothing else of ours; what it says is the reason
why it failed. What it came through is then done again in this process.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
from pathlib import Path

MOST_SECONDS = 60.0
MOST_MEMORY = 4 * 2**30
"""Bytes of address space."""
_ROOT = str(Path(__file__).resolve().parents[1])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from formats.child import tried; tried()"


def refusal(function: str, argument: str, content: bytes = b"") -> str | None:
    """Why ``function`` (MODULE:NAME) fails on the argument in a child; None where it does not.

    The function takes the text ``argument`` and the bytes ``content``.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-c", _START, _ROOT, function, argument],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MOST_SECONDS,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it does not come to an end in {MOST_SECONDS:g} s"
    if not child.returncode:
        return None
    said = child.stdout.decode(errors="replace").strip().splitlines()
    return said[-1] if said else f"its reader crashes, with code {child.returncode}"


def tried() -> None:
    """What the child does: the function, within limits; exit code 1 and the reason if it fails."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module, name = sys.argv[2].split(":")
    try:
        getattr(importlib.import_module(module), name)(sys.argv[3], sys.stdin.buffer.read())
    except Exception as error:
        print(first_line(error))
        sys.exit(1)


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its name."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
