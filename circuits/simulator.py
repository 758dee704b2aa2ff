"""The only module that talks to ngspice: decks in, arrays out, in killable processes.

ngspice is treated as a child that may print nonsense, hang or crash. Each worker process loads
libngspice once through PySpice and runs one deck after another; a deck that outlives its time
limit kills its worker, and the next deck gets a new one.
"""

from __future__ import annotations

import contextlib
import ctypes.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

TESTED_VERSION = "39"
DEFAULT_TIMEOUT = 120.0
"""s of wall time for one deck."""


class SimulationError(RuntimeError):
    """ngspice failed on a deck; the message holds its last lines and the path of the kept deck."""


class EngineMissing(RuntimeError):
    """ngspice or libngspice is not installed; the message says how to install it."""


@dataclass(frozen=True)
class Waveforms:
    """Time (s) and saved vectors of one transient, by ngspice name ("v(out)", "i(vdd)").

    ``log`` is what ngspice printed.
    """

    time: np.ndarray
    vectors: dict[str, np.ndarray]
    log: str

    def __getitem__(self, name: str) -> np.ndarray:
        return self.vectors[name.lower()]


def library_path() -> str:
    """Path or soname of libngspice; Debian's package has no plain ``libngspice.so``.

    Raises :class:`EngineMissing`.
    """
    given = os.environ.get("NGSPICE_LIBRARY_PATH")
    if given and Path(given).exists():
        return given
    found = ctypes.util.find_library("ngspice")
    if found is None:
        raise EngineMissing(
            "libngspice is not installed (Debian, Ubuntu: apt-get install libngspice0), or set "
            "NGSPICE_LIBRARY_PATH to the file libngspice.so.0"
        )
    return found


def executable_path() -> str:
    """Path of the ngspice program; raises :class:`EngineMissing`."""
    found = shutil.which("ngspice")
    if found is None:
        raise EngineMissing("ngspice is not installed (Debian, Ubuntu: apt-get install ngspice)")
    return found


def executable_version() -> str:
    """Version of the ngspice program, for example "39"."""
    run = subprocess.run(
        [executable_path(), "--version"], capture_output=True, text=True, timeout=20, check=False
    )
    match = re.search(r"ngspice-(\S+)", run.stdout)
    return match[1] if match else "unknown"


def warn_of_other_version(version: str) -> None:
    """Warn, once in a process, that results were checked with another ngspice."""
    if version.split(".", maxsplit=1)[0] != TESTED_VERSION:
        warnings.warn(
            f"ngspice {version} found; this project is tested with ngspice {TESTED_VERSION}",
            stacklevel=2,
        )


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
            timeout=timeout,
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # see _engine
        )
    except subprocess.TimeoutExpired as error:
        raise SimulationError(f"ngspice -b ran longer than {timeout:g} s on {deck}") from error
    if run.returncode != 0:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-12:])
        raise SimulationError(f"ngspice -b failed on {deck} (exit {run.returncode}):\n{tail}")
    return run.stdout


