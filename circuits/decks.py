"""Decks of the demo device (the preset knag2014) for plain ``ngspice -b``, with their results.

``python -m circuits.decks FOLDER`` writes them; ``make netlists`` does so into netlists/.
"""

from __future__ import annotations

import sys
from pathlib import Path

from circuits.logic.bench import PERIOD, vector_deck
from circuits.logic.gates import GATES
from circuits.mac.bit_cells import MACS
from circuits.sng.cell import SngDesign, sng_circuit, sng_deck
from devices.presets import knag2014
from devices.technology import CMOS40LP, Technology
from formats.atomic import write_text
from formats.seeds import generator

SEED = 0
SNG_CYCLES = 16
MAC_VECTORS = 64


def demo_decks() -> dict[str, str]:
    """File name to text; the same at every call."""
    return {
        "sng.cir": sng_demo(CMOS40LP),
        "mac.cir": mac_demo("sign_magnitude_counter", CMOS40LP),
        "mac_mux.cir": mac_demo("bipolar_mux", CMOS40LP),
    }


def sng_demo(technology: Technology) -> str:
    """Bits of the demo device near P = 1/2."""
    device, design = knag2014(), SngDesign()
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


def mac_demo(name: str, technology: Technology) -> str:
    """A MAC cell under random vectors, with its energy and the output bits of the last four."""
    mac = MACS[name]
    vectors = generator(SEED, "decks", name).integers(0, 2, (MAC_VECTORS, len(mac.inputs))).tolist()
    cells = [GATES[gate].subcircuit(technology) for gate in mac.gates]
    deck, _ = vector_deck(
        f"{mac.description}, {technology.name}",
        technology,
        [*cells, mac.subcircuit()],
        mac.inputs,
        mac.outputs,
        vectors,
    )
    stop = MAC_VECTORS * PERIOD
    lines = [
        f".meas tran e_supply integ par('-v(vdd)*i(vvdd)') from={PERIOD:.6g} to={stop:.6g}",
        f".meas tran e_per_bit param='e_supply/{MAC_VECTORS - 1}'",
    ]
    for index in range(MAC_VECTORS - 4, MAC_VECTORS):
        for pin in mac.outputs:
            lines.append(f".meas tran {pin}{index} find v({pin}) at={(index + 0.98) * PERIOD:.6g}")
    values = [mac.evaluate(dict(zip(mac.inputs, vector, strict=True))) for vector in vectors[-4:]]
    expected = " ".join(
        f"{pin}{MAC_VECTORS - 4 + k}={value[pin]}"
        for k, value in enumerate(values)
        for pin in mac.outputs
    )
    return _with_measurements(
        deck,
        [
            f"* {MAC_VECTORS} random vectors, one every {PERIOD * 1e9:g} ns.",
            "* e_supply, e_per_bit: energy (J) from the supply; the outputs should be " + expected,
        ],
        lines,
    )


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
