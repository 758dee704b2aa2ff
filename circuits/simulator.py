"""The door to ngspice: decks in, arrays out, from killable processes; results are remembered.

ngspice is treated as a child that may print nonsense, hang or crash. Each worker process loads
libngspice once through PySpice and runs one deck after another; a deck that outlives its time
limit kills its worker, and the next one gets a new one. What hung, crashed or did not converge is
tried again, in the order that :mod:`circuits.ngspice.robust` states. The parts are in
``circuits/ngspice/``.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Sequence, Sized
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
    TESTED_VERSIONS,
    executable_path,
    executable_version,
    library_identity,
    library_path,
    warn_of_other_version,
)
from circuits.ngspice.kept import deck_name, keep_failed
from circuits.ngspice.program import DEFAULT_TIMEOUT, run_batch
from circuits.ngspice.robust import LADDER, ROBUST_OPTIONS, STEADY_OPTIONS, with_options
from circuits.ngspice.waveforms import Waveforms
from formats.errors import Remark
from formats.folders import cache_folder

__all__ = [
    "DEFAULT_TIMEOUT",
    "ROBUST_OPTIONS",
    "STEADY_OPTIONS",
    "TESTED_VERSIONS",
    "Counters",
    "EngineMissing",
    "Progress",
    "SimulationError",
    "Simulator",
    "Waveforms",
    "clear_cache",
    "executable_path",
    "executable_version",
    "library_identity",
    "library_path",
    "run_batch",
    "warn_of_other_version",
]

Progress = Callable[[int, int | None], None]
"""Called with the number of decks done and, where it is known, the number asked for."""
Result = TypeVar("Result")
_LAST_LINES = 8
"""Lines of ngspice's in the message of a failure."""


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
        self._rescues: dict[str, str] = {}
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

    @property
    def rescued(self) -> dict[str, str]:
        """Results marked as rescued so far, also remembered ones: what happened, by deck."""
        with self._lock:
            return dict(sorted(self._rescues.items()))

    def run(self, deck: str) -> Waveforms:
        """Run one deck (text) and return its saved vectors; raises :class:`SimulationError`."""
        reading = read_deck(deck)
        key = None if self._cache is None else self._cache.key(reading)
        if self._cache is not None and key is not None:
            known = self._cache.read(key)
            if known is not None:
                self._count(decks=1, cached=1)
                self._note(deck, known)
                return known
        try:
            result, repeats = self._run_anew(deck, reading.leaves_traces)
        except SimulationError:
            self._count(decks=1, failed=1)
            raise
        self._count(decks=1)
        self._note(deck, result)
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
        failures: list[Failure] = []
        for options in LADDER:
            answer = self._attempt(with_options(deck, options), leaves_traces or bool(options))
            if isinstance(answer, Waveforms):
                if failures:
                    answer = self._rescued(deck, options, answer, failures)
                return answer, all(one.kind is not Kind.HANG for one in failures)
            failures.append(replace(answer, reason=_again(options) + answer.reason))
            if answer.kind is Kind.CRASH or (answer.kind is Kind.NETLIST and not options):
                break
        raise self._given_up(deck, failures)

    def _rescued(
        self, deck: str, options: str, result: Waveforms, failures: Sequence[Failure]
    ) -> Waveforms:
        """A result that options gave, marked where they changed the circuit; tells the user."""
        kept = keep_failed(deck, self._failed)
        said = f"{'; '.join(one.reason for one in failures)}; run with {options}"
        warnings.warn(f"ngspice: {said}; {_where(kept)}", Remark, stacklevel=5)
        self._count(rescued=1)
        return replace(result, rescued=said) if options == ROBUST_OPTIONS else result

    def _given_up(self, deck: str, failures: Sequence[Failure]) -> SimulationError:
        """All that was tried, the kept deck's path and ngspice's last lines."""
        kept = keep_failed(deck, self._failed)
        reason = "; ".join(one.reason for one in failures)
        log = next((one.log for one in reversed(failures) if one.log.strip()), "")
        tail = "\n".join([line for line in log.splitlines() if line.strip()][-_LAST_LINES:])
        look = f"; look at it with: ngspice -b {kept}" if kept is not None else ""
        return SimulationError(
            f"ngspice: {reason}; {_where(kept)}{look}" + (f"\n{tail}" if tail else ""), kept, reason
        )

    def _attempt(self, deck: str, leaves_traces: bool) -> Waveforms | Failure:
        """One step of the ladder: the same once more where the process died.

        Raises :class:`EngineMissing` where it could not begin.
        """
        with self._slots:
            first = self._ask(deck, leaves_traces)
        if isinstance(first, Waveforms) or first.kind is not Kind.CRASH:
            return first
        with self._slots:
            second = self._ask(deck, leaves_traces)
        if isinstance(second, Failure):
            both = f"{first.reason}; again: {second.reason}"
            return replace(second, reason=both, log=second.log or first.log)
        warnings.warn(f"ngspice: {first.reason}; run again, it finished", Remark, stacklevel=5)
        return second

    def _ask(self, deck: str, leaves_traces: bool) -> Waveforms | Failure:
        child, start = self._take(), time.monotonic()
        answer: Waveforms | Failure | None = None
        try:
            answer = child.ask(deck, self._timeout)
            if isinstance(answer, Failure) and self._closed:
                raise SimulationError("the simulator was closed")
            if isinstance(answer, Failure) and answer.kind is Kind.ENGINE:
                raise EngineMissing(answer.reason)
        finally:  # also when we are interrupted
            good = isinstance(answer, Waveforms) and not leaves_traces
            with self._lock:
                self._busy.remove(child)
                if good and not self._closed:
                    self._idle.append(child)
                else:
                    child.kill()
        if child.version:
            warn_of_other_version(child.version)
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

    def _note(self, deck: str, result: Waveforms) -> None:
        if result.robust:
            title = deck.partition("\n")[0].lstrip("*").removeprefix(".title").strip()
            with self._lock:
                self._rescues[f"{title} ({deck_name(deck)})"] = result.rescued

    def _count(self, **more: float) -> None:
        with self._lock:
            sums = {name: getattr(self._counters, name) + value for name, value in more.items()}
            self._counters = replace(self._counters, **sums)


def _again(options: str) -> str:
    """What was tried, before the reason why it failed."""
    return f"again with {options}: " if options else ""


def _where(kept: Path | None) -> str:
    return "the deck could not be kept" if kept is None else f"deck kept as {kept}"
