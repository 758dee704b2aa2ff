"""What an exploration prints at its end: the front, and what must be said beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from system.explore.judge import Judged, front_of

if TYPE_CHECKING:
    from system.explore.stage import Explored

ROWS = 24


def show(explored: Explored, console: Console) -> None:
    """The front as a table, the most accurate first, and the sentences."""
    front = front_of(explored.points)
    if front:
        console.print(_table(front[:ROWS], len(explored.points)))
        if len(front) > ROWS:
            console.print(f"and {len(front) - ROWS} more points of the front in explore.csv")
    for sentence in explored.sentences:
        console.print(f"- {sentence}", highlight=False, markup=False, soft_wrap=True)


def _table(front: list[Judged], points: int) -> Table:
    varied = front[0].point.varied
    names = [name for name in varied if len({each.point.varied[name] for each in front}) > 1]
    same = ", ".join(f"{_SHORT.get(n, n)} {t}" for n, t in varied.items() if n not in names)
    title = f"Front of {points} points (accuracy simulated, costs derived)"
    table = Table(
        title=title,
        caption=f"all with {same}" if same else None,
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    amounts = ("accuracy\n%", "energy\nmJ", "area\nmm²", "latency\ns", "P\n(front)")
    for header in ("#", *(_SHORT.get(name, name) for name in names), "layout", *amounts, "like"):
        left = header in ("MAC", "layout", "like")
        table.add_column(header, justify="left" if left else "right", no_wrap=header != "like")
    for each in front:
        found, costs = each.point.estimate, each.point.costs
        table.add_row(
            str(each.number),
            *(each.point.varied[name] for name in names),
            each.point.layout,
            f"{100 * found.value:.2f} ± {100 * found.stderr:.2f}",
            f"{1e3 * costs.energy:.3g}",
            f"{1e6 * costs.area:.3g}",
            f"{costs.latency:.3g}",
            f"{each.probability:.2f}",
            spans(each.like),
        )
    return table


def spans(numbers: Sequence[int]) -> str:
    """Rising numbers as text; three or more in a row as 4–7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]}–{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs]
    return " ".join(parts)


_SHORT = {"stream_length": "N", "mac": "MAC", "dac_bits": "DAC"}
