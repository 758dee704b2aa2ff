"""Children of :mod:`formats.child` without their start: forked from a process that has loaded what
they need, thousands in the time of a hundred. What they do and how they are judged stays ours.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from formats import child

_CONTEXT = multiprocessing.get_context("forkserver")
_LOADED = ["pytest", "fastparquet", "formats.netcdf_guard", "characterization.fit.table.parquet"]


@contextmanager
def nursed() -> Iterator[list[int]]:
    """In here children are forked; gives the list of their exit codes (None: it was killed)."""
    _CONTEXT.set_forkserver_preload([*_LOADED, __name__])
    codes: list[Any] = []

    def run(command: list[str], **options: Any) -> Any:
        found = _forked(command[-2:], options["input"], options["timeout"])
        codes.append(None if found is None else found.returncode)
        if found is None:
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return found

    stand_in = SimpleNamespace(
        run=run,
        PIPE=subprocess.PIPE,
        DEVNULL=subprocess.DEVNULL,
        TimeoutExpired=subprocess.TimeoutExpired,
    )
    with patch.object(child, "subprocess", stand_in):
        yield codes


def _forked(task: list[str], content: bytes, seconds: float) -> SimpleNamespace | None:
    """The exit code and the standard output of a child; None where it took too long."""
    receiver, sender = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_tried, args=(task, content, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            process.kill()
            process.join()
            return None
        try:
            answer = receiver.recv_bytes()
        except EOFError:  # it crashed
            answer = b""
        process.join()
        return SimpleNamespace(returncode=process.exitcode, stdout=answer)
    finally:
        receiver.close()
        process.close()


def _tried(task: list[str], content: bytes, sender: Connection) -> None:
    """:func:`formats.child.tried` with the task, the content and the answer in their places."""
    answer = io.BytesIO()
    sys.argv = ["", "", *task]
    sys.stdin = io.TextIOWrapper(io.BytesIO(content))
    sys.stdout = output = io.TextIOWrapper(answer)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        child.tried()
    finally:
        sender.send_bytes(answer.getvalue())
        output.close()
