"""Our end of one worker process: ask it, with a time limit; kill it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO

from circuits.ngspice.failures import EngineMissing, Failure, Kind
from circuits.ngspice.installation import library_path
from circuits.ngspice.pipe import receive, receive_greeting
from circuits.ngspice.waveforms import Waveforms

_START = 120.0
"""s a process may take to load ngspice; a busy machine takes some."""
_LAST_WORDS = 4096
"""Bytes of what ngspice printed that are kept of a run that hung or died."""


class Child:
    """One process with libngspice loaded, at the other end of two pipes.

    ``version`` is that of its libngspice, "" before the first answer. Raises
    :class:`EngineMissing`.
    """

    def __init__(self) -> None:
        self.version = ""
        self._greeted = False
        ours, theirs = os.pipe(), os.pipe()
        self._receive = Connection(ours[0], writable=False)
        self._send = Connection(theirs[1], readable=False)
        self._printed = _printed_file()
        ends = (theirs[0], ours[1])
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "circuits.ngspice.worker", *map(str, ends)],
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if self._printed is None else self._printed,
                env={
                    **os.environ,
                    "NGSPICE_LIBRARY_PATH": library_path(),
                    "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path),
                    "HOME": os.devnull,  # no .spiceinit of the user's in our results
                },
                start_new_session=True,
            )
        except OSError as error:  # no memory, no more processes
            reason = error.strerror or str(error)
            raise EngineMissing(f"no process can be started for ngspice ({reason})") from error
        finally:
            for end in ends:
                os.close(end)

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, deck: str, timeout: float) -> Waveforms | Failure:
        """Run a deck within ``timeout`` (s); after a failure the child is of no more use.

        What the process needs to start does not count.
        """
        try:
            if not self._greeted:
                if not self._receive.poll(_START):
                    return self._hang(_START)
                greeting = receive_greeting(self._receive)
                if isinstance(greeting, Failure):
                    return greeting
                self.version, self._greeted = str(greeting or "unknown"), True
            if self._printed is not None:
                self._printed.truncate(0)  # the other end appends
            self._send.send_bytes(deck.encode())
            if not self._receive.poll(timeout):
                return self._hang(timeout)
            return receive(self._receive)
        except (EOFError, OSError):
            return Failure(Kind.CRASH, f"the ngspice process died{self._end()}", self._last_words())

    def _hang(self, timeout: float) -> Failure:
        return Failure(Kind.HANG, f"no answer after {timeout:g} s", self._last_words())

    def _end(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return ""
        return f" (signal {-code})" if code < 0 else f" (exit {code})"

    def _last_words(self) -> str:
        """What the process printed last."""
        if self._printed is None:
            return ""
        try:
            size = self._printed.seek(0, os.SEEK_END)
            self._printed.seek(max(0, size - _LAST_WORDS))
            return self._printed.read().decode(errors="replace")
        except OSError:
            return ""

    def stop(self) -> None:
        """End the process only: who waits for its answer is told that it died."""
        self._process.kill()

    def kill(self) -> None:
        """End the process and close the pipes; may be called twice."""
        self._process.kill()
        self._process.wait()
        self._receive.close()
        self._send.close()
        if self._printed is not None:
            self._printed.close()


def _printed_file() -> IO[bytes] | None:
    """A file without a name for what a worker prints, or None where none can be made."""
    try:
        return tempfile.TemporaryFile("ab+", buffering=0)
    except OSError:
        return None
