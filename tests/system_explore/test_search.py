"""Sampled explorations: which trainings are chosen, whatever the workers and interruptions."""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import InputError
from system.explore import ExploreOptions, run
from system.explore.front import dominators
from system.explore.search import Sampled, load_optuna, varied_numbers
from system.explore.stage import CSV_FILE, JSON_FILE, PICTURE_FILE, Explored
from tests.system_explore.stand_in import StandIn

LENGTHS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024)
MACS = ("counter", "mux", "approximate")
BITS = (3, 4, 5, 6, 7, 8, 10)


@dataclass(frozen=True)
class MadeUp:
    """A cell, and a result that has scores once it was run."""

    name: str
    varied: tuple[str, ...]
    scores: object = None

    @property
    def cell(self) -> MadeUp:
        return self


def amounts(one: Any) -> tuple[float, float, float]:
    """Error, energy and area of a made-up design, logarithms of the last two."""
    length, mac, bits = int(one.varied[0]), one.varied[1], int(one.varied[2])
    place = MACS.index(mac)
    error = 0.012 + 0.9 / length**0.95 + (0, 0.9 * min(1, 8 / length**0.2), 0.004)[place]
    error = min(0.9, error + 3.2 / 4**bits)
    energy = length * (1, 0.8, 0.97)[place] * (1 + 0.002 * 2**bits / 8)
    area = 5 + (1.0, 0.3, 0.8)[place] * (1 + 0.3 * math.ceil(math.log2(25 * length)))
    return error, math.log10(energy), math.log10(area + 0.01 * 2**bits)


CELLS: list[Any] = [
    MadeUp(",".join(map(str, varied)), tuple(map(str, varied)))
    for varied in itertools.product(LENGTHS, MACS, BITS)
]


def read(cell: Any) -> dict[str, str]:
    return dict(zip(("stream_length", "mac", "dac_bits"), cell.varied, strict=True))


def chosen(seed: int, trials: int, there: Sequence[str] = ()) -> list[str]:
    """The names in the order in which they were run."""
    results = {each.name: replace(each, scores=1) if each.name in there else each for each in CELLS}
    search = Sampled(CELLS, read, amounts, trials, 4, seed)
    order: list[str] = []
    while batch := search(list(results.values())):
        assert len(batch) <= 4
        for cell in reversed(batch):  # they may end in any order
            order.append(cell.name)
            results[cell.name] = replace(results[cell.name], scores=1)
    assert list(search.asked)[: len(there)] == list(there)
    return order


def reached(names: Sequence[str]) -> float:
    """Share of random weighings of the amounts for which these hold a design within 2 % of the
    range of the best one."""
    every = np.array([amounts(cell) for cell in CELLS])
    every = (every - every.min(0)) / np.ptp(every, axis=0)
    mine = every[[[cell.name for cell in CELLS].index(name) for name in names]]
    weights = np.random.default_rng(1).dirichlet(np.ones(3), 500).T
    return float(np.mean((mine @ weights).min(0) <= (every @ weights).min(0) + 0.02))


@pytest.fixture
def optuna() -> Any:
    return pytest.importorskip("optuna", reason="Optuna is not installed (extra `explore`)")


def test_no_training_is_chosen_twice_and_an_interrupted_search_goes_on_alike(optuna: Any) -> None:
    whole = chosen(1, 22)
    assert len(whole) == len(set(whole)) == 22
    assert chosen(1, 22) == whole and chosen(2, 22) != whole
    batches = [whole[i : i + 4][::-1] for i in range(0, 22, 4)]
    asked = [name for batch in batches for name in batch]
    assert chosen(1, 22, asked[:7]) == [asked[7], *whole[8:]]
    assert chosen(1, 12) == whole[:12]  # more trials go on from fewer


def test_a_search_for_all_finds_all(optuna: Any) -> None:
    some = [cell for cell in CELLS if cell.varied[0] in "8 16" and cell.varied[2] in "3 4 5"]
    search = Sampled(some, read, amounts, 99, 4, 1)
    results = {each.name: each for each in some}
    while batch := search(list(results.values())):
        for cell in batch:
            results[cell.name] = replace(results[cell.name], scores=1)
    assert set(search.asked) == set(results)


def test_the_sampler_learns(optuna: Any) -> None:
    """Of 252 trainings 40 are run; random ones reach less. Fixed seeds, so that nothing is left to
    chance but a change of Optuna."""
    assert 30 < (~dominators(np.array([amounts(c) for c in CELLS])).any(axis=1)).sum() < 252
    found = [reached(chosen(seed, 40)) for seed in range(2)]
    names = [cell.name for cell in CELLS]
    draws = [np.random.default_rng(seed).choice(names, 40, replace=False) for seed in range(20)]
    luck = [reached(list(draw)) for draw in draws]
    assert min(found) > np.mean(luck) and np.mean(found) > np.mean(luck) + np.std(luck)


def test_a_failed_training_is_not_asked_for_again(optuna: Any) -> None:
    search = Sampled(CELLS, read, lambda _: None, 10, 4, 1)
    batches = list(iter(lambda: search(CELLS), []))
    assert [len(batch) for batch in batches] == [4, 4, 2]


def test_options_are_ordered_where_they_are_numbers() -> None:
    few = [CELLS[0], CELLS[-1], CELLS[8]]
    assert varied_numbers(few, read) == [
        ("stream_length", ["8", "1024"], True),
        ("mac", ["counter", "approximate", "mux"], False),
        ("dac_bits", ["3", "4", "10"], True),
    ]


def test_without_optuna_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *others: Any) -> Any:
        if name == "optuna":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r"8 of 24 trainings .*stochram\[explore\].*without --tri"):
        load_optuna(8, 24)


def test_a_sampled_exploration_resumed_ends_alike(
    optuna: Any, cells: Path, template: Path, tmp_path: Path
) -> None:
    options = ExploreOptions(
        cells,
        stream_lengths="8,16,32",
        dac_bits="3,none",
        parallelism="row",
        fixed=("train_images=100", "epochs=3", "seeds=2"),
        trials=4,
        batch=2,
        output=tmp_path / "whole",
        quiet=True,
    )
    trainer = StandIn(template)
    found = run(options, trainer)
    assert isinstance(found, Explored) and (found.done, found.possible) == (4, 6)
    assert "4 of 6 trainings of the grid are there" in found.sentences[0]
    assert len(trainer.asked) == len(found.points) == 4

    resumed = replace(options, output=tmp_path / "resumed")
    stopped = StandIn(template, stops={trainer.asked[-1][0]})
    with pytest.raises(KeyboardInterrupt):
        run(resumed, stopped)
    assert len(stopped.asked) < 4
    stopped.stops = set()
    run(resumed, stopped)
    assert len(stopped.asked) == 4
    for name in (CSV_FILE, JSON_FILE, PICTURE_FILE):
        assert (resumed.output / name).read_bytes() == (options.output / name).read_bytes()
