"""What is drawn in a Monte Carlo run, and the deck of one unit: a device and cell of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from characterization.extract.sng.bench import (
    QUICK_OPTIONS,
    QUICK_STEPS,
    Bench,
    sampled_bits,
)
from characterization.extract.sng.energy import LINES, RAILS, phase_energies
from circuits.simulator import Waveforms
from circuits.sng.cell import sng_circuit, sng_deck
from devices.cbram import CBRAM
from devices.drawn import generated_device
from devices.generator import WORD
from formats.seeds import generator, integer_seed

ENERGY_STEPS = 100
"""Fewest time steps of a write pulse where energies are wanted."""


@dataclass(frozen=True)
class Sampling:
    """What is drawn. A block has ``units`` decks of ``leading`` and ``cycles`` cycles each.

    ``population``: each unit is a device of the population (D2D of SET and RESET, resistances) in
    a cell with transistor mismatch; otherwise all are the nominal device in the nominal cell. The
    leading cycles are simulated, their bits and energies are not taken. Every unit starts in HRS;
    with one bit a unit all bits are independent, whatever the device. ``energies``: with finer time
    steps, for the energy of the phases.
    """

    population: bool = False
    units: int = 8
    cycles: int = 50
    leading: int = 1
    energies: bool = False
    seed: int = 0


def refusal(bench: Bench, sampling: Sampling) -> str | None:
    """Why a case cannot be sampled, or None.

    Thresholds are placed before the transient, one a cycle; that is right where each cycle uses
    one up, or where they are independent and none outlives its cycle.
    """
    if sampling.units < 2 or sampling.cycles < 1 or sampling.leading < 0:
        return "a block needs at least two units of at least one cycle"
    if bench.design.conditional_reset:
        return (
            "with a conditional RESET a threshold outlives its cycle: which one is in force is "
            "known only after the bits before it"
        )
    if bench.device.reset is not None and _memory(bench.device):
        return (
            "with a stochastic RESET and thresholds that remember, how many were used up is known "
            "only after the bits before them"
        )
    return None


def independent_bits(bench: Bench, sampling: Sampling) -> bool:
    """Whether the bits of a unit are independent of each other."""
    dependent = sampling.population or bench.device.reset is not None or _memory(bench.device)
    return sampling.cycles == 1 or not dependent


def unit_deck(bench: Bench, voltage: float, sampling: Sampling, block: int, unit: int) -> str:
    """The deck of one unit at a write voltage (V), drawn from generators of its own name."""
    names = (voltage.hex(), block, unit)
    device, shifts = bench.device, None
    if sampling.population:
        number = integer_seed(sampling.seed, "Monte Carlo device", *names) % int(WORD)
        device = generated_device(device, number)
        random = generator(sampling.seed, "Monte Carlo transistors", *names)
        sigmas = bench.design.vt_sigmas(bench.technology)
        shifts = {name: sigma * float(random.standard_normal()) for name, sigma in sigmas.items()}
    count = sampling.leading + sampling.cycles
    sets = generator(sampling.seed, "Monte Carlo SET", *names)
    resets = generator(sampling.seed, "Monte Carlo RESET", *names)
    circuit = sng_circuit(
        device,
        bench.technology,
        bench.design,
        [voltage] * count,
        device.set.sample_thresholds(sets, count).tolist(),
        device.sample_reset_thresholds(resets, count).tolist(),
        initial_state=0,
        vt_shifts=shifts,
    )
    if sampling.energies:
        saved = [f"{kind}{name})" for name in (*RAILS, *LINES) for kind in ("v(", "i(v")]
        return sng_deck(circuit, bench.design, count, ["v(q)", *saved], ENERGY_STEPS)
    circuit.raw_spice += f"\n.options {QUICK_OPTIONS}\n"
    return sng_deck(circuit, bench.design, count, ["v(q)"], QUICK_STEPS)


def unit_result(bench: Bench, sampling: Sampling, waveforms: Waveforms) -> tuple[int, list[float]]:
    """Ones of a unit, and its energy (J) by phase summed over the cycles; empty if not wanted."""
    bits = sampled_bits(
        waveforms, bench.technology, bench.design, sampling.leading + sampling.cycles
    )
    ones = int(np.sum(bits[sampling.leading :]))
    if not sampling.energies:
        return ones, []
    found = phase_energies(waveforms, bench.design, sampling.cycles, sampling.leading)
    return ones, found.sum(axis=0).tolist()


def run_key(bench: Bench, voltage: float, sampling: Sampling) -> str:
    """Name of a run in a file of blocks: changes with anything that is simulated."""
    deck = unit_deck(bench, voltage, sampling, 0, 0)
    return hashlib.sha256(f"{sampling} {voltage.hex()} {deck}".encode()).hexdigest()[:16]


def _memory(device: CBRAM) -> bool:
    laws = [device.set] if device.reset is None else [device.set, device.reset]
    return any(law.spread.memory.value != 0 for law in laws)
