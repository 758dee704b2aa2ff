"""Decks of the demo device (the preset knag2014) for plain ``ngspice -b``, with their results.

``python -m circuits.decks FOLDER`` writes them; ``make netlists`` does so into netlists/.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySpice.Spice.Netlist import Circuit

from circuits.logic.bench import PERIOD, vector_deck
from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES
from circuits.mac.bit_cells import MACS
from circuits.mac.column_demo import column_demo
from circuits.mac.counter import counter_mac
from circuits.mac.mux_tree import mux_tree
from circuits.reference.binary import multiplier
from circuits.reference.lfsr import lfsr_sng
from circuits.sng.cell import sng_circuit, sng_deck
from circuits.sng.design import SngDesign
from devices.presets import knag2014
from devices.technology import CMOS40LP, Technology
from formats.atomic import write_text
from formats.seeds import generator

SEED = 0
SNG_CYCLES = 16
MAC_VECTORS = 64
CLEARING = 5
"""Clocks in which ``run`` is 0."""


def demo_decks() -> dict[str, str]:
    """File name to text; the same at every call."""
    return {
        "sng.cir": sng_demo(CMOS40LP, SngDesign()),
        "sng_conditional.cir": sng_demo(CMOS40LP, SngDesign(conditional_reset=True)),
        "gates.cir": gates_demo(CMOS40LP),
        "mac.cir": cell_demo(MACS["sign_magnitude_counter"], CMOS40LP, MAC_VECTORS, PERIOD),
        "mac_mux.cir": cell_demo(MACS["bipolar_mux"], CMOS40LP, MAC_VECTORS, PERIOD),
        "mac_mux_tree.cir": cell_demo(mux_tree("bipolar", 4, True), CMOS40LP, 16, PERIOD),
        "mac_counter.cir": cell_demo(
            counter_mac("unipolar", 4, "approximate-counter", 16), CMOS40LP, 12, 4 * PERIOD
        ),
        "mac_column.cir": _with_measurements(*column_demo(knag2014(), CMOS40LP)),
        "lfsr_sng.cir": cell_demo(lfsr_sng(4), CMOS40LP, 12, 4 * PERIOD),
        "binary_multiplier.cir": cell_demo(multiplier(4), CMOS40LP, 12, 3 * PERIOD),
    }


def sng_demo(technology: Technology, design: SngDesign) -> str:
    """Bits of the demo device near P = 1/2."""
    device = knag2014()
    random = generator(SEED, "decks", "sng")
    voltage = 3.35
    thresholds = device.set.sample_thresholds(random, SNG_CYCLES)
    circuit = sng_circuit(
        device,
        technology,
        design,
        [voltage] * SNG_CYCLES,
        list(thresholds),
        [1.0] * SNG_CYCLES,
    )
    lines = []
    for cycle in range(SNG_CYCLES):
        lines.append(f".meas tran bit{cycle} find v(q) at={design.sample_time(cycle):.9g}")
    windows = design.windows(1)
    for name, (start, end) in zip(("reset", "write", "read"), windows, strict=True):
        lines.append(
            f".meas tran e_vw_{name} integ par('-v(vw)*i(vvw)') from={start:.9g} to={end:.9g}"
        )
    saved = ("v(q)", "v(bl)", "v(be)", "v(sl)", "v(vw)", "v(xdev.s)", "v(xdev.us)", "i(vvw)")
    return _with_measurements(
        sng_deck(circuit, design, SNG_CYCLES, saved),
        [
            f"* {SNG_CYCLES} bits at {voltage} V, one a cycle of {design.cycle_time * 1e6:.4g} us:",
            "* bitK near the supply is a 1. e_vw_*: energy (J) from the write voltage in cycle 1.",
            "* Thresholds (1 V = exposure 1) were drawn in Python; the bits follow from them.",
        ],
        lines,
    )


def cell_demo(cell: LogicCell, technology: Technology, count: int, period: float) -> str:
    """A composed cell under ``count`` random vectors, one a ``period`` (s): energy, last outputs.

    A clock is low in the first half of a vector's time and rises in its midst.
    """
    random = generator(SEED, "decks", cell.name)
    vectors = [
        dict(zip(cell.data_inputs, map(int, row), strict=True))
        for row in random.integers(0, 2, (count, len(cell.data_inputs)))
    ]
    if "run" in cell.data_inputs:  # registers start anywhere: a few clocks clear them
        vectors = [{**vector, "run": int(k >= CLEARING)} for k, vector in enumerate(vectors)]
    phases = (0, 1) if cell.clock else (0,)
    slot = period / len(phases)
    driven = [
        [clock if pin == cell.clock else vector[pin] for pin in cell.inputs]
        for vector in vectors
        for clock in phases
    ]
    gates = [GATES[gate].subcircuit(technology) for gate in cell.gates]
    deck, _ = vector_deck(
        f"{cell.description}, {technology.name}",
        technology,
        [*gates, cell.subcircuit()],
        cell.inputs,
        cell.outputs,
        driven,
        slot,
    )
    lines = [
        f".meas tran e_supply integ par('-v(vdd)*i(vvdd)') from={period:.6g} "
        f"to={count * period:.6g}",
        f".meas tran e_per_vector param='e_supply/{count - 1}'",
    ]
    expected = []
    for index, values in list(enumerate(cell.run(vectors)))[-4:]:
        at = index * period + 0.96 * slot
        for pin in cell.outputs:
            lines.append(f".meas tran {pin}_{index} find v({pin}) at={at:.6g}")
            expected.append(f"{pin}_{index}={values[pin]}")
    return _with_measurements(
        deck,
        [
            f"* {count} random vectors, one every {period * 1e9:g} ns.",
            "* pins in order: " + " ".join(cell.pins),
            "* e_supply, e_per_vector: energy (J) from the supply.",
            *_wrapped("* outputs should be ", expected),
        ],
        lines,
    )


def gates_demo(technology: Technology) -> str:
    """Every gate, each through all its states; the last outputs of each."""
    circuit = Circuit(f"logic gates, {technology.name}")
    circuit.raw_spice = technology.models_text() + "\n"
    lines, expected, remarks = [], [], []
    circuit.V("vdd", "vdd", circuit.gnd, technology.supply)
    for bit in range(3):  # a counter in Gray's order would do as well: every state comes by
        high, low = PERIOD * 2**bit, technology.supply
        circuit.V(
            f"x{bit}",
            f"x{bit}",
            circuit.gnd,
            f"PULSE(0 {low:g} {high:.6g} 40p 40p {high - 40e-12:.6g} {2 * high:.6g})",
        )
    for name, gate in GATES.items():
        circuit.subcircuit(gate.subcircuit(technology))
        count = len(gate.inputs)
        pins = [f"x{bit}" for bit in range(count)]
        outputs = [f"{name}_{pin}" for pin in gate.outputs]
        circuit.X(name, name, *pins, *outputs, "vdd", "0")
        remarks.append(f"* {name}: {' '.join(gate.pins)}")
        if gate.function is None:
            continue
        for state in range(2**count):
            bits = [(state >> bit) & 1 for bit in range(count)]
            for node, value in zip(outputs, gate.function(*bits), strict=True):
                at = (state + 0.95) * PERIOD
                lines.append(f".meas tran {node}_{state} find v({node}) at={at:.6g}")
                expected.append(f"{node}_{state}={value}")
    stop = 8 * PERIOD
    deck = f"{circuit}\n.options method=gear gmin=1e-15\n.tran {PERIOD / 50:.6g} {stop:.6g}\n.end\n"
    return _with_measurements(
        deck,
        [
            "* Pins in order; x0, x1, x2 count up from 0, one state a nanosecond.",
            *remarks,
            *_wrapped("* outputs should be ", expected),
        ],
        lines,
    )


def _wrapped(head: str, words: list[str], width: int = 8) -> list[str]:
    """Comment lines of a few words each, all with the same beginning."""
    return [head + " ".join(words[k : k + width]) for k in range(0, len(words), width)]


def _with_measurements(deck: str, remarks: list[str], measurements: list[str]) -> str:
    title, rest = deck.split("\n", 1)
    body = rest.rsplit(".end\n", 1)[0]
    return "\n".join([title, *remarks, body.rstrip("\n"), *measurements, ".end"]) + "\n"


def main(folder: str) -> None:
    """Write the decks into a folder."""
    for name, text in demo_decks().items():
        write_text(Path(folder) / name, text)


if __name__ == "__main__":
    main(sys.argv[1])
