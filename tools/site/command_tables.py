"""Print a page of Markdown with every command and option, as the commands' --help knows them."""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterator
from typing import Any

import typer

from stochram.cli import STAGES, app

_INTRODUCTION = """# Commands

`stochram COMMAND --help` prints the same. Commands of a stage are also modules:
`stochram fit` is `python -m characterization.fit`.

"""


def commands() -> Iterator[tuple[str, Any]]:
    """Name and click command of everything that `stochram` can do."""
    whole = typer.main.get_command(app)
    for name, command in whole.commands.items():  # type: ignore[attr-defined]
        module = STAGES.get(name)
        stage = module and typer.main.get_command(importlib.import_module(module).app)
        yield name, stage or command


def page() -> str:
    """The whole page."""
    return _INTRODUCTION + "\n".join(_section(name, command) for name, command in commands())


def _section(name: str, command: Any) -> str:
    module = STAGES.get(name, "").removesuffix(".cli")
    also = f"\nAs a module: `python -m {module}`.\n" if module else ""
    first, *more = (command.help or "").strip().split("\n\n", 1)
    text = more[0] if more else command.epilog or ""
    said = f"{' '.join(first.split())}\n" + (f"\n```text\n{text}\n```\n" if text else "")
    context = command.make_context(name, [], resilient_parsing=True)
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    shown = [each for each in records if each is not None and each[0] != "--help"]
    rows = "".join(f"| {_code(option)} | {_cell(text)} |\n" for option, text in shown)
    return f"## stochram {name}\n\n{said}{also}\n| option | |\n|---|---|\n{rows}"


def _code(text: str) -> str:
    """As code in a table, where a vertical bar would end the cell."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page())
