"""The command ``python -m system.synapses``, also ``stochram train-synapses``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from formats.errors import run_command
from system.synapses.options import SynapseOptions
from system.synapses.stage import run
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
    images: Images = None,
    train_images: TrainImages = None,
    test_images: TestImages = None,
    network: Network = _DEFAULT.network,
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
    epochs: Epochs = _DEFAULT.epochs,
    batch_size: BatchSize = _DEFAULT.batch_size,
    seed: Annotated[int, typer.Option(help="First seed")] = _DEFAULT.seed,
    seeds: Annotated[int, typer.Option(help="Runs, with the seeds that follow")] = _DEFAULT.seeds,
    fresh: Fresh = False,
    output: Output = _DEFAULT.output,
    quiet: Quiet = False,
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
