"""From ``--vary stream_length=16,32`` and ``--set epochs=3`` to the cells of a grid."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from formats.errors import InputError
from system.sweep.values import expected, is_list, shown, value_of

OURS = ("output", "quiet")
"""Options of a training that the sweep itself sets."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """One value of one option: as the user reads it, and as the training takes it."""

    text: str
    value: Any


@dataclasses.dataclass(frozen=True)
class Grid:
    """What is the same in every cell, and the values of what is varied, in the order given."""

    fixed: Mapping[str, Setting]
    varied: Mapping[str, tuple[Setting, ...]]

    def cells(self) -> Iterator[dict[str, Setting]]:
        """The varied options of each cell; the last one varied changes fastest."""
        for chosen in itertools.product(*self.varied.values()):
            yield dict(zip(self.varied, chosen, strict=True))


def read_grid(options: type, vary: Sequence[str], fixed: Sequence[str]) -> Grid:
    """Read NAME=VALUE,VALUE... (``vary``) and NAME=VALUE (``fixed``) for a dataclass of options.

    Varied values are separated by commas; by semicolons where there is one, and for options that
    are lists themselves. Raises :class:`InputError` for what is none of the options or values.
    """
    hints = typing.get_type_hints(options)
    names = [f.name for f in dataclasses.fields(options) if f.init and f.name not in OURS]
    varied: dict[str, tuple[Setting, ...]] = {}
    for word in vary:
        name, text = _split("--vary", word, names)
        if name in varied:
            raise InputError(f"--vary {name}", "is given twice; give it once")
        separator = ";" if ";" in text or is_list(hints[name]) else ","
        parts = [part.strip() for part in text.split(separator)]
        varied[name] = tuple(_setting(f"--vary {name}", part, hints[name]) for part in parts)
        texts = [each.text for each in varied[name]]
        if twice := [each for each in texts if texts.count(each) > 1]:
            raise InputError(f"--vary {name}", f"{twice[0]} is given twice")
    once: dict[str, Setting] = {}
    for word in fixed:
        name, text = _split("--set", word, names)
        if name in once or name in varied:
            raise InputError(f"--set {name}", "is given twice; give it once")
        once[name] = _setting(f"--set {name}", text, hints[name])
    return Grid(once, varied)


def _split(option: str, word: str, names: Sequence[str]) -> tuple[str, str]:
    """The name and the text of NAME=TEXT."""
    name, equals, text = word.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    if not equals:
        raise InputError(option, f"{word!r}: expected NAME=VALUE, such as epochs=3")
    if name in OURS:
        raise InputError(f"{option} {name}", "is set by the sweep itself; see -o and --quiet")
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(names)}"
        raise InputError(f"{option} {name}", f"is no option of a training; {hint}")
    return name, text.strip()


def _setting(where: str, text: str, hint: Any) -> Setting:
    try:
        value = value_of(text, hint)
    except ValueError as error:
        raise InputError(where, f"is {text!r}; expected {expected(hint)}") from error
    return Setting(text if isinstance(value, str | Path) else shown(value), value)
