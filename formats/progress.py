"""A progress bar with time left on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_COUNTED = re.compile(r"(\d+) of (\d+)")


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


@contextmanager
def words(title: str, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with what is being done, for work whose length is not known.

    "refit 3 of 99" in the words fills a bar and shows the time left; other words show the time
    gone.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def tell(text: str) -> None:
            counted = _COUNTED.search(text)
            done, total = (int(n) for n in counted.groups()) if counted else (0, None)
            bar.update(task, description=f"{title}: {text}", completed=done, total=total)

        yield tell
