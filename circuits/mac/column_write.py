"""Writing a column: the schemes that give each cell its own p, and their testbenches.

- ``sequential``: one cell after the other; its word line is on, the bit line has its voltage.
- ``source-line``: all cells at once; the bit line is common, each row's source line lies below it
  by the cell's voltage.
- ``word-line``: all at once; bit line common, source line at ground, and each word line lets just
  so much current through that the HRS drops the cell's voltage (common source).
- ``word-line-follower``: the same with the cell turned round (active electrode on the transistor)
  and the source line high: the electrode follows the word line, a threshold below it.

A slow ramp of the control voltage over one cell a variant stands for its operating points: the
device is a plain resistor there, since nothing switches in a static solution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySpice.Spice.Netlist import Circuit

from circuits.mac.column import ColumnDesign
from circuits.transistors import add_mosfet
from devices.cbram import CBRAM, NEVER
from devices.subcircuit import subcircuit
from devices.technology import Technology

SCHEMES = ("sequential", "source-line", "word-line", "word-line-follower")
RAMP_TIME = 1.0
"""s; so slow that no capacitance carries a current worth the name."""
RAMP_POINTS = 300


@dataclass(frozen=True)
class Variant:
    """One cell of a ramp: its resistance (ohm) and a shift (V) of its transistor's threshold."""

    resistance: float
    threshold_shift: float = 0.0


@dataclass(frozen=True)
class Levels:
    """Lines of a write at the control voltage x as (offset, slope): V = offset + slope x.

    The write driver lies in the bit line, with ``turned`` (the active electrode on the transistor)
    in the source line; ``bit_line`` or ``source_line`` is then the voltage behind it.
    ``control_span`` (V) is that of x.
    """

    bit_line: tuple[float, float]
    word_line: tuple[float, float]
    source_line: tuple[float, float]
    turned: bool
    control_span: tuple[float, float]

    def at(self, control: float) -> tuple[float, float, float]:
        """Write, word-line and source-line voltage (V)."""
        lines = (self.bit_line, self.word_line, self.source_line)
        return tuple(offset + slope * control for offset, slope in lines)  # type: ignore[return-value]


def scheme_levels(
    scheme: str, design: ColumnDesign, technology: Technology, lowest: float, highest: float
) -> Levels:
    """The lines of a scheme for cells that need ``lowest`` to ``highest`` (V) across them.

    Raises ValueError for an unknown scheme.
    """
    d = design
    # As far as the next higher rating would allow: whether it may is the ratings' to say.
    rating = technology.transistors[d.access_role].ratings.lowest
    far = highest + rating / 2
    if scheme == "sequential":
        span = (0.6 * lowest, highest * 1.05 + 0.05)
        return Levels((0.0, 1.0), (d.compliance_gate, 0.0), (0.0, 0.0), False, span)
    if scheme == "source-line":
        top = highest + 0.01
        raised = d.compliance_gate + top - lowest
        span = (0.6 * lowest, top)
        return Levels((top, 0.0), (raised, 0.0), (top, -1.0), False, span)
    if scheme == "word-line":
        return Levels((highest + 0.05, 0.0), (0.0, 1.0), (0.0, 0.0), False, (0.0, d.gate_on))
    if scheme == "word-line-follower":
        return Levels((0.0, 0.0), (0.0, 1.0), (highest + 0.1, 0.0), True, (0.0, far))
    raise ValueError(f"write scheme {scheme!r}: there is {', '.join(SCHEMES)}")


def ramp_circuit(
    technology: Technology, design: ColumnDesign, levels: Levels, variants: Sequence[Variant]
) -> Circuit:
    """One cell a variant, each with its write driver, over a ramp of the control voltage.

    Nodes of variant i: te``i``, be``i``; sources b``i``, w``i``, s``i`` feed bit, word and source
    line.
    """
    circuit = Circuit("operating points of a write")
    circuit.raw_spice = technology.models_text() + "\n"
    low, high = levels.control_span
    for index, variant in enumerate(variants):
        shift = -variant.threshold_shift
        lines = ("b", *levels.bit_line), ("w", *levels.word_line), ("s", *levels.source_line)
        for name, offset, slope in lines:
            extra = shift if name == "w" else 0.0
            ends = [offset + slope * x + extra for x in (low, high)]
            text = f"PWL(0 {ends[0]:.10g} {RAMP_TIME:g} {ends[1]:.10g})"
            circuit.V(f"{name}{index}", f"v{name}{index}", circuit.gnd, text)
        circuit.R(f"d{index}", f"te{index}", f"be{index}", variant.resistance)
        _cell(circuit, technology, design, levels.turned, str(index))
    return circuit


def ramp_deck(circuit: Circuit) -> str:
    """The circuit with its quasi-static transient."""
    step = RAMP_TIME / RAMP_POINTS
    return (
        f"{circuit}\n.options method=gear gmin=1e-15 abstol=1e-14\n.save all\n"
        f".tran {step:.6g} {RAMP_TIME:g} 0 {step:.6g}\n.end\n"
    )


