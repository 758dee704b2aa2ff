"""The worker process: libngspice loaded once through PySpice, one deck after another.

Started as ``python -m circuits.ngspice.worker FD FD``; imports nothing of ours but its neighbours.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from circuits.ngspice.failures import Failure, Kind
from circuits.ngspice.pipe import Packed, pack, send_failure, send_greeting, send_result

# A measurement that finds nothing ("Error: measure ... out of interval") is data, not a failure:
# the device did not switch.
_FATAL = re.compile(
    r"Error on line|Error: (?!measure)|.*simulation\(s\) aborted|.*Timestep too small"
    r"|.*can't find model|.*unknown subckt"
)
_CONVERGENCE = re.compile(
    r".*Timestep too small|.*simulation\(s\) aborted|.*[Nn]o convergence|.*singular matrix"
    r"|.*iteration limit"
)
_NO_MEMORY = re.compile(r".*can't allocate|.*[Oo]ut of memory")
_STDERR = 2


def main(receive_fd: int, send_fd: int) -> None:
    """Say that ngspice is loaded, or why not; then answer decks until the pipe closes.

    What ngspice prints goes to standard error as well, at once: it is what is left of a run that
    hangs or dies.
    """
    # ngspice runs with Python's lock released, so this thread sees a killed parent in time.
    threading.Thread(target=_die_with_parent, daemon=True).start()
    receive = Connection(receive_fd, writable=False)
    send = Connection(send_fd, readable=False)
    try:
        _into_no_folder()
    except OSError as error:
        words = f"no folder can be made for temporary files ({error}); set TMPDIR to one with room"
        send_failure(send, Failure(Kind.ENGINE, words))
        return
    try:
        engine = _engine()
    except Exception as error:  # whatever it is, it is said on the other side
        library = os.environ.get("NGSPICE_LIBRARY_PATH", "")
        words = f"{library} cannot be used as libngspice ({error}); install libngspice0, and unset "
        words += "NGSPICE_LIBRARY_PATH or set it to the file libngspice.so.0"
        send_failure(send, Failure(Kind.ENGINE, words))
        return
    send_greeting(send, engine.ngspice_version)
    while True:
        try:
            deck = receive.recv_bytes().decode()
        except EOFError:
            return
        answer, log = _answer(engine, deck)
        if isinstance(answer, Failure):
            send_failure(send, answer)
        else:
            send_result(send, answer, log)


def _into_no_folder() -> None:
    """Work in a folder that is already deleted: nothing is read from it or left behind in it.

    ngspice reads a ``.spiceinit`` where it is started, and its models write check files there.
    """
    folder = tempfile.mkdtemp(prefix="stochram-")
    os.chdir(folder)
    os.rmdir(folder)  # noqa: PTH106


def _die_with_parent() -> None:
    """End this process once its parent is gone, also in the midst of a run."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _engine() -> Any:
    import logging

    logging.disable(logging.CRITICAL)  # PySpice logs every line ngspice prints
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    class TolerantNgSpice(NgSpiceShared):
        """Takes for errors only what is fatal; PySpice takes any line with the word in it."""

        def send_char(self, message: str, ngspice_id: int) -> int:
            with contextlib.suppress(OSError):  # a full disk
                os.write(_STDERR, f"{message.partition(' ')[2]}\n".encode())
            return 0

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


def _answer(engine: Any, deck: str) -> tuple[Packed | Failure, str]:
    """The vectors of a deck's transient, or why there are none; and what ngspice printed."""
    log: list[str] = []
    try:
        with contextlib.suppress(NameError):
            engine.load_circuit(deck)
        log += [*engine._stdout, *engine._stderr]
        failure = _printed_failure(log)
        if failure is None:
            engine.run()
            log += [*engine._stdout, *engine._stderr]
            failure = _printed_failure(log)
        text = "\n".join(log)
        return (_vectors(engine, text) if failure is None else failure), text
    except (NameError, KeyError, ValueError, IndexError) as error:
        text = "\n".join(log)
        return Failure(Kind.NETLIST, f"{type(error).__name__}: {error}", text), text
    finally:
        # Without this ngspice keeps every result: 96 MB in 2,000 runs instead of 3.
        engine.exec_command("destroy all")
        engine.exec_command("remcirc")


def _printed_failure(log: list[str]) -> Failure | None:
    lines = [line.strip() for line in log]
    for line in lines:
        if _NO_MEMORY.match(line):
            return Failure(Kind.CRASH, line, "\n".join(log))
    fatal = [line for line in lines if _FATAL.match(line)]
    if not fatal:
        return None
    convergence = any(_CONVERGENCE.match(line) for line in lines)
    kind = Kind.CONVERGENCE if convergence else Kind.NETLIST
    return Failure(kind, fatal[0], "\n".join(log))


def _vectors(engine: Any, text: str) -> Packed | Failure:
    names = [name for name in engine.plot_names if name != "const"]
    if not names:
        return Failure(Kind.NETLIST, "no analysis was run", text)
    plot = engine.plot(None, names[0])
    vectors = {_canonical(name): plot[name]._data for name in plot}
    if "time" not in vectors:
        return Failure(Kind.NETLIST, "no transient analysis", text)
    packed = pack(vectors)
    if not (len(vectors["time"]) and np.isfinite(packed.data).all()):
        return Failure(Kind.CONVERGENCE, "no time points, or values that are not finite", text)
    return packed


def _canonical(name: str) -> str:
    """ngspice's "vdd#branch" and bare node names as "i(vdd)" and "v(node)"."""
    name = name.lower()
    if name == "time" or name.startswith(("v(", "i(", "@")):
        return name
    return f"i({name.removesuffix('#branch')})" if name.endswith("#branch") else f"v({name})"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
