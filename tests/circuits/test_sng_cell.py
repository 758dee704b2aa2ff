"""The SNG's circuit: orders, conditional RESET, sense stage, level shifter, pair, terminals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from circuits.part import areas, counts, vt_sigma
from circuits.ratings import stresses
from circuits.simulator import Simulator, Waveforms
from circuits.sng.cell import sng_circuit, sng_deck
from circuits.sng.chain import thresholds_in_force
from circuits.sng.design import ORDERS, SngDesign
from circuits.sng.level_shifter import level_shifter
from circuits.sng.pair import pair_parts, sng_pair_circuit
from circuits.sng.parts import cell_parts
from circuits.sng.terminal import drive_loss
from circuits.transistors import placed_transistors
from devices.cbram import CBRAM, NEVER
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.technology import CMOS40LP, Technology

DEVICE = knag2014()
DESIGN = SngDesign()
SHORT = replace(DESIGN, write_time=20e-6)
STEPS = 25
"""Of a write pulse: these tests look at bits, not at energies."""


def output(waveforms: Waveforms, design: SngDesign, cycles: int, node: str = "q") -> list[int]:
    times = [design.sample_time(cycle) for cycle in range(cycles)]
    levels = np.interp(times, waveforms.time, waveforms[f"v({node})"]) / CMOS40LP.supply
    assert np.all((levels < 0.05) | (levels > 0.95))
    return [int(level > 0.5) for level in levels]


def gains(device: CBRAM, waveforms: Waveforms, design: SngDesign, cycles: int) -> np.ndarray:
    """SET exposure of each write, RESET exposure of each RESET phase; shape (2, cycles)."""
    te, be = design.electrodes
    found = device.exposures(waveforms.time, waveforms[f"v({te})"] - waveforms[f"v({be})"])
    results = []
    for gain, phase in zip(found, (1, 0), strict=True):
        total = np.concatenate([[0.0], np.cumsum(gain)])
        windows = np.array([design.windows(cycle)[phase] for cycle in range(cycles)])
        low, high = np.interp(windows.T, waveforms.time, total)
        results.append(high - low)
    return np.array(results)


def stochastic_reset(conditional: bool) -> CBRAM:
    """P(SET) near 1/2 at 3.2 V and 20 us, P(RESET) near 0.6; the values are examples.

    The gate of a conditional RESET takes part of the voltage, hence another law for the same P.
    """
    law = DEVICE.set.with_values(20e-6 / np.log(2), 0.156)
    tau = 1.4e-6 if conditional else 1.1e-6
    resetting = replace(law.with_values(tau, 0.15), reference_voltage=1.0)
    return replace(DEVICE, set=law, reset=resetting)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("conditional", [False, True])
def test_ngspice_and_numpy_give_the_same_bits_in_either_order(
    order: tuple[str, ...], conditional: bool
) -> None:
    """32 or 64 cycles with a stochastic RESET, from LRS."""
    device, cycles = stochastic_reset(conditional), 64 if conditional else 32
    design = replace(SHORT, order=order, conditional_reset=conditional, first_state=1)
    saved = tuple(f"v({node})" for node in ("q", "qn", *design.electrodes))
    random = np.random.default_rng(11)
    sets, resets = random.exponential(size=(2, cycles))
    voltage, never = [3.2], [NEVER]
    with Simulator() as simulator:
        still = []
        for state in (0, 1):
            # A device that stays in LRS is read as 1, so that every cycle has its RESET pulse.
            there = replace(design, first_state=state)
            circuit = sng_circuit(device, CMOS40LP, there, voltage * 3, never * 3, never * 3)
            run = simulator.run(sng_deck(circuit, there, 3, saved, STEPS))
            still.append(gains(device, run, there, 3)[state, 1])
        set_gain, reset_gain = still
        chain = thresholds_in_force(
            design, np.full(cycles, set_gain), np.full(cycles, reset_gain), sets, resets
        )
        circuit = sng_circuit(
            device, CMOS40LP, design, voltage * cycles, list(chain.set_thresholds), list(resets)
        )
        waveforms = simulator.run(sng_deck(circuit, design, cycles, saved, STEPS))
    bits = output(waveforms, design, cycles)
    assert bits == chain.bits.tolist()
    assert output(waveforms, design, cycles, "qn") == [1 - bit for bit in bits]
    assert 0.3 < -np.expm1(-set_gain) < 0.7
    assert 0.4 < -np.expm1(-reset_gain) < 0.8
    assert 0.25 < np.mean(bits) < 0.9
    if conditional:
        assert np.sum(np.diff(chain.set_thresholds) == 0) > 5  # thresholds that were carried


def test_a_conditional_reset_spares_the_device_that_was_read_as_0() -> None:
    """HRS: V_cell stays away from RESET; LRS: it gets there. The shifter's outputs follow q."""
    design = replace(SHORT, conditional_reset=True)
    worst = []
    with Simulator() as simulator:
        for state in (0, 1):
            there = replace(design, first_state=state)
            circuit = sng_circuit(DEVICE, CMOS40LP, there, [3.2] * 2, [NEVER] * 2, [NEVER] * 2)
            run = simulator.run(sng_deck(circuit, there, 2, write_steps=STEPS))
            start, end = there.windows(1)[0]
            inside = (run.time > start) & (run.time < end)
            worst.append(float(np.min((run["v(bl)"] - run["v(be)"])[inside])))
            gate = float(np.interp((start + end) / 2, run.time, run["v(rb)"]))
            assert gate == pytest.approx(0.0 if state else design.reset_voltage, abs=0.02)
    assert worst[0] > -0.1  # the renewal voltage: SET's exposure is kept
    assert worst[1] < -0.7


