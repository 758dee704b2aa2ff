"""A matplotlib drawing as SVG text that lives inside an HTML page: themed by the page's own colour,
with names of its own, the same bytes every time, and nothing fetched from anywhere."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the page's text colour until the drawing is embedded."""
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
    "axes.prop_cycle": cycler(
        color=["#3f88c5", "#e07a2f", "#2f9e6e", "#a66bd3", "#d0506e", "#8a9099"]
    ),
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def drawing(draw: Callable[[Figure], None], name: str, alternative: str, size: float = 3.1) -> str:
    """Run ``draw`` on a fresh figure (5.2 inches wide, ``size`` high) and return inline SVG.

    ``name`` keeps the element names of several drawings on a page apart; ``alternative`` is what
    a screen reader says.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(5.2, size), layout="constrained")
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
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
    label = html.escape(alternative, quote=True)
    opening = re.match(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>', text)
    assert opening is not None, "matplotlib writes a viewBox"
    start = f'<svg viewBox="{opening.group(1)}" role="img" aria-label="{label}">'
    return start + text[opening.end() :].rstrip()
