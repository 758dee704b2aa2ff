"""The one error a user's input can cause, and how a command ends on it: one line, exit code 2."""

from __future__ import annotations

import errno
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_INTERRUPTED = 130
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


def run_command(app: Callable[..., Any], arguments: Sequence[str] | None = None) -> int:
    """Run a Typer application and return its exit code.

    0 for success, 2 for an :class:`InputError`, a wrong option, or a path or disk that refuses (one
    line on standard error), 130 after Ctrl-C. Any other exception is a defect of ours and keeps its
    traceback. A :class:`Remark` is one line on standard error.
    """
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, Remark):
                print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = show
        return _exit_code(app, arguments)


def _exit_code(app: Callable[..., Any], arguments: Sequence[str] | None) -> int:
    try:
        code = app(args=None if arguments is None else list(arguments), standalone_mode=False)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        place = _printable(str(error.filename or "the machine"))
        print(f"error: {place}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: no file was left half-written", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:
        # Typer's usage errors and aborts; the module that defines them differs between releases.
        if type(error).__name__ == "Abort":
            print("interrupted: no file was left half-written", file=sys.stderr)
            return _INTERRUPTED
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        message = " ".join(str(describe()).split())
        print(f"error: command line: {message} (see --help)", file=sys.stderr)
        return 2
    if code == _INTERRUPTED:  # some releases of Typer swallow Ctrl-C into this code
        print("interrupted: no file was left half-written", file=sys.stderr)
    return code if isinstance(code, int) else 0
