"""Command lines of the documents: run in this process, or only read by the commands themselves."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from typing import Any

import typer

from stochram.cli import STAGES, app, main
from tests.documents.blocks import ROOT

MODULES = {module.removesuffix(".cli"): name for name, module in STAGES.items()}
_FOREIGN = {"sudo", "git", "cd", "dask", "docker"}


def run(line: str) -> str:
    """Run a line in the current folder and return what it prints; fails unless it ends well.

    A line with the comment "refused" must end with code 2; its message is what it prints. Our
    commands run here, to load JAX and compile once; anything else in a process of its own.
    """
    words = shlex.split(line, comments=True)
    ours = stochram_words(words)
    if ours is None:
        if words[0] == "python":
            words[0] = sys.executable
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{line}\nends with {done.returncode}: {done.stderr[-2000:]}"
        return done.stdout
    printed, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        code = main(ours)
    if line.endswith("# refused"):
        assert code == 2, f"{line}\nends with {code}"
        return complained.getvalue()
    assert code == 0, f"{line}\nends with {code}: {complained.getvalue()[-2000:]}"
    return printed.getvalue()


def stochram_words(words: list[str]) -> list[str] | None:
    """The words after ``stochram``, also for ``python -m`` with one of our commands, or None."""
    if words[0] == "stochram":
        return words[1:]
    if words[:2] == ["python", "-m"] and words[2] in MODULES:
        return [MODULES[words[2]], *words[3:]]
    return None


def command(name: str) -> Any:
    """The click command called ``stochram NAME``; KeyError where there is none."""
    if name in STAGES:
        return typer.main.get_command(importlib.import_module(STAGES[name]).app)
    whole: Any = typer.main.get_command(app)
    return whole.commands[name]


def options() -> set[str]:
    """Every option of every command."""
    whole: Any = typer.main.get_command(app)
    every = [command(name) for name in (*STAGES, *whole.commands)]
    return {word for each in every for parameter in each.params for word in parameter.opts} | {
        "--help"
    }


def read_only(line: str) -> None:
    """Fail unless the line could run: its options exist and its values can be read."""
    words = shlex.split(line, comments=True)
    ours = stochram_words(words)
    if ours is not None:
        assert ours, f"{line}: names no command"
        command(ours[0]).make_context(ours[0], list(ours[1:]))
    elif words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words[1:]) <= set(targets), f"{line}: the Makefile has no such target"
    elif words[:2] == ["pip", "install"]:
        _extras_exist(line)
    elif words[0].endswith("python"):
        script = words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1]
        assert (ROOT / script).is_file() or words[2] == "pytest", f"{line}: no such script"
    elif words[0] == "ngspice":
        assert (ROOT / words[-1]).is_file(), f"{line}: no such deck"
    else:
        assert words[0] in _FOREIGN, f"{line}: a command this test does not know"


def _extras_exist(line: str) -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for extra in re.findall(r"stochram\[([\w,]+)\]", line):
        missing = set(extra.split(",")) - set(known["optional-dependencies"])
        assert not missing, f"{line}: no such extra"
