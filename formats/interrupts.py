"""Ctrl-C (SIGINT): how a command hears of it, says so in one line and ends with exit code 130.

A command starts through :func:`start`. While it loads, nothing is under way and it ends at once.
Afterwards :class:`Interrupted` is raised where the work stands, so that temporary files and
processes go. Compiled code (XLA, a library's callback) may hold a signal back for long, or make
another exception of ours: a thread ends what has not ended by itself after :data:`PATIENCE`.
"""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

EXIT_CODE = 130
PATIENCE = 3.0
"""s from the signal to the end of the process; a second Ctrl-C ends it at once."""
_SAME_KEYSTROKE = 0.5
"""s within which a second signal is the same: ``timeout`` sends it to process and group."""
AGAIN = "the same command starts again"


class Interrupted(BaseException):
    """SIGINT in place of KeyboardInterrupt, of which Typer and other libraries make something else.

    Not a KeyboardInterrupt for that reason; a program that imports us and does not go through
    :func:`start` gets its own KeyboardInterrupt.
    """


INTERRUPTS = (KeyboardInterrupt, Interrupted)
"""What an interrupt may arrive as."""


class _State:
    """Of this process; signals have no other place."""

    asked: float | None = None
    lost = False
    how = AGAIN
    said = False
    ending = threading.Lock()
    """Held by who ends the process: the thread that lost patience, or the command that is done."""


def asked() -> bool:
    """Whether SIGINT has come: what fails now fails because of it."""
    return _State.asked is not None


@contextmanager
def going_on(how: str) -> Iterator[None]:
    """Within the block, ``how`` is what the user is told of a next run after an interrupt."""
    before, _State.how = _State.how, how
    try:
        yield
    except BaseException as error:
        if not (asked() or isinstance(error, INTERRUPTS)):  # these are told of further out
            _State.how = before
        raise
    _State.how = before


def say_interrupted() -> None:
    """The one line, on standard error; a second call says nothing."""
    if _State.said:
        return
    _State.said = True
    cursor = "\x1b[?25h" if os.isatty(2) else ""  # progress bars hide it
    words = f"{cursor}interrupted: no file was left half-written; {_State.how}\n"
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, RuntimeError, ValueError):  # closed, or this is a signal amid a print
        pass
    try:
        os.write(sys.stderr.fileno(), words.encode())
    except (OSError, AttributeError, ValueError):  # a stream without a file, as in a notebook
        print(words, end="", file=sys.stderr)
    _State.how, _State.said = AGAIN, asked()


def start(module: str) -> NoReturn:
    """Load ``module``, run its ``main`` and end the process with the exit code it returns."""
    listens = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # ignored after nohup and &
    if listens:
        signal.signal(signal.SIGINT, _end_at_once)
    command = importlib.import_module(module).main
    if listens:
        _listen()
    try:
        code = command()
    except BaseException as error:
        if not (asked() or isinstance(error, INTERRUPTS)):
            raise
        say_interrupted()  # `stochram train` loads its stage before any command of it runs
        code = EXIT_CODE
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is written, or said
    if asked():
        _State.ending.acquire()
        _leave(code)
    sys.exit(code)


@contextmanager
def loading() -> Iterator[None]:
    """Within the block, which only loads modules, a command ends at once.

    An exception amid the start of a compiled module (jaxlib's) crashes the process.
    """
    if signal.getsignal(signal.SIGINT) is not _raise:
        yield
        return
    signal.signal(signal.SIGINT, _end_at_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _raise)


def _leave(code: int) -> NoReturn:
    """End without taking libraries apart: XLA's threads may still work, and would crash then."""
    atexit._run_exitfuncs()  # of pools of processes, as multiprocessing ends its own
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, RuntimeError, ValueError):
            stream.flush()
    os._exit(code)


def _end_at_once(*_: Any) -> NoReturn:
    _State.ending.acquire(timeout=PATIENCE)
    say_interrupted()
    os._exit(EXIT_CODE)


def _listen() -> None:
    """From now on SIGINT raises, and a thread sees to it that the process ends."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(ours,), daemon=True).start()
    sys.unraisablehook = _unless_asked(sys.unraisablehook)
    threading.excepthook = _unless_asked(threading.excepthook)
    signal.signal(signal.SIGINT, _raise)


def _raise(_number: int, _frame: FrameType | None) -> None:
    now = time.monotonic()
    if _State.asked is None or _State.lost:
        _State.asked, _State.lost = now, False
        warnings.simplefilter("ignore")  # of libraries about the processes we end
        raise Interrupted
    if now - _State.asked > _SAME_KEYSTROKE:
        _end_at_once()


def _watch(signals: socket.socket) -> None:
    """Gets a byte for each signal as it arrives, also while Python's main thread cannot run."""
    while signal.SIGINT not in signals.recv(64):
        pass
    time.sleep(PATIENCE)
    _end_at_once()


def _unless_asked(hook: Any) -> Any:
    """What libraries' threads and destructors die of after an interrupt is not shown.

    An interrupt that came amid a destructor or a callback of the garbage collector, where it is
    lost, comes again a moment later.
    """

    def quiet(event: Any) -> None:
        if not asked():
            hook(event)
        elif event.exc_type is Interrupted:
            _State.lost = True
            main = threading.main_thread().ident
            threading.Timer(0.01, signal.pthread_kill, (main, signal.SIGINT)).start()

    return quiet
