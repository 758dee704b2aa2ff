"""The stochastic number generator: CBRAM, access transistor, drivers, comparator and latch.

One cycle makes one bit: RESET (source line high), write (bit line at the write voltage), read (bit
line at the read voltage through the device into a current sink, the sense node compared with a
reference at the end), in the order of the design. The latch holds the bit ``q`` and its complement
``qn`` until the next read; with a conditional RESET it opens the RESET driver through a level
shifter. ``SngDesign.terminal`` says which electrode meets the access transistor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySpice.Spice.Netlist import Circuit

from circuits.part import add_parts
from circuits.sng.controls import add_control_lines, add_marks, control_lines, per_cycle
from circuits.sng.design import SngDesign
from circuits.sng.parts import cell_parts
from devices.cbram import CBRAM
from devices.subcircuit import subcircuit
from devices.technology import Technology

WRITE_STEPS = 100
"""Fewest time steps of a write pulse."""
SMALLEST_RESISTANCE = 1e-3
"""ohm; what a simulator can tell from a short."""


def sng_circuit(
    device: CBRAM,
    technology: Technology,
    design: SngDesign,
    write_voltages: Sequence[float],
    set_thresholds: Sequence[float],
    reset_thresholds: Sequence[float],
    initial_state: int | None = None,
    r_lrs: float | None = None,
    r_hrs: float | None = None,
    vt_shifts: Mapping[str, float] | None = None,
) -> Circuit:
    """The cell over as many cycles as there are write voltages (V).

    The thresholds (exposures) are those in force in each cycle; with a conditional RESET a device
    left in HRS keeps its own (``circuits.sng.chain.thresholds_in_force``). ``initial_state`` None
    is the design's first state; the latch starts with the same. ``vt_shifts`` (V) raises the
    magnitude of transistors' thresholds, by name. The transient is not included.

    Raises ValueError where the lengths differ.
    """
    state = design.first_state if initial_state is None else initial_state
    d = design.resolved(technology)
    circuit = Circuit(f"stochastic number generator, {device.name}, {technology.name}")
    circuit.raw_spice = subcircuit(device) + technology.models_text()
    add_common(circuit, technology, d, max(write_voltages, default=0.0), state)
    add_device(
        circuit, d, "", write_voltages, set_thresholds, reset_thresholds, state, r_lrs, r_hrs
    )
    add_parts(circuit, technology, cell_parts(d, technology), vt_shifts)
    circuit.V("vref", "vref", circuit.gnd, d.reference)
    return circuit


def add_common(
    circuit: Circuit, technology: Technology, design: SngDesign, highest: float, state: int
) -> None:
    """Supplies, control lines and the latch's first state, for a resolved design."""
    for name, value in (
        ("vdd", technology.supply),
        ("vrs", design.reset_voltage),
        ("vrd", design.read_voltage),
        ("vbias", design.sense_bias),
    ):
        circuit.V(name, name, circuit.gnd, value)
    lines = control_lines(design, technology.supply, highest)
    add_control_lines(circuit, lines, design.cycle_time)
    add_marks(circuit, design.sense_start(), design.cycle_time)
    levels = (technology.supply * state, technology.supply * (1 - state))
    circuit.raw_spice += f"\n.ic v(q)={levels[0]:g} v(qn)={levels[1]:g}\n"


def add_device(
    circuit: Circuit,
    design: SngDesign,
    suffix: str,
    write_voltages: Sequence[float],
    set_thresholds: Sequence[float],
    reset_thresholds: Sequence[float],
    state: int,
    r_lrs: float | None = None,
    r_hrs: float | None = None,
) -> None:
    """A device with its write voltage and thresholds; ``suffix`` ends the names of its nodes.

    Raises ValueError where the lengths differ.
    """
    count, s = len(write_voltages), suffix
    if not count or len(set_thresholds) != count or len(reset_thresholds) != count:
        raise ValueError("write voltages and thresholds need the same length, of at least one")
    changes, ground = design.change_times(), circuit.gnd
    add_lines(circuit, design, s)
    circuit.V(f"vw{s}", f"vw{s}", ground, per_cycle(design, write_voltages, 0.0))
    circuit.R(f"w{s}", f"vw{s}", f"vwr{s}", max(design.write_resistance, SMALLEST_RESISTANCE))
    circuit.V(f"ys{s}", f"ys{s}", ground, per_cycle(design, set_thresholds, changes["set"]))
    circuit.V(f"yr{s}", f"yr{s}", ground, per_cycle(design, reset_thresholds, changes["reset"]))
    overrides = {"state0": state, "r_lrs": r_lrs, "r_hrs": r_hrs}
    given = {key: value for key, value in overrides.items() if value is not None}
    te, be = (f"{node}{s}" for node in design.electrodes)
    circuit.X(f"dev{s}", "cbram", te, be, f"ys{s}", f"yr{s}", **given)


def resting_deck(circuit: Circuit) -> str:
    """The circuit at rest before its first edge: take the first point (an operating point).

    Tolerances are far below leakage currents; the latch is in its first state (``.ic``). A shorter
    step than 1 ns fails: charges of fC over it are never constant to the tolerance.
    """
    return f"{circuit}\n.options gmin=1e-17 abstol=1e-16\n.save all\n.tran 1n 3n\n.end\n"


def add_lines(circuit: Circuit, design: SngDesign, suffix: str = "") -> None:
    """The capacitance of bit line and source line."""
    for line in ("bl", "sl"):
        circuit.C(f"{line}{suffix}", f"{line}{suffix}", circuit.gnd, design.line_capacitance)


def sng_deck(
    circuit: Circuit,
    design: SngDesign,
    cycles: int,
    saved: Sequence[str] = (),
    write_steps: int = WRITE_STEPS,
) -> str:
    """The circuit with its transient over ``cycles``; all voltages and currents, or ``saved``.

    ``write_steps`` is the fewest number of time steps of a write pulse.
    """
    stop = cycles * design.cycle_time
    save = " ".join(saved) if saved else "all"
    step = design.write_time / write_steps
    return (
        f"{circuit}\n.options method=gear gmin=1e-15\n"
        f".save {save}\n.tran {step:.6g} {stop:.12g} 0 {step:.6g} uic\n.end\n"
    )
