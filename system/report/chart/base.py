"""What a chart shows, apart from who draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Mark = Literal["line", "dashed", "points", "joined", "steps", "band", "bars"]
COLOURS = 6
"""Colours a page defines, as the style variables --c0 to --c5."""


@dataclass(frozen=True)
class Axis:
    """One axis: ``percent`` shows fractions as percentages, ``whole`` only integers, ``unit`` puts
    metric prefixes before that unit ("1": none, a plain number), ``categories`` names the positions
    0, 1, 2, ..."""

    title: str = ""
    log: bool = False
    percent: bool = False
    whole: bool = False
    unit: str = ""
    limits: tuple[float, float] | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Numbers of one curve; NaN leaves a gap.

    ``low`` and ``high`` are the ends of the error bars of points, or the edges of a band.
    Bars lie at the positions ``y``, from ``low`` (default 0) to ``x``; ``texts`` stand at their
    ends. ``listed`` says whether the legend names the series.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    mark: Mark = "line"
    colour: int = 0
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    texts: tuple[str, ...] = ()
    listed: bool = True


@dataclass(frozen=True)
class Panel:
    """Series that share their axes. Bars of several series stand side by side if ``grouped``,
    otherwise at one place. ``marks`` are vertical lines with their names."""

    series: tuple[Series, ...]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    title: str = ""
    grouped: bool = True
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Chart:
    """Panels above each other with one horizontal axis.

    ``name`` is unique on a page, ``alternative`` what a screen reader says, ``size`` the height in
    inches of a drawing that is 5.2 inches wide; ``legend`` is the legend's title.
    """

    name: str
    alternative: str
    caption: str
    panels: tuple[Panel, ...]
    size: float = 3.1
    legend: str = ""


def evenly(count: int, most: int) -> np.ndarray:
    """Indices of at most ``most`` of ``count`` items, evenly spread, ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def array(values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Numbers as a flat float array; None becomes NaN."""
    return np.asarray(values, dtype=float).ravel()
