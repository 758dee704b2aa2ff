"""A progress bar with time left on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def steps(title: str, total: int, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with a few words at the start of each of ``total`` steps."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        started = False

        def step(words: str) -> None:
            nonlocal started
            bar.update(task, description=f"{title}: {words}", advance=int(started))
            started = True

        yield step
