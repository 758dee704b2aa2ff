"""What a picture is made of: panels, each drawn on a figure of its own or on a part of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase


@dataclass(frozen=True)
class Panel:
    """One picture: ``draw`` fills a figure of ``height`` inches.

    ``name`` is a word without blanks, ``title`` what the picture shows, ``caption`` says what the
    marks are and what was left out. ``complete`` is False where settings were left out.
    """

    name: str
    title: str
    caption: str
    height: float
    draw: Callable[[FigureBase], None]
    complete: bool = True


def legend(axes: Axes, title: str, notes: Sequence[str] = ()) -> None:
    """All curves of an axes in rows above it; ``notes`` say what was left out."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    axes.legend(
        handles,
        labels,
        title="; ".join((title, *notes)),
        title_fontsize=8,
        alignment="left",
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        borderaxespad=0.3,
        ncols=min(4, len(handles)),
    )


def magnitude(direction: str) -> str:
    """How the voltage axis is called."""
    return "SET voltage (V)" if direction == "set" else "RESET voltage, magnitude (V)"


def sentence(notes: Sequence[str]) -> str:
    """Notes as a sentence with a blank before it; nothing without notes."""
    said = "; ".join(dict.fromkeys(notes))
    return f" {said[:1].upper()}{said[1:]}." if said else ""
