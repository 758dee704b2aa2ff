"""From a word of the command line to a value of a dataclass field's type."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any


def value_of(text: str, hint: Any) -> Any:
    """The value that ``text`` is of the type ``hint``; raises ValueError where it is none.

    Types: None ("none"), bool ("true", "false"), int (also "1e4"), float, str, Path (made
    absolute), Literal, tuples of these (separated by commas), and unions, whose narrowest type
    that fits is taken; in a union with str, a Path is what exists.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    alternatives = members(hint)
    if len(alternatives) > 1:
        for each in alternatives:
            if each is Path and str in alternatives and not Path(text).exists():
                continue
            try:
                return value_of(text, each)
            except ValueError:
                continue
    elif origin is tuple:
        parts = [part.strip() for part in text.split(",")]
        kinds = (arguments[0],) * len(parts) if arguments[1:] == (...,) else arguments
        if len(kinds) == len(parts):
            return tuple(value_of(part, kind) for part, kind in zip(parts, kinds, strict=True))
    elif origin is typing.Literal:
        for each in arguments:
            if text == str(each):
                return each
    elif hint in _READERS:
        return _READERS[hint](text)
    raise ValueError(text)


def members(hint: Any) -> tuple[Any, ...]:
    """The types of a union, the narrowest first; any other type alone."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return (hint,)
    order = [type(None), bool, int, float, Path]
    given = typing.get_args(hint)
    return (*(e for e in order if e in given), *(e for e in given if e not in order))


def is_list(hint: Any) -> bool:
    """Whether a value of this type is itself a list, with commas in its text."""
    return any(typing.get_origin(each) is tuple for each in members(hint))


def shown(value: Any) -> str:
    """The text of a value that is neither a text nor a path; :func:`value_of` reads it back."""
    if isinstance(value, tuple):
        return ",".join(map(shown, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def expected(hint: Any) -> str:
    """What a text of this type looks like, in words."""
    return " or ".join(_words(each) for each in members(hint))


def _words(hint: Any) -> str:
    if hint in _WORDS:
        return _WORDS[hint]
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(map(str, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return "a list such as A,B"
    return f"a {getattr(hint, '__name__', hint)}, which cannot be given on a command line"


def _none(text: str) -> None:
    if text.lower() != "none":
        raise ValueError(text)


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        if not float(text).is_integer():  # 1e4 is a number of images, 1.5 and inf are not
            raise
        return int(float(text))


def _str(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _path(text: str) -> Path:
    """As seen from where the command runs, wherever its workers do."""
    return Path(_str(text)).absolute()


_READERS: dict[Any, Any] = {
    type(None): _none,
    bool: _bool,
    int: _int,
    float: float,
    str: _str,
    Path: _path,
}
_WORDS: dict[Any, str] = {
    type(None): "none",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
}
