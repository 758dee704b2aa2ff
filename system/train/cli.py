"""The command ``python -m system.train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from formats.errors import run_command
from system.train.options import TrainOptions
from system.train.stage import run

_DEFAULT = TrainOptions(cells=Path("cells.nc"))

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: python -m system.train out/cells.nc --images mnist/ --seeds 3 -o out/"
)
def train(
    cells: Annotated[Path, typer.Argument(help="cells.nc of characterization.extract")],
    images: Annotated[
        Path | None,
        typer.Option(help="Folder of IDX files, gzipped or not (default: 5,000 of MNIST)"),
    ] = None,
    train_images: Annotated[
        int | None, typer.Option(help="Use so many training images, stratified")
    ] = None,
    test_images: Annotated[
        int | None, typer.Option(help="Use so many test images, stratified")
    ] = None,
    mac: Annotated[
        str | None, typer.Option(help="MAC group of cells.nc (default: its default_mac)")
    ] = None,
    stream_length: Annotated[
        int, typer.Option(help="Bits of a stream, N")
    ] = _DEFAULT.stream_length,
    stream_life: Annotated[
        str,
        typer.Option(metavar="image|batch|N", help="How many images a weight's stream lasts"),
    ] = _DEFAULT.stream_life,
    sng_sharing: Annotated[
        str,
        typer.Option(
            metavar="parameter|use|turns:K|common:K",
            help="SNGs: one per parameter, one per product, or K parameters on one",
        ),
    ] = _DEFAULT.sng_sharing,
    mode: Annotated[
        str,
        typer.Option(
            metavar="moments|exact",
            help="Streams by their moments where those are exact, or bit by bit",
        ),
    ] = _DEFAULT.mode,
    exact_images: Annotated[
        int,
        typer.Option(help="Score the network trained by moments bit by bit on so many test images"),
    ] = _DEFAULT.exact_images,
    epochs: Annotated[int, typer.Option(help="Passes over the training images")] = _DEFAULT.epochs,
    batch_size: Annotated[int, typer.Option(help="Images in one update")] = _DEFAULT.batch_size,
    seed: Annotated[int, typer.Option(help="First seed")] = _DEFAULT.seed,
    seeds: Annotated[
        int, typer.Option(help="Runs in each arithmetic, with the seeds that follow")
    ] = _DEFAULT.seeds,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the files written")
    ] = _DEFAULT.output,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors")] = False,
) -> None:
    """Train LeNet-5 with the stochastic arithmetic of cells.nc, beside plain floating point.

    Writes training.nc and weights.npz.
    """
    run(
        TrainOptions(
            cells=cells,
            images=images,
            train_images=train_images,
            test_images=test_images,
            mac=mac,
            stream_length=stream_length,
            stream_life=stream_life,
            sng_sharing=sng_sharing,
            mode=mode,
            exact_images=exact_images,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            seeds=seeds,
            output=output,
            quiet=quiet,
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(app, arguments)
