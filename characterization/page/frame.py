"""The frame of a page: one self-contained HTML text from a template that fills its blocks.

Nothing is fetched from anywhere and nothing runs in it. All texts are escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2


@dataclass(frozen=True)
class Card:
    """One number of the headline."""

    name: str
    value: str
    more: str


@dataclass(frozen=True)
class Drawing:
    """A picture on the page; ``wide`` takes the whole width."""

    svg: str
    title: str
    caption: str
    wide: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of texts: ``rows`` are as long as ``headings``; columns in ``right`` hold numbers.

    ``kinds`` are words such as "fitted" or "assumed" that mark each row, or nothing.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    right: frozenset[int] = frozenset()
    kinds: tuple[str, ...] = ()


def render(package: str, **values: Any) -> str:
    """The template ``page.html`` of a package in the frame, the same for the same ``values``."""
    here = resources.files(__package__)
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(
            {name: (here / name).read_text("utf-8") for name in ("frame.html", "macros.html")}
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["capital"] = _capital
    text = (resources.files(package) / "page.html").read_text("utf-8")
    return environment.from_string(text).render(**values)


def provenance(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the frame shows of a run's provenance."""
    return {
        "inputs": dict(record.get("inputs", {})),
        "versions": dict(record.get("versions", {})),
        "seed": record.get("seed"),
        "source": record.get("source_sha256", ""),
        "options": json.dumps(record.get("options", {}), indent=1, ensure_ascii=False),
    }


def _capital(text: str) -> str:
    """A sentence's first letter; the name of a parameter stays as it is."""
    if "_" in text.split(" ", 1)[0]:
        return text
    return f"{text[:1].upper()}{text[1:]}"
