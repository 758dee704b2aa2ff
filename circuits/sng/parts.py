"""Transistors of the SNG: the path of its device, its sense stage, the gate of its RESET.

The path: drivers of the bit line (``bl``) and the source line (``sl``), access transistor, switch
to the sense node (``sn``) and the current sink there. In SET the bit line is high, in RESET the
source line. The access transistor stands between device and source line, or between bit line and
device where the active electrode meets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.comparator import comparator_parts
from circuits.part import Part
from circuits.sng.latch import latch_parts
from circuits.sng.level_shifter import cross_coupled
from devices.technology import Technology

if TYPE_CHECKING:
    from circuits.sng.design import SngDesign


def path_parts(design: SngDesign, technology: Technology, suffix: str = "") -> tuple[Part, ...]:
    """Transistors of one device's path; ``suffix`` ends its own names and nodes."""
    nmos, pmos = ("nmos_io", "pmos_io") if design.path == "io" else ("nmos", "pmos")
    s, width = suffix, design.io_width

    def n(name: str, drain: str, gate: str, source: str) -> Part:
        return Part(f"{name}{s}", nmos, (drain, gate, source, "0"), width)

    def p(name: str, drain: str, gate: str, source: str, times: int = 1) -> Part:
        return Part(f"{name}{s}", pmos, (drain, gate, source, source), times * width)

    source_driver: tuple[Part, ...] = (p("up", f"sl{s}", "upb", "vrs"),)
    if design.conditional_reset:
        # Two in series, so both twice as wide; the one at the source line is off where the last bit
        # read is 0. There two others hold the line in the RESET phase: the channel of the access
        # transistor, as it forms, would charge a floating line and clear the SET exposure.
        source_driver = (
            p("up", f"vrg{s}", "upb", "vrs", 2),
            p("upc", f"sl{s}", f"rb{s}", f"vrg{s}", 2),
            n("hc", f"sl{s}", f"rb{s}", f"hx{s}"),
            n("hz", f"hx{s}", "bz", "0"),
            *cross_coupled(
                technology, f"ls{s}", ("q", "qn"), (f"rt{s}", f"rb{s}"), "vrs", path=design.path
            ),
        )
    access = (
        (f"be{s}", "wl", f"sl{s}") if design.terminal == "inert" else (f"bl{s}", "wl", f"te{s}")
    )
    return (
        n("acc", *access),
        n("dn", f"sl{s}", "dn", "0"),
        *source_driver,
        p("wr", f"bl{s}", "wrb", f"vwr{s}"),
        n("bz", f"bl{s}", "bz", "0"),
        n("rdv", "vrd", "rd", f"bl{s}"),
        n("iso", f"sl{s}", "rd", f"sn{s}"),
        Part(
            f"sink{s}",
            "nmos",
            (f"sn{s}", "vbias", "0", "0"),
            design.sink_width,
            design.sink_length,
        ),
    )


def sense_parts(design: SngDesign, minus: str = "vref") -> tuple[Part, ...]:
    """Comparator of the sense node with ``minus``, and output latch."""
    return (
        *comparator_parts("sn", minus, "clkb", design.input_width, design.input_length),
        *latch_parts(),
    )


def cell_parts(design: SngDesign, technology: Technology) -> tuple[Part, ...]:
    """All transistors of the SNG with one device."""
    return (*path_parts(design, technology), *sense_parts(design))
