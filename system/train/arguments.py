"""Arguments that the commands of all trainings have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from system.networks.choice import NETWORKS

Images = Annotated[
    str | None,
    typer.Option(
        metavar="mnist5k|digits|FOLDER|FILE.npz",
        help="A packaged set (default mnist5k), a folder of IDX files, or arrays",
    ),
]
TrainImages = Annotated[int | None, typer.Option(help="Use so many training images, stratified")]
TestImages = Annotated[int | None, typer.Option(help="Use so many test images, stratified")]
Network = Annotated[
    str, typer.Option(metavar="|".join((*NETWORKS, "FILE.py:NAME")), help="The network")
]
Epochs = Annotated[int, typer.Option(help="Passes over the training images")]
BatchSize = Annotated[int, typer.Option(help="Images in one update")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Ignore the checkpoints of an interrupted run")
]
Output = Annotated[Path, typer.Option("-o", "--output", help="Folder of the files written")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors")]