def half_select_circuit(
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign,
    write_voltage: float,
    threshold: float = NEVER,
) -> Circuit:
    """A sequential write as it happens: the cell (a), and half-selected ones in HRS (b), LRS (c).

    All share the bit line, with the capacitance of the whole column; b and c have their word lines
    off and are the only ones whose electrode between device and transistor floats. ``threshold``
    is the exposure at which the written cell switches, b and c never do; V_cell is v(bl)-v(be_).
    """
    circuit = Circuit("sequential write with half-selected cells")
    circuit.raw_spice = subcircuit(device) + technology.models_text() + "\n"
    d = design
    pulse = f"PULSE(0 {write_voltage:.10g} {d.write_gap:g} {d.write_edge:g} {d.write_edge:g} "
    circuit.V("vb0", "vb0", circuit.gnd, pulse + f"{d.write_time:.10g})")
    circuit.V("y", "y", circuit.gnd, NEVER)
    circuit.V("ya", "ya", circuit.gnd, threshold)
    circuit.V("wl", "wl", circuit.gnd, d.compliance_gate)
    for name, word, state in (("a", "wl", 0), ("b", "0", 0), ("c", "0", 1)):
        own = "ya" if name == "a" else "y"
        circuit.X(name, "cbram", "bl", f"be{name}", own, "y", state0=state)
        nodes = (f"be{name}", word, "0", "0")
        add_mosfet(circuit, technology, d.access_role, f"a{name}", nodes, d.access_width)
    circuit.C("bl", "bl", circuit.gnd, d.cells * d.wire_capacitance)
    _driver(circuit, technology, design, "0", ("vb0", "bl"))
    return circuit


def half_select_deck(circuit: Circuit, design: ColumnDesign) -> str:
    """The circuit with its transient over one write and the discharge after it."""
    stop = design.write_cycle + design.write_gap
    step = design.write_time / 100
    # A first step longer than the device's latch time would lose an initial LRS.
    return (
        f"{circuit}\n.options method=gear gmin=1e-15\n.save all\n"
        f".tran 1n {stop:.12g} 0 {step:.6g} uic\n.end\n"
    )


def reset_circuit(technology: Technology, design: ColumnDesign, resistance: float) -> Circuit:
    """All cells of the column in LRS (ohm) under one RESET: the worst load of its drivers.

    The source line is pulled to the RESET voltage, the bit line to ground, all word lines on;
    V_cell of cell i is v(te``i``)-v(be``i``). Ramped up over ``RAMP_TIME``.
    """
    circuit = Circuit("RESET of a column")
    circuit.raw_spice = technology.models_text() + "\n"
    d = design
    circuit.V("vrs", "vrs", circuit.gnd, f"PWL(0 0 {RAMP_TIME:g} {d.reset_voltage:.6g})")
    circuit.V("on", "on", circuit.gnd, d.gate_on)
    circuit.V("io", "io", circuit.gnd, technology.io_supply)
    width = d.ground_width
    add_mosfet(circuit, technology, "nmos_io", "bz", ("te0", "io", "0", "0"), width)
    add_mosfet(circuit, technology, "pmos_io", "up", ("sl0", "0", "vrs", "vrs"), width)
    for index in range(d.cells):
        circuit.R(f"d{index}", f"te{index}", f"be{index}", resistance)
        nodes = (f"be{index}", "on", f"sl{index}", "0")
        add_mosfet(circuit, technology, d.access_role, f"a{index}", nodes, d.access_width)
        if index:
            for line in ("te", "sl"):
                ends = (f"{line}{index - 1}", f"{line}{index}")
                circuit.R(f"{line}{index}", *ends, d.wire_resistance)
    return circuit


def _driver(
    circuit: Circuit, technology: Technology, design: ColumnDesign, name: str, ends: tuple[str, str]
) -> None:
    """The write driver, from its voltage to its line (``ends``)."""
    source, line = ends
    if design.driver_role == "nmos_io":
        circuit.V(f"g{name}", f"g{name}", circuit.gnd, design.driver_gate)
        nodes = (source, f"g{name}", line, "0")
    else:
        nodes = (line, "0", source, source)
    add_mosfet(circuit, technology, design.driver_role, f"wr{name}", nodes, design.driver_width)


def _cell(
    circuit: Circuit, technology: Technology, design: ColumnDesign, turned: bool, name: str
) -> None:
    """Access transistor and drivers of an island around the device between te and be."""
    if turned:
        device_end, line = f"te{name}", f"sl{name}"
        _driver(circuit, technology, design, name, (f"vs{name}", line))
        circuit.V(f"on{name}", f"on{name}", circuit.gnd, technology.io_supply)
        ground = (f"be{name}", f"on{name}", f"vb{name}", "0")
        add_mosfet(circuit, technology, "nmos_io", f"bz{name}", ground, design.ground_width)
    else:
        device_end, line = f"be{name}", f"vs{name}"
        _driver(circuit, technology, design, name, (f"vb{name}", f"te{name}"))
    nodes = (device_end, f"vw{name}", line, "0")
    add_mosfet(circuit, technology, design.access_role, f"a{name}", nodes, design.access_width)
