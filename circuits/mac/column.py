"""The in-memory MAC: a column of 1T1R CBRAM cells on one bit line, each with a word line.

A stored bit (LRS = 1) ANDs with its word-line bit; the bit line sums the currents of the cells in
which both are 1. Sense stage: the bit line hangs through an isolation switch and a sense resistor
on the read voltage, V(sn) = V_read R_c/(R_s + R_c) with R_c what the cells leave; one latched
comparator (:mod:`circuits.comparator`) compares sn with the taps of a resistor ladder by
successive approximation. A resistor is the simplest stage whose transfer is known without a
transistor's characteristic; its price is that the steps shrink as (1 + R_s/R_c)^-2.

Each cell has its active electrode ``te`` on the bit line and ``be`` on the access transistor, so
read and SET have the same polarity. The source line runs along the bit line; both are driven from
the sense end. Writing: a driver pulls the bit line to the write voltage with the isolation off;
the source line is grounded, or at the RESET voltage with the bit line grounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.comparator import comparator_parts, inverter_parts
from circuits.part import Part, add_parts
from circuits.sources import pwl
from circuits.transistors import add_mosfet
from devices.cbram import CBRAM, NEVER
from devices.subcircuit import subcircuit
from devices.technology import Technology

EDGE = 50e-12
"""s; rise and fall time of word lines and of the comparator's clock; assumed."""
WIRE_WIDTH = 60e-9
"""m; half the M1 pitch of a 40-nm process, 120 nm (taken)."""
SHEET_RESISTANCE = 0.4
"""ohm per square of M1 so narrow: 4.4 uohm cm (copper with its barrier, recalled) over a thickness
of 1.8 widths; assumed."""
WIRE_CAPACITANCE = 0.2e-9
"""F/m; a minimum-pitch wire between neighbours; recalled figure, assumed."""
READ_SHARE = 0.4
"""Largest read voltage as a share of the core supply, so that p transistors sense it; assumed."""
READ_DISTURB = 1e-5
"""P(SET) by one read at most; a choice of ours."""
SETTLING = 7.0
"""Time constants given to the bit line to settle: to 0.1 % of its change."""
SWITCH_CAPACITANCE = 25e-15
"""F; drains and gates on the bit line and the sense node; assumed for the choice of settle_time,
the read is simulated with the transistors' own."""
WRITE_TIMES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""s; write pulses tried, shortest first."""
HIGHEST_P = 0.95
"""Bit probability whose write voltage the transistors must bear."""
WRITE_LOSS = 0.05
"""V; what driver and access transistor take of the write voltage, in the choice of transistors."""


@dataclass(frozen=True)
class ColumnDesign:
    """Voltages (V), times (s) and sizes (m) of a column; choices of ours (assumed).

    ``access_role`` is the transistor of cell and isolation switch, ``driver_role`` that of the bit
    line's write driver. ``compliance_gate`` is the word line's level in a write.
    ``sense_ratio``: R_s times the column's conductance with all bits 1. ``sense_capacitance`` (F)
    holds the sense node against the comparator's kick-back; the ladder's tap has its like.
    ``offset_left``: share of the comparator's offset that a trim leaves (1: there is none), as
    :attr:`trim_bits` do. ``columns_per_ladder`` share one ladder of ``ladder_resistance`` (ohm).
    """

    cells: int = 8
    access_role: str = "nmos_io"
    access_width: float = 0.5e-6
    pitch: float = 0.83e-6
    gate_on: float = 3.3
    compliance_gate: float = 1.0
    driver_role: str = "pmos_io"
    driver_width: float = 4e-6
    driver_gate: float = 3.3
    isolation_width: float = 0.25e-6
    read_voltage: float = 0.44
    sense_ratio: float = 1.0
    sense_capacitance: float = 50e-15
    settle_time: float = 6e-9
    decision_time: float = 2e-9
    comparator_width: float = 4e-6
    comparator_length: float = 0.1e-6
    offset_left: float = 0.1
    ladder_resistance: float = 200e3
    columns_per_ladder: int = 16
    write_time: float = 100e-6
    write_edge: float = 10e-9
    write_gap: float = 0.2e-6
    reset_time: float = 1e-6
    reset_voltage: float = 1.5

    @property
    def wire_resistance(self) -> float:
        """Resistance (ohm) of bit line and of source line from one cell to the next."""
        return SHEET_RESISTANCE * self.pitch / WIRE_WIDTH

    @property
    def wire_capacitance(self) -> float:
        """Capacitance (F) of the bit line per cell."""
        return WIRE_CAPACITANCE * self.pitch

    @property
    def ground_width(self) -> float:
        """Width (m) of the transistors that ground the lines and pull the source line up."""
        return self.driver_width * max(1.0, self.cells / 16)

    @property
    def decisions(self) -> int:
        """Comparisons of one read by successive approximation: n + 1 counts."""
        return int(np.ceil(np.log2(self.cells + 1)))

    @property
    def trim_bits(self) -> int:
        """Bits that trim +-3 sigma of the offset to ``offset_left`` sigma, uniformly distributed.

        0 where nothing is trimmed; derived.
        """
        if self.offset_left >= 1:
            return 0
        return int(np.ceil(np.log2(6 / (self.offset_left * np.sqrt(12)))))

    @property
    def read_time(self) -> float:
        """Duration (s) of one read: the bit line settles, then the decisions."""
        return self.settle_time + self.decisions * self.decision_time

    @property
    def write_cycle(self) -> float:
        """Duration (s) of one write with its edges and the gap after it."""
        return self.write_time + 2 * self.write_edge + self.write_gap

    @property
    def reset_cycle(self) -> float:
        """Duration (s) of one RESET with its edges and the gap after it."""
        return self.reset_time + 2 * self.write_edge + self.write_gap


def column_design(device: CBRAM, technology: Technology, cells: int = 8) -> ColumnDesign:
    """A design for a device: the shortest write pulse and the smallest transistors that bear it.

    Core transistors where they bear the write voltage of P = 0.95 and the RESET, else the present
    I/O class. Raises ValueError where the I/O transistors do not bear it at any write time.
    """
    io_rating = min(technology.transistors[r].ratings.lowest for r in ("nmos_io", "pmos_io"))
    for write_time in WRITE_TIMES:
        highest = write_voltage(device, HIGHEST_P, write_time) + WRITE_LOSS
        if highest <= io_rating:
            break
    else:
        raise ValueError(
            f"{device.name}: P = {HIGHEST_P:g} in {write_time:g} s takes {highest:.3g} V, more "
            f"than the I/O transistors bear ({io_rating:.3g} V); take a higher I/O class"
        )
    lowest = write_voltage(device, 1 - HIGHEST_P, write_time)
    core = technology.bears("nmos", max(highest, technology.supply))
    feature = technology.feature_size
    transistor = technology.transistors["nmos" if core else "nmos_io"]
    region = technology.io[technology.io_class]
    io_pitch = transistor.length + 2 * (region.contact + 2 * region.contact_to_gate)
    design = ColumnDesign(
        cells=cells,
        access_role="nmos" if core else "nmos_io",
        # 4F x 12F: the gate pitch along the bit line; across it 8F of width and 4F of isolation.
        access_width=8 * feature if core else 0.5e-6,
        pitch=4 * feature if core else io_pitch,
        gate_on=technology.supply if core else technology.io_supply,
        compliance_gate=technology.supply if core else 1.0,
        # A p transistor does not pass less than its threshold, an n transistor not the upper third.
        driver_role="nmos_io" if lowest < technology.io_supply / 3 else "pmos_io",
        driver_gate=technology.io_supply if lowest < technology.io_supply / 3 else 0.0,
        write_time=write_time,
        reset_voltage=technology.supply if core else 1.5,
    )
    time_constant = sense_resistance(device, design) * (
        design.sense_capacitance + cells * design.wire_capacitance + SWITCH_CAPACITANCE
    )
    settled = replace(design, settle_time=max(2e-9, SETTLING * time_constant))
    return with_read_voltage(settled, device, technology)


def with_read_voltage(design: ColumnDesign, device: CBRAM, technology: Technology) -> ColumnDesign:
    """The design at the highest read voltage that disturbs no HRS and that the comparator takes."""
    exposure = device.set.exposure_of_probability(np.array([READ_DISTURB]))
    undisturbed = float(device.set.voltage_of_exposure(exposure, design.read_time)[0])
    highest = min(READ_SHARE * technology.supply, undisturbed)
    return replace(design, read_voltage=float(np.floor(highest * 1e3) / 1e3))


def write_voltage(device: CBRAM, probability: float, width: float) -> float:
    """Cell voltage (V) at which a pulse of ``width`` (s) switches with ``probability``."""
    exposure = device.set.exposure_of_probability(np.array([probability]))
    return float(device.set.voltage_of_exposure(exposure, width)[0])


def sense_resistance(device: CBRAM, design: ColumnDesign) -> float:
    """The sense resistor (ohm): ``sense_ratio`` times n median LRS in parallel."""
    return design.sense_ratio * device.conduction.r_lrs.value / design.cells


def word_line_edge(design: ColumnDesign) -> float:
    """Time (s) at which the testbench raises the word lines: the lines are charged by then."""
    return 2.5 * design.settle_time


def read_start(design: ColumnDesign) -> float:
    """Time (s) from which the testbench compares: the bit line has settled."""
    return word_line_edge(design) + EDGE + design.settle_time


def column_pins(design: ColumnDesign) -> tuple[str, ...]:
    """Pins of the column in symbol order.

    Word lines, bit line (far end of the isolation switch), source line, write voltage, RESET
    voltage, gates of write driver, bit-line ground, source-line pull-up and ground, isolation;
    read voltage, sense node, reference, comparator clock (active low), output, supply, ground.
    """
    words = tuple(f"wl{index}" for index in range(design.cells))
    lines = ("bl0", "sl0", "vw", "vrs", "wrg", "bz", "upb", "dn", "iso")
    return (*words, *lines, "vrd", "sn", "ref", "ckb", "out", "vdd", "vss")


def column_circuit(
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign,
    states: Sequence[int],
    word_bits: Sequence[int],
    references: Sequence[float] = (),
    r_lrs: Sequence[float] | None = None,
    r_hrs: Sequence[float] | None = None,
) -> Circuit:
    """The column in one read: the lines charge, word lines rise, then one comparison a reference.

    ``states`` are the stored bits, ``word_bits`` the word lines', ``references`` (V) the ladder
    taps the comparator meets one after the other, ``r_lrs`` and ``r_hrs`` (ohm) the cells' own
    resistances (None: the medians). The testbench steps through all taps where the column itself
    would take ``design.decisions`` of them. Raises ValueError where lengths differ.
    """
    count = design.cells
    given = [states, word_bits, *(r for r in (r_lrs, r_hrs) if r is not None)]
    if any(len(values) != count for values in given):
        raise ValueError(f"states, word bits and resistances need {count} values each")
    d, conduction = design, device.conduction
    circuit = Circuit(f"in-memory column of {count} 1T1R cells, {device.name}, {technology.name}")
    circuit.raw_spice = subcircuit(device) + technology.models_text()
    io = technology.io_supply

    def supply(name: str, value: str | float) -> None:
        circuit.V(name, name, circuit.gnd, value)

    supply("vdd", technology.supply)
    supply("vrd", d.read_voltage)
    supply("vrs", d.reset_voltage)
    supply("vw", 0.0)
    supply("ref", pwl(_staircase(d, references)))
    supply("ckb", _clock(d, technology, len(references)))
    supply("y", NEVER)
    # The write paths are off: their leakage and capacitance belong to the read.
    supply("wrg", io if d.driver_role == "pmos_io" else 0.0)
    supply("bz", 0.0)
    supply("upb", io)
    supply("dn", io)
    supply("iso", d.gate_on)
    rise = word_line_edge(design)
    for index in range(count):
        level = d.gate_on if word_bits[index] else 0.0
        supply(f"wl{index}", f"PWL(0 0 {rise:.6g} 0 {rise + EDGE:.6g} {level:.6g})")
        circuit.X(
            f"c{index}",
            "cbram",
            f"bl{index}",
            f"be{index}",
            "y",
            "y",
            state0=int(states[index]),
            r_lrs=conduction.r_lrs.value if r_lrs is None else float(r_lrs[index]),
            r_hrs=conduction.r_hrs.value if r_hrs is None else float(r_hrs[index]),
        )
        nodes = (f"be{index}", f"wl{index}", f"sl{index}", "0")
        add_mosfet(circuit, technology, d.access_role, f"a{index}", nodes, d.access_width)
        circuit.C(f"bl{index}", f"bl{index}", circuit.gnd, d.wire_capacitance)
        if index:
            for line in ("bl", "sl"):
                nodes_of_wire = (f"{line}{index - 1}", f"{line}{index}")
                circuit.R(f"{line}{index}", *nodes_of_wire, d.wire_resistance)
    _paths(circuit, technology, design)
    circuit.R("s", "vrd", "sn", sense_resistance(device, design))
    circuit.C("sn", "sn", circuit.gnd, d.sense_capacitance)
    # The tap has the sense node's impedance, so that the comparator kicks both inputs alike.
    circuit.R("tap", "ref", "tap", sense_resistance(device, design) / (1 + d.sense_ratio / 2))
    circuit.C("tap", "tap", circuit.gnd, d.sense_capacitance + count * d.wire_capacitance)
    add_parts(circuit, technology, sense_parts(d))
    return circuit


def sense_parts(design: ColumnDesign) -> tuple[Part, ...]:
    """The comparator with its output inverters: ``out`` is high where the sense node is lower."""
    width = design.comparator_width
    return (
        *comparator_parts(
            "tap",
            "sn",
            "ckb",
            width,
            design.comparator_length,
            label="cmp",
            tail_width=width / 2,
            reset_width=None,
        ),
        # Inverters load both sides alike.
        *inverter_parts("cmpa", "cmpon", "out"),
        *inverter_parts("cmpb", "cmpop", "outb"),
    )


def column_deck(
    circuit: Circuit, design: ColumnDesign, references: int = 0, longer: float = 0.0
) -> str:
    """The circuit with its transient over the settling and ``references`` comparisons.

    It runs ``longer`` (s) after the settling, in coarser steps, where that is asked.
    """
    stop = sample_times(design, references + 1)[-1] + longer
    step = max(design.decision_time / 40, longer / 200)
    return (
        f"{circuit}\n.options method=gear gmin=1e-15\n"
        f".save all\n.tran 10p {stop:.12g} 0 {step:.6g} uic\n.end\n"
    )


def sample_times(design: ColumnDesign, references: int) -> np.ndarray:
    """Times (s) at which the comparator's answer to each reference is taken."""
    return read_start(design) + design.decision_time * (np.arange(references) + 0.95)