def test_every_transistor_stays_within_its_rating_in_every_variant() -> None:
    variants: list[dict[str, Any]] = [
        {"order": order, "conditional_reset": conditional}
        for order in ORDERS
        for conditional in (False, True)
    ]
    with Simulator() as simulator:
        for variant in variants:
            design = replace(SHORT, **variant)
            circuit = sng_circuit(
                DEVICE, CMOS40LP, design, [3.45] * 3, [0.01, NEVER, 0.01], [1.0] * 3
            )
            waveforms = simulator.run(sng_deck(circuit, design, 3, write_steps=STEPS))
            worst = stresses(circuit, waveforms, CMOS40LP)
            assert not any(stress.violated for stress in worst), str(worst[0])
            assert waveforms["v(sn)"].max() < CMOS40LP.transistors["nmos"].ratings.lowest


def test_the_latch_keeps_the_bit_until_the_next_decision() -> None:
    """Between two sense clocks q does not move by 5 % of the supply."""
    circuit = sng_circuit(DEVICE, CMOS40LP, SHORT, [3.2] * 3, [0.01, NEVER, 0.01], [1.0] * 3)
    with Simulator() as simulator:
        waveforms = simulator.run(sng_deck(circuit, SHORT, 3, ("v(q)", "v(clkb)"), STEPS))
    for cycle, bit in ((0, 1), (1, 0)):
        held = (waveforms.time > SHORT.sense_start(cycle) + 5e-9) & (
            waveforms.time < SHORT.sense_start(cycle + 1)
        )
        assert np.abs(waveforms["v(q)"][held] - bit * CMOS40LP.supply).max() < 0.055


@pytest.mark.parametrize(
    ("corner", "temperature", "io", "high"),
    [
        ("tt", 300.0, "3.3", 3.3),
        ("ss", 233.0, "3.3", 3.3),
        ("ff", 398.0, "3.3", 3.3),
        ("ss", 233.0, "2.5", 2.5),
        ("tt", 300.0, "5", 5.0),
        ("ss", 300.0, "5", 2.5),
    ],
)
def test_level_shifter_shifts_at_every_corner(
    corner: str, temperature: float, io: str, high: float
) -> None:
    """Delay from 50 to 50 % and energy of a rising and a falling input.

    5-V transistors, of which 1.1 V opens little, reach 5 V at the typical corner only, but at the
    slow one still 2.5 V, more than a RESET takes.
    """
    energy, delay = shifter_figures(CMOS40LP.at(corner, temperature).with_io(io), high)
    assert np.all((delay > 0) & (delay < 25e-9))
    # Some 15 fF at the high supply, and what flows while the two sides struggle.
    assert np.all((energy > 5e-15 * high**2) & (energy < 50e-15 * high**2))


