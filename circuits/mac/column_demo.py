"""The column of the demo device in one read, for plain ``ngspice -b``."""

from __future__ import annotations

import numpy as np

from circuits.mac.column import (
    column_circuit,
    column_deck,
    column_design,
    read_start,
    sample_times,
    sense_resistance,
)
from devices.cbram import CBRAM
from devices.technology import Technology

STATES = (1, 0, 1, 1, 0, 1, 0, 0)
WORD_BITS = (1, 1, 0, 1, 0, 1, 1, 0)


def column_demo(device: CBRAM, technology: Technology) -> tuple[str, list[str], list[str]]:
    """Deck, remarks and ``.meas`` lines of a read of eight cells with three products.

    The taps are those of the sense divider with median resistances, midway between counts, without
    transistors and wires.
    """
    design = column_design(device, technology, len(STATES))
    k = np.arange(design.cells + 1)
    conductance = k / device.conduction.r_lrs.value
    divider = design.read_voltage / (1 + sense_resistance(device, design) * conductance)
    taps = (divider[1:] + divider[:-1]) / 2
    circuit = column_circuit(
        device, technology, design, STATES, WORD_BITS, references=[float(tap) for tap in taps]
    )
    products = sum(s * w for s, w in zip(STATES, WORD_BITS, strict=True))
    times = sample_times(design, taps.size)
    lines = [f".meas tran over{j} find v(out) at={time:.6g}" for j, time in enumerate(times)]
    settled = read_start(design)
    lines += [
        f".meas tran sense find v(sn) at={settled:.6g}",
        f".meas tran e_bit_line integ par('-v(vrd)*i(vvrd)') from=0 to={times[-1]:.6g}",
    ]
    remarks = [
        f"* Stored bits {_text(STATES)}, word lines {_text(WORD_BITS)}: {products} products.",
        "* overJ near the supply: the count is more than J; so many of them are the count.",
        "* The testbench compares with every tap; the column itself searches by halves.",
    ]
    return column_deck(circuit, design, taps.size), remarks, lines


def _text(bits: tuple[int, ...]) -> str:
    return "".join(str(bit) for bit in bits)
