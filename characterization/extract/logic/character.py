"""Gates by input transition, the flip-flop by clock, and MAC cells composed from both."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from circuits.logic.bench import (
    PERIOD,
    SLOPE,
    energy_per_vector,
    every_transition,
    first_crossing,
    leakage_deck,
    settled_bits,
    vector_deck,
)
from circuits.logic.gates import GATES, Gate
from circuits.mac.bit_cells import MACS, Mac
from circuits.ratings import Stress, stresses
from circuits.simulator import Simulator, Waveforms
from devices.technology import Technology

FLIP_FLOP_DATA = (0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0)
CHECK_VECTORS = 96


@dataclass(frozen=True)
class GateCharacter:
    """A combinational gate: energy (J) from state to state, leakage (W) by state, delay (s)."""

    energy: np.ndarray
    leakage: np.ndarray
    delay: float
    worst: Stress


@dataclass(frozen=True)
class RegisterCharacter:
    """A flip-flop: energy (J) of one clock with the data held or toggled, leakage (W)."""

    hold: float
    toggle: float
    leakage: float
    worst: Stress


class LogicFault(RuntimeError):
    """A simulated cell does not compute its truth table."""


def characterise_gate(simulator: Simulator, technology: Technology, gate: Gate) -> GateCharacter:
    """All ordered pairs of input states; raises :class:`LogicFault` if an output is wrong."""
    assert gate.function is not None
    vectors = every_transition(len(gate.inputs))
    cell = gate.subcircuit(technology)
    deck, circuit = vector_deck(
        f"transitions of {gate.name}", technology, [cell], gate.inputs, gate.outputs, vectors
    )
    waveforms = simulator.run(deck)
    for index, pin in enumerate(gate.outputs):
        expected = [gate.function(*vector)[index] for vector in vectors]
        found = settled_bits(waveforms, technology, pin, len(vectors))
        if not np.array_equal(found, expected):
            raise LogicFault(f"{gate.name}: output {pin} is wrong in {technology.name}")
    energies = energy_per_vector(waveforms, technology, gate.inputs, len(vectors))
    states = 2 ** len(gate.inputs)
    table = np.full((states, states), np.nan)
    numbers = [int("".join(map(str, vector)), 2) for vector in vectors]
    for (before, after), energy in zip(itertools.pairwise(numbers), energies[1:], strict=True):
        table[before, after] = energy
    quiet = simulator.run(leakage_deck(technology, cell, gate.inputs, gate.outputs))
    leakage = [-quiet[f"i(vd{state})"][0] * technology.supply for state in range(states)]
    return GateCharacter(
        energy=table,
        leakage=np.maximum(leakage, 0.0),
        delay=_worst_delay(waveforms, technology, gate, numbers),
        worst=stresses(circuit, waveforms, technology)[0],
    )


def characterise_flip_flop(simulator: Simulator, technology: Technology) -> RegisterCharacter:
    """Energy of a full clock cycle; raises :class:`LogicFault` where the data are not taken."""
    gate = GATES["dff"]
    vectors = [(bit, clock) for bit in FLIP_FLOP_DATA for clock in (0, 1)]
    cell = gate.subcircuit(technology)
    deck, circuit = vector_deck("flip-flop", technology, [cell], gate.inputs, gate.outputs, vectors)
    waveforms = simulator.run(deck)
    taken = settled_bits(waveforms, technology, "q", len(vectors))[1::2]
    if not np.array_equal(taken, FLIP_FLOP_DATA):
        raise LogicFault(f"dff: does not take its data in {technology.name}")
    energies = energy_per_vector(waveforms, technology, gate.inputs, len(vectors))
    cycles = energies.reshape(-1, 2).sum(axis=1)[1:]
    toggles = np.diff(FLIP_FLOP_DATA) != 0
    quiet = simulator.run(leakage_deck(technology, cell, gate.inputs, gate.outputs))
    states = range(2 ** len(gate.inputs))
    leakage = [-quiet[f"i(vd{state})"][0] * technology.supply for state in states]
    return RegisterCharacter(
        hold=float(cycles[~toggles].mean()),
        toggle=float(cycles[toggles].mean()),
        leakage=float(np.mean(np.maximum(leakage, 0.0))),
        worst=stresses(circuit, waveforms, technology)[0],
    )


def mean_energy(table: np.ndarray, probabilities: np.ndarray) -> float:
    """Mean energy (J) per vector for independent inputs, fresh each period.

    ``table`` is energy by (state before, state after), ``probabilities`` those of a 1 at each
    input, first pin first (the most significant bit of the state).
    """
    states = np.array([1.0])
    for p in probabilities:
        states = np.outer(states, [1.0 - p, p]).ravel()
    return float(states @ table @ states)


def mac_energy(mac: Mac, gates: dict[str, GateCharacter], pa: float, pb: float) -> float:
    """Energy (J) of one product bit for operand bit probabilities, by its gates' tables.

    Bits are independent from period to period and between products, which is exact for the gates
    at the operands and for the first level of the adder, whose neighbours carry like products.
    """
    total: float
    if mac.name == "sign_magnitude_counter":
        product = pa * pb
        total = mean_energy(gates["and2"].energy, np.array([pa, pb]))
        # Signs are still over a stream (their XOR draws nothing); + and - are equally frequent.
        signs = (0.0, 1.0)
        table = gates["xor2"].energy
        total += float(np.mean([mean_energy(table, np.array([product, sign])) for sign in signs]))
        choices = itertools.product((product, 1.0 - product), repeat=3)
        table = gates["full_adder"].energy
        total += float(np.mean([mean_energy(table, np.array(choice)) for choice in choices]))
        return total
    if mac.name == "bipolar_mux":
        product = pa * pb + (1.0 - pa) * (1.0 - pb)
        total = mean_energy(gates["xnor2"].energy, np.array([pa, pb]))
        total += mean_energy(gates["mux2"].energy, np.array([product, product, 0.5]))
        return total
    raise KeyError(f"no rule for the bit statistics inside {mac.name}")


def composition_error(
    simulator: Simulator,
    technology: Technology,
    mac: Mac,
    gates: dict[str, GateCharacter],
    generator: np.random.Generator,
) -> tuple[float, Stress]:
    """Sum of gate energies over a random stream against one transient of the whole cell.

    Returns the relative difference (skew, glitches, stack history) and the worst stress. Raises
    :class:`LogicFault` where the cell's outputs are wrong.
    """
    vectors = generator.integers(0, 2, (CHECK_VECTORS, len(mac.inputs))).tolist()
    cells = [GATES[name].subcircuit(technology) for name in mac.gates]
    deck, circuit = vector_deck(
        mac.name, technology, [*cells, mac.subcircuit()], mac.inputs, mac.outputs, vectors
    )
    waveforms = simulator.run(deck)
    values = [mac.evaluate(dict(zip(mac.inputs, vector, strict=True))) for vector in vectors]
    for pin in mac.outputs:
        found = settled_bits(waveforms, technology, pin, len(vectors))
        if not np.array_equal(found, [value[pin] for value in values]):
            raise LogicFault(f"{mac.name}: output {pin} is wrong in {technology.name}")
    whole = energy_per_vector(waveforms, technology, mac.inputs, len(vectors))[1:].sum()
    parts = 0.0
    for before, after in itertools.pairwise(values):
        for name, nodes in mac.instances:
            pins = nodes[: len(GATES[name].inputs)]
            states = [int("".join(str(v[pin]) for pin in pins), 2) for v in (before, after)]
            parts += gates[name].energy[states[0], states[1]]
    return float(parts / whole - 1.0), stresses(circuit, waveforms, technology)[0]


def mac_delay(mac: Mac, gates: dict[str, GateCharacter]) -> float:
    """Sum of the worst delays along the cell (s)."""
    return float(sum(gates[name].delay for name, _ in mac.instances))


def gates_of_macs() -> list[str]:
    """Gates any MAC cell needs, in a fixed order."""
    return sorted({name for mac in MACS.values() for name in mac.gates})


def _worst_delay(
    waveforms: Waveforms, technology: Technology, gate: Gate, numbers: list[int]
) -> float:
    """Longest time (s) from an input's half-way point to an output's, unloaded."""
    assert gate.function is not None
    half, worst = technology.supply / 2, 0.0
    for period, (before, after) in enumerate(itertools.pairwise(numbers), start=1):
        words = [format(n, f"0{len(gate.inputs)}b") for n in (before, after)]
        results = [gate.function(*(int(bit) for bit in word)) for word in words]
        start = period * PERIOD + SLOPE / 2
        for index, pin in enumerate(gate.outputs):
            if results[0][index] != results[1][index]:
                crossed = first_crossing(waveforms, pin, half, start - SLOPE)
                if crossed is not None and crossed < start + PERIOD:
                    worst = max(worst, crossed - start)
    return worst
