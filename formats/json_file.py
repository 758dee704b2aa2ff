"""JSON files of the pipeline, read against the schemas that ship with this package."""

from __future__ import annotations

import functools
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema

from formats.atomic import write_text
from formats.errors import InputError

LARGEST_FILE = 64 * 2**20


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
        raise InputError(where, f"at {place}: {_shorten(error.message)}")


def parse(text: str, schema_name: str, where: str | Path) -> dict[str, Any]:
    """Parse and check JSON text. NaN and infinities are refused: JSON has none."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise InputError(where, "is nested too deeply to be one of our files") from error
    except ValueError as error:
        raise InputError(where, f"is not valid JSON ({error})") from error
    check(content, schema_name, where)
    return dict(content)


def read_json(path: Path, schema_name: str) -> dict[str, Any]:
    """Read a JSON file and check it against a schema; raises :class:`InputError`."""
    return parse(read_text(path), schema_name, path)


def read_text(path: Path) -> str:
    """Read a small UTF-8 text file; raises :class:`InputError`."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(
                path, f"is larger than {LARGEST_FILE >> 20} MiB; expected a small file"
            )
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error


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
