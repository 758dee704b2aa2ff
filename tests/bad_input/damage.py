"""What happens to files on their way: damage to bytes, and contents that no schema foresaw.

``make test`` draws a few hundred cases a reader, always the same ones; STOCHRAM_CASES=10000, as in
``make nightly``, draws so many new ones for each.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from formats.errors import InputError

_ALWAYS = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile("quick", derandomize=True, **_ALWAYS)
settings.register_profile("nightly", derandomize=False, print_blob=True, **_ALWAYS)
_CASES = int(os.environ.get("STOCHRAM_CASES", "0"))
_PROFILE = settings.get_profile("nightly" if _CASES else "quick")


def cases(quick: int) -> settings:
    """The number of cases of a test."""
    return settings(_PROFILE, max_examples=_CASES or quick)


def judged(reader: Callable[[Path], Any], path: Path, *beside: str) -> Any:
    """What the reader gives, or None where it refuses in one line that names the file.

    ``beside`` are names of files that the file leads to.
    """
    try:
        return reader(path)
    except InputError as error:
        assert len(str(error).splitlines()) == 1, "an error is one line"
        assert str(error).isprintable()
        assert any(name in error.where for name in (path.name, *beside)), error
        assert error.problem
        return None


@st.composite
def damaged(draw: st.DrawFn, original: bytes) -> bytes:
    """The bytes of a file after one or two accidents."""
    content = original
    for _ in range(draw(st.integers(1, 2))):
        content = _damaged_once(draw, content)
    return content


def _damaged_once(draw: st.DrawFn, content: bytes) -> bytes:
    place = draw(st.integers(0, max(len(content) - 1, 0)))
    length = draw(st.sampled_from((1, 2, 8, 40, 500)))
    some = draw(st.binary(min_size=1, max_size=12))
    changes: dict[str, Callable[[], bytes]] = {
        "cut": lambda: content[:place],
        "beheaded": lambda: content[place:],
        "zeroed": lambda: content[:place] + bytes(length) + content[place + length :],
        "overwritten": lambda: content[:place] + some + content[place + len(some) :],
        "inserted": lambda: content[:place] + some + content[place:],
        "a bit flipped": lambda: (
            content[:place]
            + bytes(byte ^ (1 << some[0] % 8) for byte in content[place : place + 1])
            + content[place + 1 :]
        ),
        "removed": lambda: content[:place] + content[place + length :],
        "repeated": lambda: content[: place + length] + content[place:],
        "0xff": lambda: content[:place] + b"\xff" * length + content[place + length :],
        "appended": lambda: content + some,
    }
    return changes[draw(st.sampled_from(sorted(changes)))]()


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "byte-order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16 without mark": lambda text: text.encode("utf-16-le"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "Latin-1": lambda text: ("µ" + text).encode("latin-1", "replace"),
    "surrogates": lambda text: (text[:9] + "\ud800" + text[9:]).encode("utf-8", "surrogatepass"),
    "zero bytes": lambda text: text.replace(" ", "\0").encode(),
    "old Macintosh": lambda text: text.replace("\n", "\r").encode(),
    "Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "nothing": lambda text: b"",
    "blanks": lambda text: b" \n\t\n",
    "zeros": lambda text: bytes(100),
}

NUMBERS = (
    *(
        0,
        -1,
        1,
        2,
        10**18,
        2**63,
        -(2**70),
        10**400,
        -0.0,
        0.5,
        -3.7,
        5e-324,
        1e-300,
        1e300,
        -1e308,
    ),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS = (
    *(
        "",
        " ",
        "nan",
        "inf",
        "1e999",
        "x" * 5000,
        "a\nb",
        "a\0b",
        "\x1b[2J",
        "\u2028",
        "µ",
        "'\"\\",
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "../cells.nc",
        "\ud800",
        "$(reboot)",
        ".control",
        "{}",
        "[1]",
    ),
)


def odd_values() -> st.SearchStrategy[Any]:
    """A value that nobody expects at a place."""
    scalars = st.sampled_from((None, True, False, *NUMBERS, *TEXTS))
    return st.one_of(
        scalars,
        st.floats(),
        st.integers(),
        st.text(max_size=20),
        st.lists(scalars, max_size=3),
        st.dictionaries(st.sampled_from(("value", "unit", "x", "")), scalars, max_size=3),
        st.sampled_from((70, 150)).map(lambda depth: _nested(depth, list)),
        st.sampled_from((70, 150)).map(lambda depth: _nested(depth, lambda inner: {"a": inner[0]})),
    )


def _nested(depth: int, wrap: Callable[[list[Any]], Any]) -> Any:
    content: Any = 0
    for _ in range(depth):
        content = wrap([content])
    return content


@st.composite
def changed(draw: st.DrawFn, original: Any) -> Any:
    """A content of objects, lists and scalars, with one to three places changed."""
    content = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(content))
        if not places:
            return content
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        action = draw(
            st.sampled_from(("value", "value", "value", "remove", "add", "rename", "swap"))
        )
        if action == "value":
            holder[key] = draw(odd_values())
        elif action == "remove":
            del holder[key]
        elif action == "add" and isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = draw(odd_values())
        elif action == "add":
            holder.append(draw(odd_values()))
        elif action == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from(TEXTS))] = holder.pop(key)
        else:
            other, place = places[draw(st.integers(0, len(places) - 1))]
            holder[key] = copy.deepcopy(other[place])
    return content


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) in a content."""
    found: list[tuple[Any, Any]] = []
    waiting = [content]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found


def as_json(content: Any) -> bytes:
    """JSON text as other programs write it: NaN, infinities and lone surrogates included."""
    return json.dumps(content).encode()


def as_toml(content: dict[str, Any]) -> bytes:
    """TOML text with inline tables; what TOML cannot say is left out."""
    lines = [f"{_toml_key(key)} = {_toml(value)}" for key, value in content.items()]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{_toml_key(key)} = {_toml(part)}" for key, part in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return (
        "1979-05-27"
        if value is None
        else json.dumps(value)
        if isinstance(value, str)
        else repr(value)
    )


def _toml_key(key: Any) -> str:
    return json.dumps(str(key))
