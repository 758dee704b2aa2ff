"""What synapses.nc and conductances.npz hold of the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from devices.synapse import Synapse
from formats.synapse_training import ARITHMETICS
from system.synapses.corruption import CORRUPTIONS
from system.synapses.crossbars import Conductances, Crossbar, Ends, Programmed


@dataclass(frozen=True)
class Run:
    """One arithmetic of one seed: by epoch, then the last network's right answers."""

    accuracy: np.ndarray
    loss: np.ndarray
    correct: int
    corrupted: np.ndarray


@dataclass(frozen=True)
class Trained:
    """Both arithmetics of a seed, and what became of its devices."""

    runs: dict[str, Run]
    start: Programmed
    conductances: Conductances
    pulses: Conductances
    potentiated: np.ndarray


def dataset(
    trained: Sequence[Trained],
    crossbars: Sequence[Crossbar],
    positions: Mapping[str, int],
    synapse: Synapse,
    first_seed: int,
) -> xr.Dataset:
    """The variables of synapses.nc; ``positions`` are those of each layer in an image."""
    times = np.array([positions[crossbar.layer] for crossbar in crossbars])
    devices = np.array([crossbar.devices for crossbar in crossbars])
    sums = np.array([one.shape[-1] if one.part == "weight" else 0 for one in crossbars])
    runs = [[one.runs[name] for one in trained] for name in ARITHMETICS]
    strengths = np.array([values for _, values in CORRUPTIONS.values()])

    def of_runs(read: Any) -> np.ndarray:
        return np.array([[read(run) for run in row] for row in runs])

    def of_crossbars(read: Any) -> tuple[str, np.ndarray]:
        rows = [[read(one, k) for k in range(len(crossbars))] for one in trained]
        return "crossbar", np.mean(rows, axis=0)

    by_epoch = ("arithmetic", "seed", "epoch")
    return xr.Dataset(
        {
            "accuracy": (by_epoch, of_runs(lambda run: run.accuracy)),
            "loss": (by_epoch, of_runs(lambda run: run.loss)),
            "correct": (by_epoch[:2], of_runs(lambda run: run.correct)),
            "strength": (("corruption", "step"), strengths),
            "corrupted_correct": (
                (*by_epoch[:2], "corruption", "step"),
                of_runs(lambda run: run.corrupted),
            ),
            "devices": ("crossbar", devices),
            "reads": ("crossbar", devices * times),
            "sums": ("crossbar", sums * times),
            "conductance": of_crossbars(lambda one, k: _mean(one.conductances[k])),
            "span": ("crossbar", np.array([crossbar.span for crossbar in crossbars])),
            "first_pulses": of_crossbars(lambda one, k: _mean(one.start.writes[k])),
            "pulses": of_crossbars(lambda one, k: _mean(one.pulses[k])),
            "most_pulses": of_crossbars(_most),
            "potentiated": of_crossbars(
                lambda one, k: one.potentiated[k] / max(1, _total(one.pulses[k]))
            ),
            "at_end": of_crossbars(
                lambda one, k: at_end(one.conductances[k], one.start.ends, k, synapse)
            ),
        },
        coords={
            "arithmetic": list(ARITHMETICS),
            "seed": first_seed + np.arange(len(trained)),
            "epoch": np.arange(len(runs[0][0].loss)),
            "corruption": list(CORRUPTIONS),
            "crossbar": [crossbar.name for crossbar in crossbars],
        },
    )


def at_end(held: Any, ends: Ends, number: int, synapse: Synapse) -> float:
    """Share of the devices of a crossbar within half a step of an end state; stuck ones are."""
    shares = []
    for one, low, high in zip(held, ends.low[number], ends.high[number], strict=True):
        g, a, b = (np.asarray(part, float) for part in (one, low, high))
        edges = [(b - a) / (2 * branch.pulses) for branch in synapse.branches]
        shares.append(np.mean((g >= b - edges[0]) | (g <= a + edges[1])))
    return float(np.mean(shares))


def arrays(
    trained: Sequence[Trained], crossbars: Sequence[Crossbar], first_seed: int
) -> dict[str, np.ndarray]:
    """The arrays of conductances.npz."""
    found = {}
    for seed, one in enumerate(trained, first_seed):
        for k, crossbar in enumerate(crossbars):
            for cell, held in enumerate(one.conductances[k]):
                place = f"seed{seed}/{crossbar.name}/{cell}"
                found[f"{place}/conductance"] = np.asarray(held)
                found[f"{place}/low"] = np.asarray(one.start.ends.low[k][cell])
                found[f"{place}/high"] = np.asarray(one.start.ends.high[k][cell])
                first = np.asarray(one.start.writes[k][cell])
                found[f"{place}/pulses"] = first + np.asarray(one.pulses[k][cell])
    return found


def _mean(parts: Any) -> float:
    return float(np.mean([np.mean(part) for part in parts]))


def _total(parts: Any) -> int:
    return int(sum(np.sum(np.asarray(part, np.int64)) for part in parts))


def _most(one: Trained, number: int) -> int:
    pairs = zip(one.start.writes[number], one.pulses[number], strict=True)
    return max(int(np.max(np.asarray(a) + np.asarray(b))) for a, b in pairs)
