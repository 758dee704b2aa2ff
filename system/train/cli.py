"""The command ``python -m system.train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from formats.errors import run_command
from system.train.arguments import (
    BatchSize,
    Epochs,
    Fresh,
    Images,
    Network,
    Output,
    Quiet,
    TestImages,
    TrainImages,
)
from system.train.options import TrainOptions
from system.train.stage import run

_DEFAULT = TrainOptions(cells=Path("cells.nc"))

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: python -m system.train out/cells.nc --images mnist/ --seeds 3 -o out/"
)
def train(
    cells: Annotated[Path, typer.Argument(help="cells.nc of stochram extract")],
    images: Images = None,
    train_images: TrainImages = None,
    test_images: TestImages = None,
    network: Network = _DEFAULT.network,
    mac: Annotated[
        str | None, typer.Option(help="MAC group of cells.nc (default: its default_mac)")
    ] = None,
    stream_length: Annotated[
        int, typer.Option(help="Bits of a stream, N")
    ] = _DEFAULT.stream_length,
    schedule: Annotated[
        str,
        typer.Option(
            metavar="BITS:EPOCHS,...", help="Other stream lengths for the first epochs, then N"
        ),
    ] = _DEFAULT.schedule,
    product: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYER.PRODUCT:KEY=VALUE",
            help="Another mac (or binary) or stream_length for a product, e.g. *.update:mac=binary",
        ),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LAYER.OPERAND=EXPONENT|overflow:SHARE",
            help="A fixed scale, or another share of overflows than 2^-10, e.g. conv1.x=0",
        ),
    ] = None,
    stream_life: Annotated[
        str,
        typer.Option(metavar="image|batch|N", help="How many images a weight's stream lasts"),
    ] = _DEFAULT.stream_life,
    sng_sharing: Annotated[
        str,
        typer.Option(
            metavar="parameter|use|turns:K",
            help="SNGs of weights: one per parameter, one per product, or K parameters on one",
        ),
    ] = _DEFAULT.sng_sharing,
    mode: Annotated[
        str,
        typer.Option(
            metavar="moments|exact|float",
            help="Streams by their moments where those hold, bit by bit, or mapped after training",
        ),
    ] = _DEFAULT.mode,
    progressive: Annotated[
        str,
        typer.Option(
            metavar="BITS,BITS,...",
            help="Inference in stages that stops when the decision is safe, e.g. 16,32,64,128",
        ),
    ] = _DEFAULT.progressive,
    exact_images: Annotated[
        int,
        typer.Option(help="Score the networks bit by bit on so many test images"),
    ] = _DEFAULT.exact_images,
    worn: Annotated[
        str,
        typer.Option(
            metavar="SHARE,SHARE,...",
            help="Evaluate the network with shares of all SNGs stuck in HRS, in LRS ('': not)",
        ),
    ] = _DEFAULT.worn,
    rule: Annotated[
        str,
        typer.Option(metavar="sgd|momentum|adam", help="The update (Adam is a binary unit)"),
    ] = _DEFAULT.rule,
    rate: Annotated[
        float | None,
        typer.Option(help="Peak rate of the update (default: momentum 0.02, sgd 0.1, adam 0.001)"),
    ] = None,
    weight_bits: Annotated[
        int, typer.Option(help="Bits of a weight's register")
    ] = _DEFAULT.weight_bits,
    state_bits: Annotated[
        int, typer.Option(help="Bits of the update's memory")
    ] = _DEFAULT.state_bits,
    calibrate: Annotated[
        int, typer.Option(help="Read-backs that trim each SNG, 4 to 512 (0: no trim)")
    ] = _DEFAULT.calibrate,
    trim_bits: Annotated[int, typer.Option(help="Bits of a trim word")] = _DEFAULT.trim_bits,
    temperature: Annotated[
        float | None, typer.Option(help="Temperature of operation, K, within cells.nc")
    ] = None,
    corner: Annotated[str | None, typer.Option(help="Corner of cells.nc")] = None,
    dac_bits: Annotated[
        int | None, typer.Option(help="What if the write voltage had so many bits")
    ] = None,
    d2d_ln_tau: Annotated[
        float | None, typer.Option(help="What if ln tau spread so much over devices")
    ] = None,
    d2d_ln_v0: Annotated[
        float | None, typer.Option(help="What if ln V0 spread so much over devices")
    ] = None,
    c2c_ln_tau: Annotated[
        float | None, typer.Option(help="What if ln tau spread so much over cycles")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(help="What if thresholds remembered, lag-1 correlation")
    ] = None,
    sense_error: Annotated[
        float | None, typer.Option(help="What if reads failed with this probability")
    ] = None,
    epochs: Epochs = _DEFAULT.epochs,
    batch_size: BatchSize = _DEFAULT.batch_size,
    seed: Annotated[int, typer.Option(help="First seed")] = _DEFAULT.seed,
    seeds: Annotated[
        int, typer.Option(help="Runs in each arithmetic, with the seeds that follow")
    ] = _DEFAULT.seeds,
    fresh: Fresh = False,
    output: Output = _DEFAULT.output,
    quiet: Quiet = False,
) -> None:
    """Train a network with the stochastic arithmetic of cells.nc, beside plain floating point.

    Writes training.nc and weights.npz. An interrupted run goes on where it was.
    """
    run(
        TrainOptions(
            cells=cells,
            images=images,
            train_images=train_images,
            test_images=test_images,
            network=network,
            mac=mac,
            stream_length=stream_length,
            schedule=schedule,
            products=tuple(product or ()),
            scales=tuple(scale or ()),
            stream_life=stream_life,
            sng_sharing=sng_sharing,
            mode=mode,
            progressive=progressive,
            exact_images=exact_images,
            worn=worn,
            rule=rule,
            rate=rate,
            weight_bits=weight_bits,
            state_bits=state_bits,
            calibrate=calibrate,
            trim_bits=trim_bits,
            temperature_K=temperature,
            corner=corner,
            dac_bits=dac_bits,
            d2d_ln_tau=d2d_ln_tau,
            d2d_ln_v0=d2d_ln_v0,
            c2c_ln_tau=c2c_ln_tau,
            memory=memory,
            sense_error=sense_error,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            seeds=seeds,
            fresh=fresh,
            output=output,
            quiet=quiet,
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(app, arguments)