def shifter_figures(technology: Technology, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Energies (J) and delays (s) of the rising and the falling input, with no load."""
    half = 50e-9
    circuit = Circuit("level shifter")
    circuit.raw_spice = technology.models_text()
    circuit.subcircuit(level_shifter(technology))
    circuit.V("vdd", "vdd", circuit.gnd, technology.supply)
    circuit.V("vddh", "vddh", circuit.gnd, high)
    pulse = f"PULSE(0 {technology.supply} {half} 0.1n 0.1n {half} {2 * half})"
    circuit.V("a", "a", circuit.gnd, pulse)
    circuit.X("1", "level_shifter", "a", "y", "vdd", "vddh", circuit.gnd)
    deck = f"{circuit}\n.options chgtol=1e-16\n.save all\n.tran 1n {2.9 * half:g} 0 1n\n.end\n"
    with Simulator() as simulator:
        run = simulator.run(deck)
    time, y = run.time, run["v(y)"] - high / 2
    power = -sum(run[f"v({rail})"] * run[f"i(v{rail})"] for rail in ("vdd", "vddh", "a"))
    total = np.concatenate([[0.0], np.cumsum(np.diff(time) * (power[1:] + power[:-1]) / 2)])
    starts = np.array([half, 2 * half + 0.1e-9])
    places = np.flatnonzero(np.diff(np.sign(y)))
    assert places.size == 2, "the output must follow once up, once down"
    crossings = time[places] - y[places] * (time[places + 1] - time[places]) / (
        y[places + 1] - y[places]
    )
    low, up = np.interp([starts, starts + 0.9 * half], time, total)
    return up - low, crossings - starts - 0.05e-9


def test_counts_and_areas_follow_from_the_circuit() -> None:
    """The parts are the transistors in the netlist; variants differ by what they add."""
    technology = CMOS40LP
    models = {t.model for t in technology.transistors.values()}
    for design in (DESIGN, replace(DESIGN, conditional_reset=True, terminal="active")):
        circuit = sng_circuit(DEVICE, technology, design, [3.2], [NEVER], [1.0])
        parts = cell_parts(design, technology)
        placed = placed_transistors(str(circuit), models)
        assert sorted(p.name for p in placed) == sorted(f"m{p.name}" for p in parts)
        by_model = {
            technology.transistors[role].model: number for role, number in counts(parts).items()
        }
        found = [p.model for p in placed]
        assert by_model == {model: found.count(model) for model in set(found)}
    plain, gated = (
        counts(cell_parts(replace(DESIGN, conditional_reset=c), technology)) for c in (False, True)
    )
    assert sum(gated.values()) == sum(plain.values()) + 7
    assert plain["nmos"] + plain["pmos"] == 11 + 8 + 1
    pair = counts(pair_parts(DESIGN, technology))
    assert pair["nmos_io"] == 2 * plain["nmos_io"]
    assert pair["nmos"] == plain["nmos"] + 1
    area = areas(technology, cell_parts(DESIGN, technology))
    io = area["nmos_io"] + area["pmos_io"]
    assert io == pytest.approx(7 * technology.io_area(DESIGN.io_width))
    # 20 core transistors, no smaller than ten inverters' worth.
    inverter = 2 * technology.area_rules.gate_pitch * technology.area_rules.row_height
    assert 10 * inverter <= area["nmos"] + area["pmos"] < 25 * inverter


def test_mismatch_of_every_transistor_follows_from_its_size() -> None:
    sigmas = DESIGN.vt_sigmas(CMOS40LP)
    parts = {part.name: part for part in cell_parts(DESIGN, CMOS40LP)}
    assert set(sigmas) == set(parts)
    assert sigmas["ci1"] == pytest.approx(
        CMOS40LP.sigma_vt("pmos", DESIGN.input_width, DESIGN.input_length)
    )
    assert sigmas["acc"] == vt_sigma(CMOS40LP, parts["acc"])
    with pytest.raises(ValueError, match="not there"):
        sng_circuit(DEVICE, CMOS40LP, DESIGN, [3.2], [NEVER], [1.0], vt_shifts={"nobody": 0.01})


def test_differential_pair_compares_its_two_devices() -> None:
    """All four pairs of states; a tie of equal devices goes the way of the comparator's offset."""
    a, b = [1, 1, 0, 0] * 2, [0, 1, 1, 0] * 2
    cycles, design = len(a), replace(SHORT, sink_length=0.1e-6)
    thresholds = [[0.01 if bit else NEVER for bit in bits] for bits in (a, b)]
    found = []
    with Simulator() as simulator:
        for shift in (0.03, -0.03):
            circuit = sng_pair_circuit(
                DEVICE,
                CMOS40LP,
                design,
                [[3.2] * cycles, [3.25] * cycles],
                thresholds,
                [[1.0] * cycles] * 2,
                vt_shifts={"ci1": shift},
            )
            waveforms = simulator.run(sng_deck(circuit, design, cycles, ("v(q)",), STEPS))
            found.append(output(waveforms, design, cycles))
    # A higher threshold of `plus` slows its side as a higher `plus` would: ties become 1.
    for tie, bits in zip((1, 0), found, strict=True):
        expected = [x if x != y else tie for x, y in zip(a, b, strict=True)]
        assert bits == expected
    with pytest.raises(ValueError, match="conditional_reset"):
        sng_pair_circuit(
            DEVICE,
            CMOS40LP,
            replace(SHORT, conditional_reset=True),
            [[3.2]] * 2,
            [[1.0]] * 2,
            [[1.0]] * 2,
        )


def test_the_terminal_at_the_transistor_decides_where_the_source_follower_loses() -> None:
    """At 3.3 V on the gate, the follower passes no more than a threshold below it."""
    with Simulator() as simulator:
        inert, active = (
            drive_loss(
                simulator, DEVICE, CMOS40LP, replace(DESIGN, terminal=terminal), [2.0, 3.3], [2.5]
            )
            for terminal in ("inert", "active")
        )
    assert np.all(inert.set_loss < 0.02)
    assert active.set_loss[1] > 1.0
    assert active.set_cell[1] < 3.3 - 0.6
    assert inert.reset_loss[0] > active.reset_loss[0] + 0.2


@pytest.mark.parametrize("io", ["2.5", "5"])
def test_gate_voltage_follows_the_io_class(io: str) -> None:
    technology = CMOS40LP.with_io(io)
    assert DESIGN.resolved(technology).gate_on == technology.io_supply
    assert replace(DESIGN, gate_on=2.0).resolved(technology).gate_on == 2.0
    voltage = 0.95 * technology.io_supply
    thresholds = [0.0, NEVER]
    circuit = sng_circuit(DEVICE, technology, SHORT, [voltage] * 2, thresholds, [1.0] * 2)
    with Simulator() as simulator:
        waveforms = simulator.run(sng_deck(circuit, SHORT, 2, write_steps=STEPS))
    assert output(waveforms, SHORT, 2) == [1, 0]
    assert not stresses(circuit, waveforms, technology)[0].violated


def test_a_low_voltage_device_runs_on_core_transistors() -> None:
    """SET at 0.7 V, RESET at 0.3 V (examples): all transistors core ones, within their ratings."""
    law = replace(DEVICE.set.with_values(5e-6, 0.05), reference_voltage=0.7)
    device = replace(
        DEVICE,
        set=law,
        conduction=replace(DEVICE.conduction, r_lrs=Parameter(5e4, "ohm", "assumed")),
    )
    design = replace(
        SHORT, path="core", gate_on=1.2, reset_voltage=0.9, read_voltage=0.4, reference=0.15
    )
    assert set(counts(cell_parts(design, CMOS40LP))) == {"nmos", "pmos"}
    thresholds = [0.1, NEVER, 0.1, NEVER]
    circuit = sng_circuit(device, CMOS40LP, design, [0.9] * 4, thresholds, [1.0] * 4)
    with Simulator() as simulator:
        waveforms = simulator.run(sng_deck(circuit, design, 4, write_steps=STEPS))
    assert output(waveforms, design, 4) == [1, 0, 1, 0]
    assert not stresses(circuit, waveforms, CMOS40LP)[0].violated