def _paths(circuit: Circuit, technology: Technology, design: ColumnDesign) -> None:
    """Isolation switch, write driver, bit-line ground, source-line pull-up and ground."""
    d = design
    isolation = d.isolation_width * d.cells
    add_mosfet(circuit, technology, d.access_role, "iso", ("sn", "iso", "bl0", "0"), isolation)
    bulk = "vw" if d.driver_role == "pmos_io" else "0"
    driver = ("bl0", "wrg", "vw", bulk)
    add_mosfet(circuit, technology, d.driver_role, "wr", driver, d.driver_width)
    for role, name, nodes in (
        ("nmos_io", "bz", ("bl0", "bz", "0", "0")),
        ("pmos_io", "up", ("sl0", "upb", "vrs", "vrs")),
        ("nmos_io", "dn", ("sl0", "dn", "0", "0")),
    ):
        add_mosfet(circuit, technology, role, name, nodes, d.ground_width)


def _staircase(design: ColumnDesign, references: Sequence[float]) -> list[tuple[float, float]]:
    """Reference against time: a tap for each decision, changed while the clock is off."""
    levels = list(references) or [0.0]
    points = [(0.0, float(levels[0]))]
    for index in range(1, len(levels)):
        start = read_start(design) + index * design.decision_time
        points += [(start, float(levels[index - 1])), (start + EDGE, float(levels[index]))]
    return points


def _clock(design: ColumnDesign, technology: Technology, count: int) -> str | float:
    """The comparator's clock, active low in the second half of each decision."""
    if not count:
        return technology.supply
    start = read_start(design) + design.decision_time / 2
    width = design.decision_time / 2 - 2 * EDGE
    return (
        f"PULSE({technology.supply:.6g} 0 {start:.12g} {EDGE:g} {EDGE:g} {width:.12g} "
        f"{design.decision_time:.12g})"
    )
