"""A matplotlib drawing as SVG text that lives inside an HTML page: in the page's own colours, with
names of its own, the same bytes every time, and nothing fetched from anywhere."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from system.report.chart.base import COLOURS

WIDTH = 5.2
"""Inches."""
INK = "#010203"
"""Stands for the page's text colour until the drawing is embedded."""
PLACES = {f"#01020{4 + number}": f"var(--c{number})" for number in range(COLOURS)}
"""Stand for the page's curve colours until then."""
STYLE: Any = {
    "svg.hashsalt": "stochram",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=list(PLACES)),
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.6,
    "figure.dpi": 72.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def embedded(draw: Callable[[Figure], None], name: str, alternative: str, size: float) -> str:
    """Run ``draw`` on a fresh figure (5.2 inches wide, ``size`` high) and return inline SVG.

    ``name`` keeps the element names of several drawings on a page apart; ``alternative`` is what
    a screen reader says.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, size))
        draw(figure)
        buffer = io.StringIO()
        # Figure.savefig draws everything twice.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return inline(buffer.getvalue(), name, alternative)


def inline(text: str, name: str, alternative: str) -> str:
    """Strip what a page does not need from a stand-alone SVG and make its names unique."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", text)
    text = text.replace("xlink:href=", "href=")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = text.replace(INK, "currentColor")
    for place, colour in PLACES.items():
        text = text.replace(place, colour)
    label = html.escape(alternative, quote=True)
    opening = re.match(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>', text)
    assert opening is not None, "matplotlib writes a viewBox"
    start = f'<svg viewBox="{opening.group(1)}" role="img" aria-label="{label}">'
    return start + text[opening.end() :].rstrip()
