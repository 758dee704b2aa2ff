"""Gates and flip-flops characterised, and cells composed from them, against transients."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

import circuits.logic.stimulus
from characterization.extract.logic.compose import (
    composition_check,
    random_vectors,
    stream_energies,
    transition_table,
)
from characterization.extract.logic.events import EventCell
from characterization.extract.logic.gate import characterise_gate
from characterization.extract.logic.joint import (
    expected_energy,
    fresh,
    independent,
    lagged,
    realised,
    return_to_zero,
    signalled,
    states,
)
from characterization.extract.logic.operands import operand_energy
from characterization.extract.logic.path import longest_path
from characterization.extract.logic.register import characterise_flip_flop, every_toggle
from characterization.extract.logic.results import GateCharacter, RegisterCharacter
from characterization.extract.logic.timing import characterise_timing
from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES
from circuits.logic.stimulus import Pace, measured_pace
from circuits.mac.bit_cells import MACS
from circuits.mac.mux_tree import mux_tree
from circuits.reference.binary import multiplier
from circuits.simulator import Simulator
from devices.technology import CMOS40LP
from formats.seeds import generator

PUBLISHED = {"inv": (4.3, 0.026), "xnor2": (12.6, 0.10), "mux2": (9.9, 0.10)}
"""fJ of a full input cycle with one inverter load, and nW of mean leakage, simulated with a
low-power 45-nm card at 1.1 V."""


@dataclass(frozen=True)
class Lab:
    simulator: Simulator
    pace: Pace
    gates: dict[str, GateCharacter]
    register: RegisterCharacter


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Simulator() as simulator:
        pace = measured_pace(simulator, CMOS40LP)
        gates = {
            name: characterise_gate(simulator, CMOS40LP, GATES[name], pace)
            for name in ("inv", "and2", "xor2", "xnor2", "mux2", "full_adder")
        }
        yield Lab(simulator, pace, gates, characterise_flip_flop(simulator, CMOS40LP, pace))


def single(name: str) -> LogicCell:
    gate = GATES[name]
    return LogicCell(
        name=f"one_{name}",
        inputs=gate.inputs,
        outputs=gate.outputs,
        instances=((name, (*gate.inputs, *gate.outputs)),),
        description=name,
        clock="clk" if name == "dff" else None,
    )


# --- joint laws ------------------------------------------------------------------------------


def test_expected_energy_is_the_mean_over_a_long_random_stream() -> None:
    random = np.random.default_rng(0)
    table = random.random((8, 8))
    bits = (random.random((400_001, 3)) < [0.2, 0.7, 0.5]).astype(int)
    # Standard error below 0.3/sqrt(4e5) = 5e-4, twice that for the overlap of pairs.
    expected = expected_energy(table, independent([0.2, 0.7, 0.5]))
    assert expected_energy(table, realised(bits)) == pytest.approx(expected, abs=5e-3)


def test_a_lagged_law_is_that_of_a_markov_chain() -> None:
    joint = lagged([0.3], [0.6])
    chain = joint / joint.sum(axis=1, keepdims=True)
    assert np.allclose(np.array([0.7, 0.3]) @ chain, [0.7, 0.3])
    assert (joint[1, 1] - 0.09) / 0.21 == pytest.approx(0.6)
    assert np.allclose(lagged([0.3, 0.8], [0, 0]), independent([0.3, 0.8]))
    still = lagged([0.3, 0.8], [1, 1])
    assert np.allclose(still, np.diag(states([0.3, 0.8])))
    with pytest.raises(ValueError, match=r"possible are -0\.429 to 1"):
        lagged([0.3], [-0.6])


def test_return_to_zero_costs_two_transitions_a_bit() -> None:
    table = np.random.default_rng(1).random((4, 4))
    law = states([0.4, 0.9])
    there_and_back = sum(law[s] * (table[0, s] + table[s, 0]) for s in range(4))
    assert expected_energy(table, return_to_zero(law)) == pytest.approx(there_and_back)
    assert return_to_zero(law).sum() == pytest.approx(2.0)
    assert np.allclose(signalled(law, "held"), fresh(law))
    with pytest.raises(ValueError, match="expected one of held, return-to-zero"):
        signalled(law, "pulsed")


# --- gates and flip-flops ---------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_energy_and_leakage_are_near_those_of_a_published_library(lab: Lab, name: str) -> None:
    gate = lab.gates[name]
    cycle, leakage = PUBLISHED[name]
    load = gate.light.capacitance * CMOS40LP.supply**2
    single_input = [gate.energy[s, s ^ 1] for s in range(gate.energy.shape[0])]
    ours = 2 * np.mean(single_input) + load
    assert 0.5 < ours * 1e15 / cycle < 2.0
    assert 1 / 3 < gate.leakage.mean() * 1e9 / leakage < 2.0


def test_nothing_that_changes_costs_nothing(lab: Lab) -> None:
    for gate in lab.gates.values():
        assert np.all(np.isfinite(gate.energy))
        assert np.all(np.abs(np.diag(gate.energy)) < 0.02 * gate.energy.max())
        assert not gate.worst.violated


def test_energies_do_not_depend_on_the_time_step(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finer(Pace):
        @property
        def step(self) -> float:
            return self.fo4 / 20

    monkeypatch.setattr("characterization.extract.logic.gate.SKEWS", ())
    fine = characterise_gate(lab.simulator, CMOS40LP, GATES["and2"], Finer(lab.pace.fo4))
    coarse = lab.gates["and2"]
    assert fine.energy.mean() == pytest.approx(coarse.energy.mean(), rel=3e-3)
    assert np.abs(fine.energy - coarse.energy).max() < 0.015 * coarse.energy.max()
    assert fine.delay == pytest.approx(coarse.delay, rel=0.03)
    assert "chgtol" in circuits.logic.stimulus.OPTIONS


def test_flip_flop_walk_holds_every_toggle_and_its_table_has_the_symmetry_of_the_latches(
    lab: Lab,
) -> None:
    assert len(set(every_toggle())) == 16
    energy = lab.register.energy
    assert np.all(np.isfinite(energy))
    assert 0 < lab.register.hold < lab.register.toggle < 60e-15
    # A closed master sees the data at its gate only; an open one charges its nodes.
    assert energy[1, :, :, 1].max() < 0.2 * energy[0, :, :, 1].min()
    # The clock costs most where it moves a latch.
    assert energy[0, 0, 1, 0] > 1.5 * energy[0, 0, 0, 0]
    assert energy[1, 1, 0, 0] > 1.5 * energy[1, 1, 1, 0]


@pytest.mark.parametrize("name", ["and2", "xor2", "xnor2", "mux2", "full_adder", "dff"])
def test_gate_energies_sum_to_the_transient_of_the_same_stream(lab: Lab, name: str) -> None:
    cell = single(name)
    vectors = random_vectors(cell, generator(5, name), 82)
    check = composition_check(
        lab.simulator, CMOS40LP, lab.pace, cell, lab.gates, lab.register, vectors, warm=2
    )
    assert abs(check.events) < 0.02


def test_timing_grows_with_load_and_slew(lab: Lab) -> None:
    load = lab.gates["inv"].light.capacitance
    timing = characterise_timing(lab.simulator, CMOS40LP, GATES["and2"], lab.pace, load)
    assert set(timing.arcs) == {(p, "y", e, e) for p in "ab" for e in ("rise", "fall")}
    for delay, slew in timing.arcs.values():
        assert delay.shape == slew.shape == (3, 3)
        assert np.all(np.diff(delay, axis=1) > 0)
        assert np.all(np.diff(slew[:2], axis=1) > 0)
        assert np.all(np.diff(delay, axis=0) > 0)


# --- composed cells ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", MACS)
def test_bit_cells_sum_to_their_transient(lab: Lab, name: str) -> None:
    mac = MACS[name]
    vectors = random_vectors(mac, generator(1, name), 98)
    check = composition_check(lab.simulator, CMOS40LP, lab.pace, mac, lab.gates, None, vectors)
    assert check.vectors >= 50
    assert abs(check.events) < 0.02
    assert abs(check.zero_delay) < 0.15


def test_events_find_the_glitches_that_settled_states_miss(lab: Lab) -> None:
    cell = multiplier(4)
    vectors = random_vectors(cell, generator(2, "glitches"), 60)
    energies = stream_energies(cell, lab.gates, None, vectors, 1e-8)
    values = [cell.evaluate(vector) for vector in vectors]
    settled = 0.0
    for before, after in itertools.pairwise(values):
        for name, nodes in cell.instances:
            pins = nodes[: len(GATES[name].inputs)]
            old, new = (int("".join(str(v[pin]) for pin in pins), 2) for v in (before, after))
            settled += lab.gates[name].energy[old, new]
    assert energies.sum() > 1.05 * settled


def test_a_table_of_a_cell_is_its_stream_energy(lab: Lab) -> None:
    mac = MACS["bipolar_mux"]
    table = transition_table(mac, lab.gates)
    vectors = random_vectors(mac, generator(3, "table"), 200)
    streams = stream_energies(mac, lab.gates, None, vectors, 1e-8)
    bits = np.array([[vector[pin] for pin in mac.inputs] for vector in vectors])
    assert expected_energy(table, realised(bits)) == pytest.approx(streams.mean(), rel=1e-9)


def test_a_still_mac_costs_nothing_and_a_returning_one_more(lab: Lab) -> None:
    for mac in MACS.values():
        held, error, grid = operand_energy(mac, lab.gates, None, 0)
        returning, _, _ = operand_energy(
            replace(mac, signalling="return-to-zero"), lab.gates, None, 0
        )
        middle = grid.size // 2
        busy = held[middle, middle]
        assert np.all(error == 0)
        assert held[0, 0] < 0.35 * busy if mac.adder == "mux" else held[0, 0] < 1e-18
        assert returning[middle, middle] > 1.2 * busy


def test_energy_of_a_tree_is_that_of_a_stream_per_product(lab: Lab) -> None:
    """Half of all bits 1: a long stream of the whole cell, over its fan-in."""
    tree = mux_tree("bipolar", 4, True)
    energy, error, grid = operand_energy(tree, lab.gates, None, 0)
    middle = grid.size // 2
    vectors = random_vectors(tree, generator(1, "tree"), 3000)
    period = 4 * longest_path(tree, lab.gates).delay
    whole = stream_energies(tree, lab.gates, None, vectors, period)
    spread = np.hypot(error[middle, middle], whole.std() / np.sqrt(whole.size) / 4)
    # Steps share a state with the next: twice the standard error of independent ones at most.
    assert energy[middle, middle] == pytest.approx(whole.mean() / 4, abs=5 * 2 * spread)
    assert spread < 0.05 * energy[middle, middle]


def test_delay_is_that_of_the_longest_path_not_of_all_gates(lab: Lab) -> None:
    gates = lab.gates
    mac = MACS["sign_magnitude_counter"]
    every = sum(
        gates[name].heavy.delay[~np.isnan(gates[name].heavy.delay)].max()
        for name in ("xor2", "and2", "xor2", "full_adder")
    )
    assert gates["full_adder"].delay < longest_path(mac, gates).delay < every
    tree = mux_tree("bipolar", 8, True)
    assert longest_path(tree, gates).delay > 3 * gates["mux2"].delay


def test_event_simulation_settles_in_the_truth_whatever_the_delays(lab: Lab) -> None:
    """Delays scaled gate by gate at random: other glitches, the same final levels."""
    random = np.random.default_rng(4)
    cell = multiplier(3)
    for _ in range(3):
        gates = {
            name: replace(
                gate,
                light=replace(gate.light, delay=gate.light.delay * random.uniform(0.3, 3)),
                heavy=replace(gate.heavy, delay=gate.heavy.delay * random.uniform(0.3, 3)),
            )
            for name, gate in lab.gates.items()
        }
        simulated = EventCell(cell, gates)
        vectors = random_vectors(cell, generator(6, "settle"), 40)
        levels = simulated.settled(cell.evaluate(vectors[0]))
        for before, after in itertools.pairwise(vectors):
            changes = [
                (random.uniform(0, 2e-10), pin, after[pin])
                for pin in cell.inputs
                if before[pin] != after[pin]
            ]
            simulated.step(levels, changes)
            assert levels == simulated.settled(cell.evaluate(after))
