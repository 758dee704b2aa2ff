"""What a picture is, and the one writer of its SVG. The same cells give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

from characterization.extract.figures.style import STYLE


@dataclass(frozen=True)
class Picture:
    """One picture: ``draw`` fills a figure of ``width`` and ``height`` inches.

    ``name`` is a word without blanks, ``title`` what is shown, ``caption`` what the marks are.
    """

    name: str
    title: str
    caption: str
    width: float
    height: float
    draw: Callable[[Figure], None]

    def svg(self, *, outlines: bool = True) -> str:
        """The text of a stand-alone SVG; ``outlines`` draws letters as paths, as a paper wants."""
        fonts = "path" if outlines else "none"
        with mpl.rc_context({**STYLE, "svg.fonttype": fonts}):
            buffer = io.StringIO()
            figure = Figure(figsize=(self.width, self.height), layout="constrained")
            self.draw(figure)
            figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "stochram"})
        return buffer.getvalue()
