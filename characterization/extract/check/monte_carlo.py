"""Bit probability and energies of the SNG by transients with drawn thresholds, devices, cells.

The check of what is integrated elsewhere, and the way for what has no closed form. Blocks are
simulated until an interval is narrow enough. Each unit of a block draws from a generator of its own
name, so that results depend neither on the number of processes nor on where a run was stopped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t

from characterization.extract.check.intervals import Precision, Proportion
from characterization.extract.check.kept import Block, KeptBlocks
from characterization.extract.check.units import (
    Sampling,
    independent_bits,
    refusal,
    run_key,
    unit_deck,
    unit_result,
)
from characterization.extract.sng.bench import Bench

FEWEST_UNITS = 80
"""Units before a run of dependent bits may stop.

Measured in numpy on chains with P(RESET) 0.2 to 0.6 and on populations with a spread of 1 in the
logit of P, 25 bits a unit, +-0.03: 95-% intervals then miss at most 0.6 times as often as
permitted; up to 1.1 times with 40 units, and 1.6 times without such a bound.
"""


@dataclass(frozen=True)
class Estimate:
    """Result at a write ``voltage`` (V).

    ``energy`` (J; RESET, write, read) is the mean of a cycle with its standard error over the
    ``units``, None where it was not asked for; ``simulated`` counts all cycles, the leading ones
    included; ``precise`` tells that the asked precision was reached.
    """

    voltage: float
    bit: Proportion
    energy: np.ndarray | None
    energy_stderr: np.ndarray | None
    units: int
    simulated: int
    precise: bool

    def energy_interval(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """Student's interval of the mean energy of each phase.

        Raises ValueError where no energies were asked for.
        """
        if self.energy is None or self.energy_stderr is None:
            raise ValueError("this run was asked for bits, not for energies")
        half = float(t.isf((1 - confidence) / 2, self.units - 1)) * self.energy_stderr
        return self.energy - half, self.energy + half


def monte_carlo(
    bench: Bench,
    voltage: float,
    sampling: Sampling,
    precision: Precision,
    kept: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Estimate:
    """Simulate blocks at a write voltage (V) until the precision or its largest count is reached.

    Finished blocks are kept in the file ``kept`` and not done again; ``progress`` is told the
    number of bits after each block. Raises ValueError for what cannot be sampled
    (:func:`characterization.extract.check.units.refusal`).
    """
    if (reason := refusal(bench, sampling)) is not None:
        raise ValueError(reason)
    file = None if kept is None else KeptBlocks(kept, run_key(bench, voltage, sampling))
    done = {} if file is None else file.read()
    blocks: list[Block] = []
    for number in itertools.count():
        block = done.get(number)
        if block is None:
            block = simulated_block(bench, voltage, sampling, number)
            if file is not None:
                file.append(number, block)
        blocks.append(block)
        found = estimate(voltage, blocks, sampling, precision, independent_bits(bench, sampling))
        progress(found.bit.count)
        if found.precise or found.bit.count >= precision.largest:
            return found
    raise AssertionError("unreachable")


def simulated_block(bench: Bench, voltage: float, sampling: Sampling, number: int) -> Block:
    """Simulate one block."""
    decks = (unit_deck(bench, voltage, sampling, number, unit) for unit in range(sampling.units))
    results = bench.simulator.map(
        decks, then=lambda waveforms: unit_result(bench, sampling, waveforms)
    )
    ones, energies = zip(*results, strict=True)
    return Block(np.array(ones), np.array(energies))


def estimate(
    voltage: float,
    blocks: Sequence[Block],
    sampling: Sampling,
    precision: Precision,
    independent: bool,
) -> Estimate:
    """What blocks, of at least two units in all, tell."""
    ones = np.concatenate([block.ones for block in blocks])
    bits = np.full(ones.size, sampling.cycles)
    interval = precision.interval(ones, bits, independent)
    energy = stderr = None
    if sampling.energies:
        means = np.concatenate([block.energy for block in blocks]) / sampling.cycles
        energy, stderr = means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(ones.size)
    enough = independent or ones.size >= FEWEST_UNITS
    return Estimate(
        voltage=voltage,
        bit=interval,
        energy=energy,
        energy_stderr=stderr,
        units=ones.size,
        simulated=ones.size * (sampling.leading + sampling.cycles),
        precise=enough and precision.reached(interval),
    )
