"""The command ``python -m characterization.synapse data.csv``, also ``stochram fit-synapse``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from characterization.synapse.stage import SynapseFitOptions, run
from formats.errors import run_command

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HELP = """Fit a conductance synapse to pulse data.

DATA (CSV, TSV or Parquet) has a row for each programming pulse, in time: voltage_V (> 0
potentiates, < 0 depresses, 0 only reads) and r_after_ohm, the resistance after it; optionally
device, cycle and r_before_ohm. Writes synapse.json for `stochram train-synapses --synapse`.

Example: python -m characterization.synapse pulses.csv -o out
"""


@app.command(help=_HELP)
def fit(
    *,
    data: Annotated[
        Path, typer.Argument(help="Table of pulses: CSV, TSV or Parquet.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the result.")] = Path(
        "out"
    ),
    name: Annotated[str, typer.Option(help="Name of the synapse.")] = "fitted",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="canonical=foreign[:unit] of a column (may be repeated)."),
    ] = None,
    header: Annotated[
        bool, typer.Option("--header/--no-header", help="Whether there is one.")
    ] = True,
    columns: Annotated[
        str | None, typer.Option(help="Names of the columns, separated by commas.")
    ] = None,
    g_max: Annotated[float | None, typer.Option(help="High end state, S, if known.")] = None,
    g_min: Annotated[float | None, typer.Option(help="Low end state, S, if known.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    run(
        SynapseFitOptions(
            data=data,
            output=output,
            name=name,
            mapping=tuple(mapping or ()),
            columns=tuple(columns.split(",")) if columns else None,
            header=header,
            g_max=g_max,
            g_min=g_min,
            quiet=quiet,
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(app, arguments)
