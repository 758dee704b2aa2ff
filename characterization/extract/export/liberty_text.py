"""Groups and attributes of the Liberty format as text; knows the syntax and nothing of cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
DIGITS = 12
"""Significant digits of a number, so that it reads back as what cells.nc holds."""

Value = float | int | bool | str


@dataclass
class Group:
    """``name (arguments) { attributes, groups }``, in the order they were added."""

    name: str
    arguments: tuple[str, ...] = ()
    lines: list[str] = field(default_factory=list)

    def set(self, name: str, value: Value, *, word: bool = False) -> None:
        """A simple attribute, a ``word`` without quotes.

        Raises ValueError for a text that Liberty cannot quote.
        """
        self.lines.append(f"{name} : {_written(value, word)};")

    def call(self, name: str, *values: Value) -> None:
        """A complex attribute, ``name (value, ...)``."""
        self.lines.append(f"{name} ({', '.join(_written(value, False) for value in values)});")

    def add(self, group: Group) -> None:
        """A group inside this one."""
        self.lines += group.text().splitlines()

    def remark(self, text: str) -> None:
        """A comment."""
        self.lines.append(f"/* {text.replace('*/', '* /')} */")

    def text(self) -> str:
        """The group as text, two blanks a level."""
        body = "".join(f"  {line}\n" for line in self.lines)
        return f"{self.name} ({', '.join(self.arguments)}) {{\n{body}}}\n"


def identifier(text: str) -> str:
    """``text`` if it can stand as a name without quotes; raises ValueError otherwise."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name of Liberty: letters, digits and _ are")
    return text


def table(name: str, values: list[list[float]] | float, template: str = "scalar") -> Group:
    """A group of table values: one number, or rows of a look-up table."""
    group = Group(name, (template,))
    rows = [[values]] if isinstance(values, (float, int)) else values
    texts = [f'"{", ".join(number(value) for value in row)}"' for row in rows]
    group.lines.append(f"values ({', '.join(texts)});")
    return group


def number(value: float) -> str:
    """A number with all digits that matter."""
    return f"{float(value):.{DIGITS}g}"


def _written(value: Value, word: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if word:
        return identifier(value)
    if '"' in value or "\n" in value or "\\" in value:
        raise ValueError(f"{value!r} cannot stand in the quotes of Liberty")
    return f'"{value}"'
