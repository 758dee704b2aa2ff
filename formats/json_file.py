"""JSON and TOML files of the pipeline, read against the schemas that ship with this package.

What either format allows and no file of ours needs is refused before the schema is asked: numbers
without a double-precision value, keys given twice, texts that UTF-8 or a C program cannot hold, and
contents nested so deeply that walking them would end the program.
"""

from __future__ import annotations

import difflib
import functools
import json
import math
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from formats.atomic import write_text
from formats.errors import InputError
from formats.makers import expected

LARGEST_FILE = 64 * 2**20
"""Bytes."""
DEEPEST = 64
"""Objects and lists within each other."""
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


@functools.cache
def schema(name: str) -> dict[str, Any]:
    """The JSON schema called ``name`` (for example ``"device"``)."""
    text = (resources.files("formats") / "schemas" / f"{name}.schema.json").read_text("utf-8")
    return dict(json.loads(text))


def check(content: Any, schema_name: str, where: str | Path) -> None:
    """Raise :class:`InputError` naming the key of ``content`` that breaks the schema."""
    validator = jsonschema.Draft202012Validator(schema(schema_name))
    error = jsonschema.exceptions.best_match(validator.iter_errors(content))
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "top level"
        hint = _allowed(error) + ("" if error.absolute_path else expected(schema_name))
        raise InputError(where, f"at {place}: {_shorten(error.message)}{hint}")


def _allowed(error: Any) -> str:
    """What stands near an unknown key, else all there is; or that a list is expected."""
    if error.validator == "type" and error.validator_value == "array":
        texts = error.schema.get("items") == {"type": "string"}
        return "; expected a list of names" if texts else "; expected a list"
    if error.validator != "additionalProperties" or error.validator_value is not False:
        return ""
    known = list(error.schema.get("properties", ()))
    unknown = next((key for key in error.instance if key not in known), "")
    near = difflib.get_close_matches(unknown.replace("-", "_"), known)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; there is {', '.join(known)}" if known else ""


def parse(text: str, schema_name: str, where: str | Path) -> dict[str, Any]:
    """Parse and check JSON text. NaN and infinities are refused: JSON has none."""
    if not text.lstrip().startswith(("{", "[")):
        begins = f"begins with {text.lstrip()[:20]!r}" if text.strip() else "is empty"
        raise InputError(where, f"is not valid JSON ({begins}){expected(schema_name)}")
    content = parse_json(text, where)
    check(content, schema_name, where)
    return dict(content)


def parse_json(text: str, where: str | Path) -> Any:
    """JSON text without a schema; raises :class:`InputError`."""
    try:
        content = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
        )
    except RecursionError as error:
        raise InputError(where, _TOO_DEEP) from error
    except ValueError as error:
        raise InputError(where, f"is not valid JSON ({error})") from error
    _check_sane(content, where)
    return content


def parse_toml(text: str, schema_name: str, where: str | Path) -> dict[str, Any]:
    """Parse and check TOML text; raises :class:`InputError`."""
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise InputError(where, _TOO_DEEP) from error
    except ValueError as error:
        raise InputError(where, f"is not valid TOML ({error})") from error
    _check_sane(content, where)
    check(content, schema_name, where)
    return content


def read_json(path: Path, schema_name: str) -> dict[str, Any]:
    """Read a JSON file and check it against a schema; raises :class:`InputError`."""
    return parse(read_file(path, schema_name), schema_name, path)


def read_file(path: Path, schema_name: str) -> str:
    """The text of a file to parse; raises :class:`InputError` saying which command makes it."""
    try:
        return read_text(path)
    except InputError as error:
        raise InputError(error.where, f"{error.problem}{expected(schema_name)}") from error


def read_text(path: Path) -> str:
    """Read a small UTF-8 text file, with or without byte-order mark; raises :class:`InputError`."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise InputError(
            path, f"cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    if len(data) > LARGEST_FILE:
        raise InputError(path, f"is larger than {LARGEST_FILE >> 20} MiB; expected a small file")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not UTF-8 text (byte {error.start})") from error


def dump(content: Any) -> str:
    """Canonical JSON text. Non-finite numbers become null."""
    return _text(_finite(content))


def write_json(path: Path, content: Any, schema_name: str) -> None:
    """Check and write a JSON file atomically."""
    content = _finite(content)
    check(content, schema_name, path)
    write_text(path, _text(content))


def _text(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _refuse_constant(token: str) -> float:
    raise ValueError(f"the number {token} is not allowed")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise ValueError(f"the key {_shorten(twice, 60)!r} is given twice")
    return content


_TOO_DEEP = "is nested too deeply to be one of our files"


def _check_sane(content: Any, where: str | Path) -> None:
    """Refuse what the formats can say and the program cannot use, without recursion."""
    level: list[tuple[str, Any]] = [("", content)]
    for _ in range(DEEPEST):
        below: list[tuple[str, Any]] = []
        for place, value in level:
            if isinstance(value, dict):
                below.extend(
                    (f"{place}.{key}" if place else key, part) for key, part in value.items()
                )
                problem = next(filter(None, map(_wrong_scalar, value)), None)
            elif isinstance(value, list):
                below.extend((f"{place}.{index}", part) for index, part in enumerate(value))
                problem = None
            else:
                problem = _wrong_scalar(value)
            if problem is not None:
                raise InputError(where, f"at {_shorten(place, 80) or 'top level'}: {problem}")
        if not below:
            return
        level = below
    raise InputError(where, _TOO_DEEP)


def _wrong_scalar(value: Any) -> str | None:
    """What is wrong with a key or value; None where nothing is."""
    if isinstance(value, str) and (found := _NO_TEXT.search(value)):
        return f"the character U+{ord(found[0]):04X} is not allowed in a text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"the number is {value}; expected a finite one"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "the whole number needs more than 64 bits"
    return None


def _shorten(message: str, longest: int = 300) -> str:
    return message if len(message) <= longest else message[: longest - 3] + "..."


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist") and not isinstance(value, str):
        return _finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
