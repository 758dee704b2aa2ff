"""The read of the SNG alone: a resistor in the device's place, one decision of the comparator.

The path is settled (operating point), then the sense clock falls: a few dozen time points, against
the hundreds of a whole cycle.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySpice.Spice.Netlist import Circuit

from circuits.part import add_parts
from circuits.sng.cell import add_lines
from circuits.sng.design import SENSE_EDGE, SngDesign
from circuits.sng.parts import cell_parts
from devices.technology import Technology

CLOCK_START = 0.1e-9
"""s; when the sense clock begins to fall."""
STEPS = 10
"""Fewest time steps of a decision."""
SMALL_CHARGES = "method=gear gmin=1e-15 chgtol=1e-16"
"""Options: ngspice's own chgtol, 1e-14 C, is more than all the charge of the comparator's nodes, so
that their course would be stepped over; the trip resistance came out 70 % too high."""
PROBE_RISE = 0.1
"""V; of the ramp that measures a capacitance."""
PROBE_TIME = 1e-9
"""s; of that ramp."""


def read_deck(
    technology: Technology,
    design: SngDesign,
    resistance: float,
    vt_shifts: Mapping[str, float] | None = None,
) -> str:
    """Deck of one read of a device of ``resistance`` (ohm), saving ``sn``, ``op`` and ``on``.

    ``sn`` at the first point is the settled sense node; ``op`` ends high where the bit is 1, else
    ``on``.
    """
    d, vdd = design.resolved(technology), technology.supply
    assert d.gate_on is not None and d.read_voltage is not None
    circuit = _bench(technology, vdd)
    levels = {
        "vdd": vdd,
        "vrs": d.reset_voltage,
        "vrd": d.read_voltage,
        "vbias": d.sense_bias,
        "vref": d.reference,
        "vwr": d.reset_voltage,
        "wl": d.gate_on,
        "rd": d.gate_on,
        "upb": d.reset_voltage,
        "wrb": d.reset_voltage,
        "dn": 0.0,
        "bz": 0.0,
        "clkb": f"PULSE({vdd:g} 0 {CLOCK_START:g} {SENSE_EDGE:g} {SENSE_EDGE:g} 1 2)",
    }
    for name, level in levels.items():
        circuit.V(name, name, circuit.gnd, level)
    circuit.R("dev", *d.electrodes, resistance)
    add_lines(circuit, d)
    add_parts(circuit, technology, cell_parts(d, technology), vt_shifts)
    return (
        f"{circuit}\n.options {SMALL_CHARGES}\n.save v(sn) v(op) v(on)\n"
        f".tran {d.sense_time / STEPS:g} {d.sense_time:g} 0 {d.sense_time / STEPS:g}\n.end\n"
    )


def capacitance_deck(technology: Technology, design: SngDesign) -> str:
    """Deck of ramps on the sense node and a comparator output, all else at ground.

    The transistors are off, so that what flows charges capacitances, which are smaller off than
    on. Divide the saved currents ``i(vsnx)`` and ``i(vopx)`` by the ramp's slope.
    """
    d = design.resolved(technology)
    circuit = _bench(technology, 0.0)
    nodes = ("vdd", "vrs", "vrd", "vbias", "vref", "vwr", "wl", "rd", "upb", "wrb", "dn", "bz")
    for name in (*nodes, "clkb"):
        circuit.V(name, name, circuit.gnd, 0.0)
    for node in ("sn", "op"):
        circuit.V(f"{node}x", node, circuit.gnd, f"PWL(0 0 {PROBE_TIME:g} {PROBE_RISE:g})")
    circuit.R("dev", *d.electrodes, 1e9)
    add_parts(circuit, technology, cell_parts(d, technology))
    return (
        f"{circuit}\n.options {SMALL_CHARGES}\n.save i(vsnx) i(vopx)\n"
        f".tran {PROBE_TIME / STEPS:g} {PROBE_TIME:g}\n.end\n"
    )


def _bench(technology: Technology, supply: float) -> Circuit:
    circuit = Circuit(f"read of the SNG, {technology.name}")
    circuit.raw_spice = f"{technology.models_text()}\n.ic v(q)=0 v(qn)={supply:g}\n"
    return circuit
