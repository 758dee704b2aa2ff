"""The one error a user's input can cause, and how a command ends on it: one line, exit code 2."""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from formats.interrupts import EXIT_CODE, INTERRUPTS, asked, say_interrupted

_OF_THE_MACHINE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EIO,
    errno.ELOOP,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
}
"""What a disk or a path refuses, wherever that comes up; no defect of ours."""


class InputError(Exception):
    """Something the user gave is wrong.

    Parameters
    ----------
    where
        The file (and row, column or key in it), or the option, that is wrong.
    problem
        What was found, what was expected and what to do, in one sentence.
    """

    def __init__(self, where: str | Path, problem: str) -> None:
        self.where = _printable(str(where))
        self.problem = _printable(" ".join(str(problem).split()))
        super().__init__(f"{self.where}: {self.problem}")


def _printable(text: str) -> str:
    """The text on one line: what would break it, or move a terminal's cursor, as an escape."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


class Remark(RuntimeWarning):
    """A warning for the user: something happened that stops nothing; a command shows one line."""


def run_command(
    app: Callable[..., Any], arguments: Sequence[str] | None = None, program: str | None = None
) -> int:
    """Run a Typer application, called ``program`` in its help, and return its exit code.

    0 for success, 2 for an :class:`InputError`, a wrong option, or a path or disk that refuses (one
    line on standard error), 130 after Ctrl-C (one line, too). Any other exception is a defect of
    ours and keeps its traceback. A :class:`Remark` is one line on standard error.
    """
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, Remark):
                print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = show
        return _exit_code(app, arguments, program)


def _exit_code(
    app: Callable[..., Any], arguments: Sequence[str] | None, program: str | None
) -> int:
    words = None if arguments is None else list(arguments)
    try:
        code = app(args=words, prog_name=program, standalone_mode=False)
    except INTERRUPTS:
        return _interrupted()
    except Exception as error:
        if asked() or type(error).__name__ == "Abort":
            return _interrupted()
        line = _words_of(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
    if code == EXIT_CODE:  # some releases of Typer swallow Ctrl-C into this code
        return _interrupted()
    return code if isinstance(code, int) else 0


def _words_of(error: Exception) -> str | None:
    """The line for what the user or the machine caused; None for a defect of ours."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        return f"{_printable(str(error.filename or 'the machine'))}: {error.strerror}"
    # Typer's usage errors; the module that defines them differs between releases.
    describe = getattr(error, "format_message", None)
    if describe is None:
        return None
    said = " ".join(str(describe()).split())
    if type(error).__name__ == "MissingParameter" and (what := error.param.help):  # type: ignore[attr-defined]
        said = f"{said.rstrip('.')}: {' '.join(what.rstrip('.').split())}"
    return f"command line: {said} (see --help)"


def _interrupted() -> int:
    say_interrupted()
    return EXIT_CODE
