"""SVG elements as text, to stand inside an HTML page: in the page's own colours and fonts."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

from system.report.chart.base import COLOURS

INCH = 72.0
"""Units of a drawing."""


def element(tag: str, *inside: str, **attributes: float | str | None) -> str:
    """One element; ``inside`` is SVG already. None leaves an attribute out, "_" stands for "-"."""
    said = "".join(
        f' {name.replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{said}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{said}/>"


def text(words: str, x: float, y: float, **attributes: float | str | None) -> str:
    """Words in lines, the middle of all of them at ``y`` in height."""
    lines = words.splitlines()
    first = 0.35 - 0.6 * (len(lines) - 1)
    if len(lines) == 1:
        return element("text", escaped(words), x=x, y=y, dy="0.35em", **attributes)
    spans = (
        element("tspan", escaped(line), x=x, dy=f"{first if number == 0 else 1.2:.3g}em")
        for number, line in enumerate(lines)
    )
    return element("text", *spans, y=y, **attributes)


def path(points: Iterable[tuple[float, float]]) -> str:
    """The d of a path through ``points``; NaN interrupts it."""
    parts, command = [], "M"
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y):
            parts.append(f"{command}{_value(x)} {_value(y)}")
            command = "L"
        else:
            command = "M"
    return "".join(parts)


def colour(number: int) -> str:
    """One of the page's colours of curves."""
    return f"var(--c{number % COLOURS})"


def escaped(words: str) -> str:
    """Text that stands between tags, or in an attribute."""
    return html.escape(words, quote=True)


def _value(value: float | str) -> str:
    if isinstance(value, str):
        return escaped(value)
    return f"{value:.2f}".rstrip("0").rstrip(".")
