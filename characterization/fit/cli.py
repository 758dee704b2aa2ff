"""The command ``python -m characterization.fit data.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from characterization.fit.account.screen import show
from characterization.fit.stage import FitOptions, run
from formats.errors import run_command

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HELP = """Fit a stochastic switching law to pulses or wait times.

DATA is CSV or TSV, gzipped or not, '#' lines skipped, with the columns
voltage_V,pulse_width_s,trials,switched (pulses; without trials one row is one pulse) or
voltage_V,wait_time_s,switched (waits; 0 = still waiting then).
Writes device.json, fit.json, device.lib and fit.svg.

Example: python -m characterization.fit examples/knag2014_pulses.csv -o out
"""


@app.command(help=_HELP)
def fit(
    *,
    data: Annotated[Path, typer.Argument(help="Table of measurements.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")] = Path(
        "out"
    ),
    kind: Annotated[
        str | None, typer.Option(help="pulses or waits; by default seen from the columns.")
    ] = None,
    family: Annotated[
        str, typer.Option(help="exponential, weibull, or auto: chosen by BIC.")
    ] = "auto",
    floor: Annotated[
        bool, typer.Option("--floor", help="Fit a false-switch floor as well (pulses).")
    ] = False,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The file has no header line; needs --columns.")
    ] = False,
    columns: Annotated[
        str | None,
        typer.Option(help="Column names in file order, comma-separated; foreign ones are ignored."),
    ] = None,
    start_above: Annotated[
        float | None,
        typer.Option(metavar="OHM", help="Use only rows whose r_before_ohm is above (in HRS)."),
    ] = None,
    switched_below: Annotated[
        float | None,
        typer.Option(metavar="OHM", help="A row switched if its r_after_ohm is below."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Rows to use, e.g. 'gate_voltage_V>=1.4 and voltage_V>0.6'."),
    ] = None,
    voltage_reference: Annotated[
        str | None,
        typer.Option(
            help="cell or 1t1r: what voltage_V is across; 1t1r if there is a gate_voltage_V."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the device; by default that of the file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the goodness-of-fit simulation.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Map the command line to options, run, show."""
    options = FitOptions(
        data=data,
        output=output,
        kind=kind,
        family=family,
        floor=floor,
        header=not no_header,
        columns=None if columns is None else tuple(columns.split(",")),
        start_above=start_above,
        switched_below=switched_below,
        where=where,
        voltage_reference=voltage_reference,
        name=name,
        seed=seed,
    )
    files = run(options)
    if not quiet:
        console = Console()
        show(files, console if console.is_terminal else Console(width=110))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(app, arguments)
