"""Lets a child process read what C code may hang, crash or run out of memory on.

The child gets what is to be read, the limits, and nothing else of ours. It hands back plain bytes,
so that what it read need not be decoded again here, or the reason why it could not.
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
_REFUSED = 3
"""Exit code of a child that says why it failed."""


class RefusedError(Exception):
    """Why the child did not hand over what was asked."""


def delivered(function: str, argument: str, content: bytes = b"") -> bytes:
    """What ``function`` (MODULE:NAME) makes of the text ``argument`` and ``content`` in a child.

    Raises :class:`RefusedError` with one line where it fails, hangs or crashes.
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
    except subprocess.TimeoutExpired as error:
        raise RefusedError(f"it does not come to an end in {MOST_SECONDS:g} s") from error
    if child.returncode == _REFUSED:
        raise RefusedError(child.stdout.decode(errors="replace"))
    if child.returncode:
        raise RefusedError(f"its reader crashes, with code {child.returncode}")
    return bytes(child.stdout)


def tried() -> None:
    """What the child does: the function, within limits; its bytes, or the reason, on stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer, sys.stdout = sys.stdout.buffer, sys.stderr
    module, name = sys.argv[2].split(":")
    try:
        found = getattr(importlib.import_module(module), name)(sys.argv[3], sys.stdin.buffer.read())
    except Exception as error:
        answer.write(first_line(error).encode(errors="replace"))
        sys.exit(_REFUSED)
    answer.write(found)


def first_line(error: BaseException) -> str:
    """The first line of what an exception says, or its name."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
