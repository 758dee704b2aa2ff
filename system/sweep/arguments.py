"""Arguments of commands that run many trainings."""

from __future__ import annotations

from typing import Annotated

import typer

Backend = Annotated[
    str, typer.Option(metavar="loky|dask", help="Processes here, or the workers of a cluster")
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="tcp://HOST:PORT", help="Dask scheduler (default: here)")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would run, and end")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but what failed")]
