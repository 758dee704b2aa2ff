"""The one error a user's input can cause, and how a command ends on it: one line, exit code 2."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from formats.interrupts import EXIT_CODE, INTERRUPTS, asked, say_interrupted


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
        self.where = str(where)
        self.problem = " ".join(str(problem).split())
        super().__init__(f"{self.where}: {self.problem}")


class Remark(RuntimeWarning):
    """A warning for the user: something happened that stops nothing; a command shows one line."""


def run_command(app: Callable[..., Any], arguments: Sequence[str] | None = None) -> int:
    """Run a Typer application and return its exit code.

    0 for success, 2 for an :class:`InputError` or a wrong option (one line on standard error),
    130 after Ctrl-C (one line, too). Any other exception is a defect of ours and keeps its
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
    except INTERRUPTS:
        return _interrupted()
    except Exception as error:
        # Typer's usage errors and aborts; the module that defines them differs between releases.
        if asked() or type(error).__name__ == "Abort":
            return _interrupted()
        if isinstance(error, InputError):
            print(f"error: {error}", file=sys.stderr)
            return 2
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        message = " ".join(str(describe()).split())
        print(f"error: command line: {message} (see --help)", file=sys.stderr)
        return 2
    if code == EXIT_CODE:  # some releases of Typer swallow Ctrl-C into this code
        return _interrupted()
    return code if isinstance(code, int) else 0


def _interrupted() -> int:
    say_interrupted()
    return EXIT_CODE
