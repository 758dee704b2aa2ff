"""The report on the screen: a table of tests, the autocorrelation, and the sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from system.bitstream.randomness import Row, least_passes
from system.bitstream.report.analysis import SHOWN_LAGS, Analysis, two_sided
from system.bitstream.report.sentences import SMALLEST_P, sentences, verdict

_TWO_SIDED_95 = 1.96


def show(found: Analysis, console: Console) -> None:
    """Print it."""
    origin = found.origin
    count = f"{origin.sequences:,} sequence{'s' if origin.sequences > 1 else ''}"
    console.print(
        f"[bold]{escape(origin.text)}[/]: {count} of {origin.length:,} bits", highlight=False
    )
    console.print(_tests("Independence, whatever P(1) is", found.independence.rows))
    if np.isfinite(found.lags.value).all():
        console.print(_lags(found))
    if found.fair:
        console.print(_tests("NIST SP 800-22, fair bits", found.fair))
    for sentence in sentences(found):
        console.print(f"- {escape(sentence)}", highlight=False)


def _tests(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    many = any(len(row.outcomes) > 1 for row in rows)
    uniform = any(row.uniformity is not None for row in rows)
    columns = ("P >= 0.01", "needed") if many else ("statistic", "P")
    for heading in ("test", *columns, *(("uniform P",) if uniform else ()), "", "note"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        spread = (_p(row.uniformity),) if uniform else ()
        cells = _many(row) if many else _one(row)
        table.add_row(row.label, *cells, *spread, verdict(row), row.note)
    return table


def _one(row: Row) -> tuple[str, str]:
    outcome = row.outcomes[0]
    if outcome is None:
        return "", ""
    statistic = f"{outcome.statistic:.6g}" if np.isfinite(outcome.statistic) else ""
    return statistic, _p(outcome.p)


def _many(row: Row) -> tuple[str, str]:
    return (f"{row.passed} of {row.made}", str(least_passes(row.made))) if row.made else ("", "")


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if value >= SMALLEST_P else f"< {SMALLEST_P:g}"


def _lags(found: Analysis) -> Table:
    table = Table(title="Autocorrelation, all sequences", title_justify="left")
    for heading in ("lag", "correlation", "95 % band of none", "z", "P"):
        table.add_column(heading, justify="right")
    lags = found.lags
    for k in range(min(SHOWN_LAGS, lags.lag.size)):
        z = float(lags.z[k])
        table.add_row(
            str(lags.lag[k]),
            f"{lags.corrected[k]:+.6f}",
            f"+-{_TWO_SIDED_95 * lags.stderr[k]:.6f}",
            f"{z:+.2f}",
            _p(float(two_sided(np.array(z)))),
        )
    return table
