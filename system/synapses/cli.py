"""The command ``python -m system.synapses``, also ``stochram train-synapses``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from formats.errors import run_command
from system.synapses.options import SynapseOptions
from system.synapses.stage import run

_DEFAULT = SynapseOptions()

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Example: python -m system.synapses --images mnist/ --network mlp3 --sigma-step 0.3"
)
def train(
    synapse: Annotated[
        str,
        typer.Option(metavar="NAME|FILE.json|FILE.toml", help="The synapse: a preset or a file"),
    ] = _DEFAULT.synapse,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="mnist5k|digits|FOLDER|FILE.npz",
            help="A packaged set (default mnist5k), a folder of IDX files, or arrays",
        ),
    ] = None,
    train_images: Annotated[
        int | None, typer.Option(help="Use so many training images, stratified")
    ] = None,
    test_images: Annotated[
        int | None, typer.Option(help="Use so many test images, stratified")
    ] = None,
    network: Annotated[
        str, typer.Option(metavar="lenet5|cnn2|mlp|mlp3|FILE.py:NAME", help="The network")
    ] = _DEFAULT.network,
    cells: Annotated[
        str, typer.Option(metavar="pair|single", help="Devices of a weight")
    ] = _DEFAULT.cells,
    rule: Annotated[
        str,
        typer.Option(
            metavar="gradient|coincidence",
            help="Pulses with a probability proportional to the gradient, or where streams meet",
        ),
    ] = _DEFAULT.rule,
    stream_bits: Annotated[
        int, typer.Option(help="Bits of a stream of the coincidence rule")
    ] = _DEFAULT.stream_bits,
    recentre: Annotated[
        bool,
        typer.Option("--recentre", help="After each epoch bring saturated pairs to the middle"),
    ] = False,
    levels: Annotated[float | None, typer.Option(help="What if there were so many levels")] = None,
    dynamic_range: Annotated[float | None, typer.Option(help="What if Gmax / Gmin were so")] = None,
    sigma_step: Annotated[
        float | None, typer.Option(help="What if steps spread so much, in nominal steps")
    ] = None,
    sigma_ends: Annotated[
        float | None, typer.Option(help="What if ln Gmax and ln Gmin spread so much over devices")
    ] = None,
    nonlinearity: Annotated[
        float | None, typer.Option(help="What if both directions saturated so (0: equal steps)")
    ] = None,
    asymmetry: Annotated[
        float | None, typer.Option(help="What if depression's nonlinearity was so much more")
    ] = None,
    stuck: Annotated[
        float | None, typer.Option(help="What if such a share of devices was stuck at its ends")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="First rate along the mean gradient of a batch")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the training images")] = _DEFAULT.epochs,
    batch_size: Annotated[int, typer.Option(help="Images in one update")] = _DEFAULT.batch_size,
    seed: Annotated[int, typer.Option(help="First seed")] = _DEFAULT.seed,
    seeds: Annotated[int, typer.Option(help="Runs, with the seeds that follow")] = _DEFAULT.seeds,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ignore the checkpoints of an interrupted run")
    ] = False,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the files written")
    ] = _DEFAULT.output,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors")] = False,
) -> None:
    """Train a network whose only weights are conductances of memristors, beside floating point.

    Writes synapses.nc and conductances.npz. An interrupted run goes on where it was.
    """
    run(
        SynapseOptions(
            synapse=synapse,
            images=images,
            train_images=train_images,
            test_images=test_images,
            network=network,
            cells=cells,
            rule=rule,
            stream_bits=stream_bits,
            recentre=recentre,
            levels=levels,
            dynamic_range=dynamic_range,
            sigma_step=sigma_step,
            sigma_ends=sigma_ends,
            nonlinearity=nonlinearity,
            asymmetry=asymmetry,
            stuck=stuck,
            rate=rate,
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
