"""The pictures of a fit: fit.svg, all panels of all directions, and the same one by one.

Deterministic: the same fit gives the same bytes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from characterization.fit.account.figures.ladders import ladder_panels, ladders_of
from characterization.fit.account.figures.panel import Panel
from characterization.fit.account.figures.pulses import pulse_panels
from characterization.fit.account.figures.style import STYLE, WIDTH
from characterization.fit.account.figures.waits import ramp_panels, wait_panels
from characterization.fit.account.figures.whole import whole_panel
from characterization.fit.goodness.risk import merged
from characterization.fit.inference.candidate import Candidate

if TYPE_CHECKING:
    from characterization.fit.analysis import FitResult
    from characterization.fit.direction import LawFit

_POOLED = (
    "All devices together, with the law fitted to them as if they were one: not that of "
    "device.json, which tells devices apart."
)
_TITLE = 0.35
"""Inches for the title of the whole."""


def svg(result: FitResult, source: str) -> str:
    """The text of fit.svg: every panel of every direction below each other."""
    return stacked([panel for fit in result.laws for panel in law_panels(fit)], source)


def law_panels(fit: LawFit) -> list[Panel]:
    """The panels of a direction; of a population they show, and say, the pooled law."""
    panels = panels_of(fit.chosen, fit.direction)
    if fit.population is None:
        return panels
    return [
        replace(one, title=f"{one.title}, devices pooled", caption=f"{_POOLED} {one.caption}")
        for one in panels
    ]


def panels_of(candidate: Candidate, direction: str) -> list[Panel]:
    """What a law of one direction ("set" or "reset") is shown with, the most telling first.

    Where settings or temperatures are left out, or chains fork, all outcomes follow on one line.
    """
    data = candidate.likelihood.data
    if data.kind == "waits":
        panels = wait_panels(candidate, direction)
        if data.chained and panels:
            return panels  # intervals have no one line: where in them the switch was is not known
    elif data.chained:
        joined = merged(data)
        panels = ladder_panels(joined, candidate, direction)
        if sum(one.segments.size for one in ladders_of(joined)) < joined.voltage.size:
            return [*panels, whole_panel(candidate, direction)]
    elif data.kind == "ramps":
        panels = ramp_panels(candidate, direction) if data.ramped.size else []
    else:
        panels = pulse_panels(candidate, direction)
    temperatures = 1 if data.temperature is None else np.unique(data.temperature).size
    if len(panels) == temperatures and all(panel.complete for panel in panels):
        return panels
    return [*panels, whole_panel(candidate, direction)]


def stacked(panels: Iterable[Panel], title: str) -> str:
    """One SVG of all panels, with the title above."""
    panels = list(panels)
    heights = [panel.height for panel in panels]
    with mpl.rc_context({**STYLE, "svg.fonttype": "path"}):
        figure = Figure(figsize=(WIDTH, sum(heights) + _TITLE), layout="constrained")
        # User text: a dollar sign is no formula.
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, parse_math=False)
        parts = figure.subfigures(len(panels), 1, height_ratios=heights, squeeze=False)
        for part, panel in zip(parts[:, 0], panels, strict=True):
            panel.draw(part)
            part.suptitle(panel.title, x=0.01, ha="left", fontsize=9.5, fontweight="bold")
        return text_of(figure)


def single(panel: Panel) -> str:
    """One panel as an SVG without its title, lettering left to the reader's fonts."""
    with mpl.rc_context({**STYLE, "svg.fonttype": "none"}):
        figure = Figure(figsize=(WIDTH, panel.height), layout="constrained")
        panel.draw(figure)
        return text_of(figure)


def text_of(figure: Figure) -> str:
    """A figure as the text of an SVG, without a date."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # A title in letters that the font lacks is drawn with boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "stochram"})
    return buffer.getvalue()
