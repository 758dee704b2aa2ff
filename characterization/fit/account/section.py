"""What a report page is made of: sections with sentences, a table and a picture."""

from __future__ import annotations

from dataclasses import dataclass

from characterization.page.frame import Grid


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