class Simulator:
    """A pool of ngspice workers.

    Use as a context manager. Results do not depend on ``jobs``: each deck is run on its own.
    """

    def __init__(self, jobs: int = 1, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._jobs = max(1, jobs)
        self._timeout = timeout
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        library_path()

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for worker in self._idle:
                worker.kill()
            self._idle.clear()

    def run(self, deck: str) -> Waveforms:
        """Run one deck (text) and return its saved vectors; raises :class:`SimulationError`."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        worker = worker or _Worker()
        try:
            answer = worker.ask(deck, self._timeout)
        except BaseException:
            worker.kill()
            raise
        with self._lock:
            self._idle.append(worker)
        if "error" in answer:
            raise SimulationError(_failure(deck, answer["error"], answer["log"]))
        vectors = answer["vectors"]
        return Waveforms(vectors.pop("time"), vectors, answer["log"])

    def map(
        self, decks: Sequence[str], progress: Callable[[], None] | None = None
    ) -> list[Waveforms]:
        """Run decks in parallel, in the order given; ``progress`` is called after each."""
        import joblib

        def one(deck: str) -> Waveforms:
            result = self.run(deck)
            if progress is not None:
                progress()
            return result

        # Threads only wait for the worker processes, which do the work and can be killed.
        parallel = joblib.Parallel(n_jobs=self._jobs, backend="threading")
        return list(parallel(joblib.delayed(one)(deck) for deck in decks))


class _Worker:
    """One child process with libngspice loaded, at the other end of a pipe."""

    def __init__(self) -> None:
        ours, theirs = os.pipe(), os.pipe()
        self._receive = Connection(ours[0], writable=False)
        self._send = Connection(theirs[1], readable=False)
        environment = {**os.environ, "NGSPICE_LIBRARY_PATH": library_path()}
        self._folder = tempfile.TemporaryDirectory(prefix="stochram-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "circuits.simulator", str(theirs[0]), str(ours[1])],
            pass_fds=(theirs[0], ours[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            cwd=self._folder.name,
            start_new_session=True,
        )
        os.close(theirs[0])
        os.close(ours[1])

    def ask(self, deck: str, timeout: float) -> dict[str, Any]:
        try:
            self._send.send(deck)
            if not self._receive.poll(timeout):
                raise SimulationError(_failure(deck, f"no answer after {timeout:g} s", ""))
            return dict(self._receive.recv())
        except (EOFError, OSError) as error:
            raise SimulationError(_failure(deck, "the ngspice process died", "")) from error

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._receive.close()
        self._send.close()
        self._folder.cleanup()


def _failure(deck: str, reason: str, log: str) -> str:
    """A message with the kept deck's path and ngspice's last lines."""
    handle, name = tempfile.mkstemp(prefix="stochram-failed-", suffix=".cir")
    with os.fdopen(handle, "w") as kept:
        kept.write(deck)
    tail = "\n".join(log.splitlines()[-8:])
    return f"ngspice: {reason}; deck kept as {name}" + (f"\n{tail}" if tail else "")


# --- in the worker process -------------------------------------------------------------------

# A measurement that finds nothing ("Error: measure ... out of interval") is data, not a failure.
_FATAL = re.compile(
    r"Error on line|Error: (?!measure)|.*simulation\(s\) aborted|.*Timestep too small"
    r"|.*can't find model|.*unknown subckt"
)


def _die_with_parent() -> None:
    """End this process once its parent is gone, also in the midst of a run."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _worker_main(receive_fd: int, send_fd: int) -> None:
    # ngspice runs with Python's lock released, so this thread sees a killed parent in time.
    threading.Thread(target=_die_with_parent, daemon=True).start()
    receive = Connection(receive_fd, writable=False)
    send = Connection(send_fd, readable=False)
    engine = _engine()
    while True:
        try:
            deck = receive.recv()
        except EOFError:
            return
        send.send(_answer(engine, deck))


def _engine() -> Any:
    import logging

    logging.disable(logging.CRITICAL)  # PySpice logs every line ngspice prints
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    class TolerantNgSpice(NgSpiceShared):
        """Takes for errors only what is fatal; PySpice takes any line with the word in it."""

        def exec_command(self, command: str, join_lines: bool = True) -> Any:
            try:
                return super().exec_command(command, join_lines)
            except NameError:  # PySpice's error classes are NameErrors
                return self.stdout if join_lines else self._stdout

    engine = TolerantNgSpice.new_instance()
    # One thread a worker: parallel runs are separate processes, and OpenMP threads that wait for
    # each other on a busy machine are many times slower than one.
    engine.exec_command("set num_threads=1")
    return engine


def _answer(engine: Any, deck: str) -> dict[str, Any]:
    log: list[str] = []

    def note() -> None:
        log.extend([*engine._stdout, *engine._stderr])

    try:
        with contextlib.suppress(NameError):
            engine.load_circuit(deck)
        note()
        fatal = [line for line in log if _FATAL.match(line.strip())]
        if fatal:
            return {"error": fatal[0].strip(), "log": "\n".join(log)}
        engine.run()
        note()
        fatal = [line for line in log if _FATAL.match(line.strip())]
        if fatal:
            return {"error": fatal[0].strip(), "log": "\n".join(log)}
        names = [name for name in engine.plot_names if name != "const"]
        if not names:
            return {"error": "no analysis was run", "log": "\n".join(log)}
        plot = engine.plot(None, names[0])
        vectors = {_canonical(name): np.array(plot[name]._data) for name in plot}
        if "time" not in vectors or not all(np.all(np.isfinite(v)) for v in vectors.values()):
            return {"error": "no transient, or values that are not finite", "log": "\n".join(log)}
        return {"vectors": vectors, "log": "\n".join(log)}
    except (NameError, KeyError, ValueError, IndexError) as error:
        return {"error": f"{type(error).__name__}: {error}", "log": "\n".join(log)}
    finally:
        # Without this ngspice keeps every result: 96 MB in 2,000 runs instead of 3.
        engine.exec_command("destroy all")
        engine.exec_command("remcirc")


def _canonical(name: str) -> str:
    """ngspice's "vdd#branch" and bare node names as "i(vdd)" and "v(node)"."""
    name = name.lower()
    if name == "time" or name.startswith(("v(", "i(", "@")):
        return name
    return f"i({name.removesuffix('#branch')})" if name.endswith("#branch") else f"v({name})"


if __name__ == "__main__":
    _worker_main(int(sys.argv[1]), int(sys.argv[2]))
