"""The command ``python -m system.binarized``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from formats.errors import run_command
from system.binarized.options import BinarizedOptions
from system.binarized.representation import FORMS
from system.binarized.stage import run
from system.train.arguments import (
    BatchSize,
    Epochs,
    Images,
    Network,
    Output,
    Quiet,
    TestImages,
    TrainImages,
)

_DEFAULT = BinarizedOptions(device=Path("device.json"))
_STATES = "RATIO:SPREAD[:SPREAD_OFF]"

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: python -m system.binarized out/device.json --images mnist/ --states 10:0.3 "
    "--states 100:0.5 --aware 10:0.5 -o out/"
)
def binarized(
    device: Annotated[Path, typer.Argument(help="device.json of stochram fit or stochram preset")],
    images: Images = None,
    train_images: TrainImages = None,
    test_images: TestImages = None,
    network: Network = _DEFAULT.network,
    image: Annotated[str, typer.Option(help=f"Form of the pixels: {FORMS}")] = _DEFAULT.image,
    activations: Annotated[
        str, typer.Option(help="Form of the activations between layers")
    ] = _DEFAULT.activations,
    first: Annotated[
        str, typer.Option(help="Form of the first layer's weights (float: it stays digital)")
    ] = _DEFAULT.first,
    weights: Annotated[
        str, typer.Option(help="Form of the weights between first and last layer")
    ] = _DEFAULT.weights,
    last: Annotated[str, typer.Option(help="Form of the last layer's weights")] = _DEFAULT.last,
    states: Annotated[
        list[str] | None,
        typer.Option(
            metavar=_STATES,
            help="What if R_OFF/R_ON and the relative spreads of both were these, e.g. 10:0.3; may "
            "be given several times (default: the device's own)",
        ),
    ] = None,
    aware: Annotated[
        str,
        typer.Option(
            metavar=f"device|off|{_STATES}", help="What variation-aware training draws from"
        ),
    ] = _DEFAULT.aware,
    mapping: Annotated[
        str, typer.Option(metavar="differential|reference", help="Two devices a weight, or one")
    ] = _DEFAULT.mapping,
    copies: Annotated[
        int, typer.Option(help="Copies of each weight, but for the first layer's")
    ] = _DEFAULT.copies,
    first_copies: Annotated[
        int, typer.Option(help="Copies of each weight of the first layer")
    ] = _DEFAULT.first_copies,
    stuck_on: Annotated[
        float, typer.Option(help="Share of devices that are stuck ON")
    ] = _DEFAULT.stuck_on,
    stuck_off: Annotated[
        float, typer.Option(help="Share of devices that are stuck OFF")
    ] = _DEFAULT.stuck_off,
    read_noise: Annotated[
        float, typer.Option(help="Relative noise of a device's current, from read to read")
    ] = _DEFAULT.read_noise,
    wire: Annotated[
        float, typer.Option(help="Resistance of a wire from cell to cell, ohm (solved exactly)")
    ] = _DEFAULT.wire,
    adc_bits: Annotated[
        int | None, typer.Option(help="Bits of the converters (default: ideal ones)")
    ] = None,
    tile_rows: Annotated[int, typer.Option(help="Rows of a tile")] = _DEFAULT.tile_rows,
    tile_columns: Annotated[
        int, typer.Option(help="Columns of devices of a tile")
    ] = _DEFAULT.tile_columns,
    chips: Annotated[
        int, typer.Option(help="Chips drawn, with the seeds that follow")
    ] = _DEFAULT.chips,
    calibrate: Annotated[
        int, typer.Option(help="Training images that re-estimate a chip's normalisation (0: no)")
    ] = _DEFAULT.calibrate,
    tune: Annotated[
        int, typer.Option(help="Steps that then tune gains and biases on the chip")
    ] = _DEFAULT.tune,
    epochs: Epochs = _DEFAULT.epochs,
    batch_size: BatchSize = _DEFAULT.batch_size,
    rate: Annotated[
        float, typer.Option(help="First rate of Adam for latent weights")
    ] = _DEFAULT.rate,
    seed: Annotated[int, typer.Option(help="Seed of training, and of the first chip")] = (
        _DEFAULT.seed
    ),
    output: Output = _DEFAULT.output,
    quiet: Quiet = False,
) -> None:
    """Train a binarized network, map it to pairs of binary memristors, and read drawn chips.

    Beside it stand the network in floating point, and one trained on drawn devices. Writes
    binarized.nc and binarized.npz.
    """
    run(
        BinarizedOptions(
            device=device,
            images=images,
            train_images=train_images,
            test_images=test_images,
            network=network,
            image=image,
            activations=activations,
            first=first,
            weights=weights,
            last=last,
            states=tuple(states or ()),
            aware=aware,
            mapping=mapping,
            copies=copies,
            first_copies=first_copies,
            stuck_on=stuck_on,
            stuck_off=stuck_off,
            read_noise=read_noise,
            wire=wire,
            adc_bits=adc_bits,
            tile_rows=tile_rows,
            tile_columns=tile_columns,
            chips=chips,
            calibrate=calibrate,
            tune=tune,
            epochs=epochs,
            batch_size=batch_size,
            rate=rate,
            seed=seed,
            output=output,
            quiet=quiet,
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(app, arguments)
