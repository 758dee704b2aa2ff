"""Which trainings run: all of a grid, or so many of it as Optuna's sampler chooses.

Choices are made in batches of fixed size and learn only from batches that have ended, in the order
in which they were asked. So they depend on neither the number of workers nor an interruption: the
search is made again from its start, and trainings that are there answer at once.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from formats.errors import InputError
from formats.seeds import generator, integer_seed
from system.sweep.cell import Cell
from system.sweep.collect import Result

Objective = Callable[[Result], tuple[float, ...] | None]
"""What is minimised, of a training with results; None where it takes no part."""
OBJECTIVES, STARTS, TRIES = 3, 8, 30
"""Amounts of an objective, trainings chosen at random first, and suggestions before a free choice.

With 8 starts TPE found more of a made-up front of 252 trainings than NSGA-II, Sobol points or
random ones did (tests/system_explore/test_search.py holds a part of it).
"""


def varied_numbers(cells: Sequence[Cell], read: Callable[[Cell], Mapping[str, str]]) -> list[Any]:
    """Of each option with several values: its name, and its values in order if they are numbers."""
    rows = [read(cell) for cell in cells]
    found = []
    for name in rows[0]:
        values = list(dict.fromkeys(row[name] for row in rows))
        if len(values) > 1:
            found.append((name, *_ordered(values)))
    return found


def _ordered(values: Sequence[str]) -> tuple[list[str], bool]:
    try:
        return sorted(values, key=float), True
    except ValueError:
        return list(values), False


class Sampled:
    """Chooses ``trials`` of the ``cells``: an instance is the chooser of a sweep.

    ``read`` gives a cell's varied options as texts. A multi-objective tree-structured Parzen
    estimator (Ozaki et al., GECCO 2020, as Optuna has it; recalled) learns from error, least
    energy and least area of each training. Raises :class:`InputError` where Optuna is missing.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        read: Callable[[Cell], Mapping[str, str]],
        objective: Objective,
        trials: int,
        batch: int,
        seed: int,
    ) -> None:
        self.optuna = load_optuna(trials, len(cells))
        self.options = varied_numbers(cells, read)
        self.places = {tuple(read(cell)[o[0]] for o in self.options): cell for cell in cells}
        self.objective, self.trials, self.batch = objective, min(trials, len(self.places)), batch
        self.free = generator(seed, "explore", "free choice")
        self.asked: dict[str, Cell] = {}
        self.pending: list[tuple[Any, str]] = []
        with _quiet(self.optuna):
            sampler = self.optuna.samplers.TPESampler(
                seed=integer_seed(seed, "explore", "sampler"),
                n_startup_trials=STARTS,
                multivariate=True,
                constant_liar=True,
            )
            self.study = self.optuna.create_study(
                directions=["minimize"] * OBJECTIVES, sampler=sampler
            )

    def __call__(self, results: Sequence[Result]) -> list[Cell]:
        """The trainings to run next; none once all were asked for and told."""
        known = {result.cell.name: result for result in results}
        with _quiet(self.optuna):
            while True:
                for trial, name in self.pending:
                    self._tell(trial, known[name])
                self.pending = [
                    self._ask() for _ in range(min(self.batch, self.trials - len(self.asked)))
                ]
                waiting = [name for _, name in self.pending if known[name].scores is None]
                if waiting or not self.pending:
                    return [self.asked[name] for name in waiting]

    def _ask(self) -> tuple[Any, str]:
        """A trial and the name of its cell, which was not asked for before."""
        for _ in range(TRIES):
            trial = self.study.ask()
            cell = self.places[self._suggested(trial)]
            if cell.name not in self.asked:
                self.asked[cell.name] = cell
                return trial, cell.name
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        left = [place for place, cell in self.places.items() if cell.name not in self.asked]
        place = left[int(self.free.integers(len(left)))]
        self.study.enqueue_trial(
            {
                name: values.index(text) if ordered else text
                for (name, values, ordered), text in zip(self.options, place, strict=True)
            }
        )
        trial = self.study.ask()
        cell = self.places[self._suggested(trial)]
        self.asked[cell.name] = cell
        return trial, cell.name

    def _suggested(self, trial: Any) -> tuple[str, ...]:
        return tuple(
            values[trial.suggest_int(name, 0, len(values) - 1)]
            if ordered
            else trial.suggest_categorical(name, values)
            for name, values, ordered in self.options
        )

    def _tell(self, trial: Any, result: Result) -> None:
        amounts = None if result.scores is None else self.objective(result)
        if amounts is None or not np.all(np.isfinite(amounts)):
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(trial, amounts)


def load_optuna(trials: int, possible: int) -> Any:
    """The package; raises :class:`InputError` saying how to do without."""
    try:
        import optuna
    except ImportError as error:
        raise InputError(
            "--trials",
            f"{trials} of {possible} trainings are chosen by Optuna, which is not installed: "
            "pip install 'stochram[explore]', or train all (without --trials)",
        ) from error
    return optuna


class _quiet:
    """Optuna says only what is wrong, and nothing of what is experimental in it."""

    def __init__(self, optuna: Any) -> None:
        self.optuna, self.caught = optuna, warnings.catch_warnings()

    def __enter__(self) -> None:
        self.level = self.optuna.logging.get_verbosity()
        self.optuna.logging.set_verbosity(self.optuna.logging.ERROR)
        self.caught.__enter__()
        warnings.simplefilter("ignore", self.optuna.exceptions.ExperimentalWarning)

    def __exit__(self, *error: Any) -> None:
        self.caught.__exit__(*error)
        self.optuna.logging.set_verbosity(self.level)
