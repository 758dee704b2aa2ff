"""The command ``stochram explore``, also ``python -m system.explore``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from formats.errors import run_command
from system.architecture import presets
from system.explore.options import ExploreOptions
from system.explore.screen import show
from system.explore.stage import CSV_FILE, JSON_FILE, PICTURE_FILE, Planned, run
from system.sweep.arguments import (
    Backend,
    DryRun,
    Quiet,
    Scheduler,
)

_DEFAULT = ExploreOptions(Path("cells.nc"))

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(
    epilog="Example: stochram explore out/cells.nc --stream-lengths 16,64,256 --dac-bits 4,none "
    "--train-images 4000 --epochs 3 -o out/explore -j 2"
)
def explore(
    cells: Annotated[
        Path, typer.Argument(help="cells.nc of stochram extract, to train with and to cost")
    ],
    *,
    stream_lengths: Annotated[
        str, typer.Option(metavar="N,N,...", help="Bits of a stream")
    ] = _DEFAULT.stream_lengths,
    macs: Annotated[
        str | None,
        typer.Option(metavar="MAC,...", help="MAC groups of cells.nc (default: its default_mac)"),
    ] = None,
    dac_bits: Annotated[
        str | None,
        typer.Option(
            metavar="BITS,...", help="Bits of the write-voltage DAC (none: the codes of cells.nc)"
        ),
    ] = None,
    architectures: Annotated[
        str,
        typer.Option(metavar="NAME,...", help=f"{', '.join(presets())}, or files *.toml"),
    ] = _DEFAULT.architectures,
    parallelism: Annotated[
        str,
        typer.Option(
            metavar="DEGREE,...",
            help="With which each architecture is laid out: unrolled, layer, row, numbers of "
            "MACs, or own (as its file says)",
        ),
    ] = _DEFAULT.parallelism,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=A,B,...",
            help="Any other option of `stochram train` and its values, as in `stochram sweep`",
        ),
    ] = None,
    fixed: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=A", help="Value of an option in every training"),
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="As of `stochram train` (default: mnist5k)")
    ] = None,
    train_images: Annotated[int | None, typer.Option(help="Training images (default: all)")] = None,
    test_images: Annotated[int | None, typer.Option(help="Test images (default: all)")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs (default: 8)")] = None,
    seeds: Annotated[int | None, typer.Option(help="Networks of a training (default: 1)")] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="Trainings at most, chosen by Optuna's sampler (extra `explore`; default: all)"
        ),
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Trainings that it chooses at a time; its choices depend on it")
    ] = _DEFAULT.batch,
    max_latency_s: Annotated[
        float | None, typer.Option(help="Designs with a longer inference are not compared")
    ] = None,
    dac_level_area_um2: Annotated[
        float | None,
        typer.Option(help="Area of a DAC for each of its 2^bits levels (none: DACs not counted)"),
    ] = None,
    dac_level_energy_fj: Annotated[
        float | None,
        typer.Option("--dac-level-energy-fJ", help="Energy of a conversion for each level"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of trainings and choices")] = _DEFAULT.seed,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of explore.csv, .json, .svg, trainings/")
    ] = _DEFAULT.output,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", help="Trainings at a time, each in a process")
    ] = _DEFAULT.jobs,
    threads: Annotated[
        int, typer.Option(help="Threads of one training; its last bits depend on it")
    ] = _DEFAULT.threads,
    backend: Backend = _DEFAULT.backend,
    scheduler: Scheduler = None,
    rate: Annotated[
        float | None, typer.Option(help="Training images/s of one training, to foresee the time")
    ] = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
) -> None:
    """Accuracy against energy and area of many designs, and which of them no other one dominates.

    Trains over stream lengths, MACs and DAC bits (each training once, in OUTPUT/trainings), and
    costs each training on every layout. A killed exploration goes on where it was, to the same
    result. Exit code 1 if a training failed; the others are compared all the same.
    """
    shortcuts = {
        "images": images,
        "train_images": train_images,
        "test_images": test_images,
        "epochs": epochs,
        "seeds": seeds,
    }
    given = tuple(f"{name}={value}" for name, value in shortcuts.items() if value is not None)
    found = run(
        ExploreOptions(
            cells=cells,
            stream_lengths=stream_lengths,
            macs=macs,
            dac_bits=dac_bits,
            vary=tuple(vary or ()),
            fixed=(*given, *(fixed or ())),
            architectures=architectures,
            parallelism=parallelism,
            dac_level_area=None if dac_level_area_um2 is None else dac_level_area_um2 * 1e-12,
            dac_level_energy=None if dac_level_energy_fj is None else dac_level_energy_fj * 1e-15,
            max_latency=max_latency_s,
            trials=trials,
            batch=batch,
            seed=seed,
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
    if isinstance(found, Planned):
        for result in found.found:
            print(f"{result.cell.name}: {'up to date' if result.scores else 'not there yet'}")
        return
    if not quiet:
        show(found, Console())
        written = [output / name for name in (CSV_FILE, JSON_FILE, PICTURE_FILE)]
        print("wrote " + ", ".join(str(path) for path in written if path.exists()))
    if found.failed:
        raise typer.Exit(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(app, arguments)
