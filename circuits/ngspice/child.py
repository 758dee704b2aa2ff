"""Our end of one worker process: ask it, with a time limit; kill it."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from circuits.ngspice.failures import Failure, Kind
from circuits.ngspice.installation import library_path
from circuits.ngspice.pipe import receive
from circuits.ngspice.waveforms import Waveforms


class Child:
    """One process with libngspice loaded, at the other end of two pipes."""

    def __init__(self) -> None:
        ours, theirs = os.pipe(), os.pipe()
        self._receive = Connection(ours[0], writable=False)
        self._send = Connection(theirs[1], readable=False)
        ends = (theirs[0], ours[1])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "circuits.ngspice.worker", *map(str, ends)],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                "NGSPICE_LIBRARY_PATH": library_path(),
                "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path),
                "HOME": os.devnull,  # no .spiceinit of the user's in our results
            },
            start_new_session=True,
        )
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
        """Run a deck; after a crash or a hang the child is of no more use."""
        try:
            self._send.send_bytes(deck.encode())
            if not self._receive.poll(timeout):
                return Failure(Kind.HANG, f"no answer after {timeout:g} s")
            return receive(self._receive)
        except (EOFError, OSError):
            return Failure(Kind.CRASH, f"the ngspice process died{self._last_words()}")

    def _last_words(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return ""
        return f" (signal {-code})" if code < 0 else f" (exit {code})"

    def stop(self) -> None:
        """End the process only: who waits for its answer is told that it died."""
        self._process.kill()

    def kill(self) -> None:
        """End the process and close the pipes; may be called twice."""
        self._process.kill()
        self._process.wait()
        self._receive.close()
        self._send.close()
