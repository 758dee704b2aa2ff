"""The door to ngspice: decks in, arrays out, from killable processes; results are remembered.

ngspice is treated as a child that may print nonsense, hang or crash. Each worker process loads
libngspice once through PySpice and runs one deck after another; a deck that outlives its time
limit kills its worker, and the next one gets a new one. What hung, crashed or did not converge is
tried once more with robust options and then marked. The parts are in ``circuits/ngspice/``.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Sized
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, overload

from circuits.ngspice.cache import Cache
from circuits.ngspice.child import Child
from circuits.ngspice.counters import Counters
from circuits.ngspice.deck_text import read_deck
from circuits.ngspice.failures import EngineMissing, Failure, Kind, SimulationError
from circuits.ngspice.folders import clear_cache
from circuits.ngspice.installation import (
    TESTED_VERSION,
    executable_path,
    executable_version,
    library_path,
    warn_of_other_version,
)
from circuits.ngspice.kept import keep_failed
from circuits.ngspice.program import DEFAULT_TIMEOUT, run_batch
from circuits.ngspice.robust import ROBUST_OPTIONS, with_robust_options
from circuits.ngspice.waveforms import Waveforms
from formats.folders import cache_folder

__all__ = [
    "DEFAULT_TIMEOUT",
    "ROBUST_OPTIONS",
    "TESTED_VERSION",
    "Counters",
    "EngineMissing",
    "Progress",
    "SimulationError",
    "Simulator",
    "Waveforms",
    "clear_cache",
    "executable_path",
    "executable_version",
    "library_path",
    "run_batch",
    "warn_of_other_version",
]

Progress = Callable[[int, int | None], None]
"""Called with the number of decks done and, where it is known, the number asked for."""
Result = TypeVar("Result")


class Simulator:
    """A pool of ngspice workers.

    Use as a context manager. Results do not depend on ``jobs``: each deck is run on its own, by a
    process that is as good as new. ``timeout`` (s) bounds one attempt at a deck. ``cache`` is the
    folder results are remembered in, "off" for none, None for the user's
    (:func:`formats.folders.cache_folder`). Raises :class:`EngineMissing`.
    """

    def __init__(
        self,
        jobs: int = 1,
        timeout: float = DEFAULT_TIMEOUT,
        cache: Path | str | None = None,
    ) -> None:
        self._jobs = max(1, jobs)
        self._timeout = timeout
        folder = cache_folder(cache)
        self._cache = None if folder is None else Cache(folder)
        self._failed = folder or cache_folder()
        self._idle: list[Child] = []
        self._busy: list[Child] = []
        self._closed = False
        self._counters = Counters()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self._jobs)  # also for several threads that map
        library_path()

    def __enter__(self) -> Simulator:
        self._closed = False
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            for child in self._idle:
                child.kill()
            self._idle.clear()
            for child in self._busy:  # of threads that outlive an interrupted map
                child.stop()

    @property
    def counters(self) -> Counters:
        """What has been done so far."""
        with self._lock:
            return self._counters

    def run(self, deck: str) -> Waveforms:
        """Run one deck (text) and return its saved vectors; raises :class:`SimulationError`."""
        reading = read_deck(deck)
        key = None if self._cache is None else self._cache.key(reading)
        if self._cache is not None and key is not None:
            known = self._cache.read(key)
            if known is not None:
                self._count(decks=1, cached=1)
                return known
        try:
            result, repeats = self._run_anew(deck, reading.leaves_traces)
        except SimulationError:
            self._count(decks=1, failed=1)
            raise
        self._count(decks=1)
        if self._cache is not None and key is not None and repeats:
            self._cache.write(key, result)
        return result

    @overload
    def map(self, decks: Iterable[str], progress: Progress | None = None) -> list[Waveforms]: ...

    @overload
    def map(
        self,
        decks: Iterable[str],
        progress: Progress | None = None,
        *,
        then: Callable[[Waveforms], Result],
    ) -> list[Result]: ...

    def map(
        self,
        decks: Iterable[str],
        progress: Progress | None = None,
        *,
        then: Callable[[Waveforms], Result] | None = None,
    ) -> list[Waveforms] | list[Result]:
        """Run decks in parallel; results in the order given.

        ``then`` is applied to each result at once, so that only what it returns is kept: many
        decks, taken from a generator, then need no more memory than few.
        Raises :class:`SimulationError` for the first deck that fails.
        """
        import joblib

        total = len(decks) if isinstance(decks, Sized) else None
        done, lock = 0, threading.Lock()

        def one(deck: str) -> Waveforms | Result:
            nonlocal done
            result = self.run(deck)
            short = result if then is None else then(result)
            if progress is not None:
                with lock:
                    done += 1
                    progress(done, total)
            return short

        # Threads only wait for the worker processes, which do the work and can be killed.
        parallel = joblib.Parallel(n_jobs=self._jobs, backend="threading")
        return list(parallel(joblib.delayed(one)(deck) for deck in decks))

    def _run_anew(self, deck: str, leaves_traces: bool) -> tuple[Waveforms, bool]:
        """The result, and whether another run would give it again (not so after a hang)."""
        first = self._attempt(deck, leaves_traces)
        if isinstance(first, Waveforms):
            return first, True
        if self._closed:
            raise SimulationError("the simulator was closed")
        kept = keep_failed(deck, self._failed)
        if first.kind is Kind.NETLIST:
            raise SimulationError(_message(first, kept), kept)
        second = self._attempt(with_robust_options(deck), leaves_traces=True)
        if isinstance(second, Failure):
            tried = f"{first.reason}; again with {ROBUST_OPTIONS}: {second.reason}"
            log = second.log or first.log
            raise SimulationError(_message(replace(second, reason=tried, log=log), kept), kept)
        rescued = f"{first.reason}; run with {ROBUST_OPTIONS}; deck kept as {kept}"
        warnings.warn(f"ngspice: {rescued}", RuntimeWarning, stacklevel=4)
        self._count(rescued=1)
        return replace(second, rescued=rescued), first.kind is Kind.CONVERGENCE

    def _attempt(self, deck: str, leaves_traces: bool) -> Waveforms | Failure:
        with self._slots:
            return self._ask(deck, leaves_traces)

    def _ask(self, deck: str, leaves_traces: bool) -> Waveforms | Failure:
        child, start = self._take(), time.monotonic()
        answer: Waveforms | Failure | None = None
        try:
            answer = child.ask(deck, self._timeout)
        finally:  # also when we are interrupted
            good = isinstance(answer, Waveforms) and not leaves_traces
            with self._lock:
                self._busy.remove(child)
                if good and not self._closed:
                    self._idle.append(child)
                else:
                    child.kill()
        finished = isinstance(answer, Waveforms)
        self._count(
            attempts=1,
            transients=int(finished),
            time_points=answer.time.size if isinstance(answer, Waveforms) else 0,
            seconds=time.monotonic() - start,
        )
        return answer

    def _take(self) -> Child:
        """An idle worker that still lives, or a new one."""
        with self._lock:
            if self._closed:
                raise SimulationError("the simulator was closed")
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    break
                child.kill()
            else:
                child = Child()
            self._busy.append(child)
            return child

    def _count(self, **more: float) -> None:
        with self._lock:
            sums = {name: getattr(self._counters, name) + value for name, value in more.items()}
            self._counters = replace(self._counters, **sums)


def _message(failure: Failure, kept: Path | None) -> str:
    """The reason with the kept deck's path and ngspice's last lines."""
    tail = "\n".join(failure.log.splitlines()[-8:])
    where = f"; deck kept as {kept}" if kept is not None else ""
    return f"ngspice: {failure.reason}{where}" + (f"\n{tail}" if tail else "")
