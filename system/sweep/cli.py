"""The command ``stochram sweep``, also ``python -m system.sweep``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from formats.errors import run_command
from system.sweep.arguments import (
    Backend,
    DryRun,
    Quiet,
    Scheduler,
)
from system.sweep.stage import CSV_FILE, PICTURE_FILE, SweepOptions, run

_DEFAULT = SweepOptions()

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog="Example: stochram sweep out/cells.nc --vary stream_length=16,64,256 --vary "
    "mac=sign_magnitude_counter,bipolar_counter --set epochs=3 -o out/sweep -j 2"
)
def sweep(
    *,
    cells: Annotated[
        Path | None,
        typer.Argument(help="cells.nc of stochram extract, to train with", show_default=False),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=A,B,...",
            help="Option of `stochram train` and its values; may be given several times. "
            "Semicolons part values that hold commas.",
        ),
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=A",
            help="Value of an option in every cell, like epochs=3",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of sweep.csv, sweep.svg and the cells")
    ] = _DEFAULT.output,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", help="Cells trained at a time, each in a process")
    ] = _DEFAULT.jobs,
    threads: Annotated[
        int, typer.Option(help="Threads of one cell; the last bits of its results depend on it")
    ] = _DEFAULT.threads,
    backend: Backend = _DEFAULT.backend,
    scheduler: Scheduler = None,
    rate: Annotated[
        float | None,
        typer.Option(help="Training images/s of one cell, to foresee the time of a first sweep"),
    ] = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Train over a grid of any training options; a killed sweep goes on where it was.

    Every cell has a folder with training.nc and weights.npz; one whose results are there, of the
    same inputs, options and source, is not trained again. sweep.csv has a row for each cell and
    seed, sweep.svg shows accuracy against the first option that is a number. Exit code 1 if a
    cell failed; the others run all the same.
    """
    results = run(
        SweepOptions(
            cells=cells,
            vary=tuple(vary or ()),
            fixed=tuple(fixed or ()),
            output=output,
            jobs=jobs,
            threads=threads,
            backend=backend,
            scheduler=scheduler,
            rate=rate,
            dry_run=dry_run,
            quiet=quiet,
        )
    )
    if dry_run:
        for result in results:
            print(f"{result.cell.name}: {'up to date' if result.scores else 'to run'}")
        return
    if not quiet:
        written = [output / CSV_FILE, output / PICTURE_FILE]
        print("wrote " + " and ".join(str(path) for path in written if path.exists()))
    if any(result.scores is None for result in results):
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(app, arguments)
