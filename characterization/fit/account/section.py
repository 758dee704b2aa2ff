"""What a report page is made of: sections with sentences, a table and a picture."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Section:
    """One heading of the page and what stands below it; all of it may be missing.

    ``svg`` is the text of a stand-alone SVG, as matplotlib writes it.
    """

    title: str
    sentences: tuple[str, ...] = ()
    table: Grid | None = None
    svg: str | None = None
    caption: str = ""
