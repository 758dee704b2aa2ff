"""A latched comparator of core transistors for inputs near ground (p input pair).

The dynamic latch known as StrongARM (Kobayashi, Nogami, Shirotori, Fujimoto, IEEE JSSC 28, 523
(1993), recalled), upside down. With ``ckb`` high all inner nodes lie at ground; when it falls, the
input with the lower voltage lifts its side first and the cross-coupled pairs latch: ``out`` goes
high where ``inp`` is below ``inn``.
"""

from __future__ import annotations

from PySpice.Spice.Netlist import Circuit

from circuits.transistors import add_mosfet
from devices.technology import Technology

COMPARATOR_PINS = ("inp", "inn", "ckb", "out", "outb")
"""Pins in symbol order, besides ``vdd`` and ground."""
TRANSISTORS = 15
"""Transistors of the latch with its two output inverters."""


def add_comparator(
    circuit: Circuit,
    technology: Technology,
    name: str,
    nodes: tuple[str, str, str, str, str],
    input_width: float,
    input_length: float,
) -> None:
    """Place a comparator; ``nodes`` are those of :data:`COMPARATOR_PINS`.

    ``input_width`` and ``input_length`` (m) are the input pair's, whose mismatch is the offset.
    """
    inp, inn, ckb, out, outb = nodes
    tail, x1, x2, o1, o2 = (f"{name}_{node}" for node in ("t", "x1", "x2", "o1", "o2"))

    def place(role: str, part: str, pins: tuple[str, str, str], *size: float) -> None:
        bulk = "0" if role == "nmos" else "vdd"
        add_mosfet(circuit, technology, role, f"{name}{part}", (*pins, bulk), *size)

    place("pmos", "t", (tail, ckb, "vdd"), input_width / 2)
    place("pmos", "1", (x1, inp, tail), input_width, input_length)
    place("pmos", "2", (x2, inn, tail), input_width, input_length)
    place("pmos", "3", (o1, o2, x1))
    place("pmos", "4", (o2, o1, x2))
    place("nmos", "5", (o1, o2, "0"))
    place("nmos", "6", (o2, o1, "0"))
    for part, node in (("7", o1), ("8", o2), ("9", x1), ("10", x2)):
        place("nmos", part, (node, ckb, "0"))
    # Inverters load both sides alike; the second output is that of the other side inverted.
    for part, inside, outside in (("a", o2, out), ("b", o1, outb)):
        place("nmos", f"{part}n", (outside, inside, "0"))
        place("pmos", f"{part}p", (outside, inside, "vdd"))


def transistor_area(technology: Technology, input_width: float, input_length: float) -> float:
    """Area (m2): inverters of a standard cell for the small transistors, the pair by its size.

    The eleven transistors besides the input pair and tail, with the output inverters', are counted
    as standard inverters of two transistors each; pair and tail as gate area with a contact
    region of one gate pitch less the gate on either side. Derived, our rule.
    """
    pitch = technology.area_rules.gate_pitch
    region = pitch - technology.transistors["pmos"].length
    small = (TRANSISTORS - 3) / 2 * technology.gate_areas["inv"]
    pair = 2 * input_width * (input_length + 2 * region)
    tail = input_width / 2 * pitch
    return small + pair + tail
