"""How well the figures are known that are not simulated: published, derived by a rule, or assumed.

A figure is found by the words of the source that a line names, so a line that takes a figure from
elsewhere needs an entry here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from system.budget.uncertainty.inputs import Input, factor, within

_TWO_SOURCES = "taken: two published figures of the same thing"


@dataclass(frozen=True)
class Stated:
    """A figure of one ``quantity`` (area, energy, leakage), found where its ``words`` stand."""

    quantity: str
    words: str
    input: Input

    def found(self, quantity: str, source: str) -> bool:
        """Whether the source of a line names it."""
        return self.quantity == quantity and re.search(self.words, source) is not None


# The nominal FP32 unit is the middle of the smallest and the largest of the Aladdin figures.
_FP32_AREA = (6953 + 13328) / 2
_FP32_ENERGY = (31.7 + 51.7) / 2

STATED: tuple[Stated, ...] = (
    Stated(
        "area",
        "SRAM bit cell, 0.242 um2",
        factor(
            "SRAM bit area",
            1.1,
            "assumed: the bare 40-nm bit cell differs by 10 % between foundries and flavours; "
            "its periphery is not in it",
        ),
    ),
    Stated(
        "energy",
        "register, 9 fJ/bit",
        factor(
            "SRAM access energy",
            3.0,
            "assumed: a register's energy stands for that of an SRAM access, whose bit lines are "
            "not known",
        ),
    ),
    Stated(
        "leakage",
        "10 pW per bit",
        factor("SRAM bit leakage", 3.0, "assumed: an order of magnitude without a source"),
    ),
    Stated(
        "area",
        "8-bit adder, 69.5 um2",
        factor(
            "8-bit adder area",
            69.5 / 36,
            f"{_TWO_SOURCES}: 69.5 um2 (Aladdin, 40 nm) and 36 um2 (Horowitz, ISSCC 2014, 45 nm, "
            "recalled); covers also its scaling with the width (assumed)",
        ),
    ),
    Stated(
        "energy",
        "8-bit adder, 52.5 fJ",
        factor(
            "8-bit adder energy",
            52.5 / 30,
            f"{_TWO_SOURCES}: 52.5 fJ (Aladdin, 40 nm) and 30 fJ (Horowitz, ISSCC 2014, 45 nm, "
            "quoted by others); covers also its scaling with the width (assumed)",
        ),
    ),
    Stated(
        "area",
        "8-bit multiplier, 396.9 um2",
        factor(
            "8-bit multiplier area",
            396.9 / 282,
            f"{_TWO_SOURCES}: 396.9 um2 (Aladdin, 40 nm) and 282 um2 (Horowitz, ISSCC 2014, "
            "45 nm, recalled); covers also its scaling with the width (assumed)",
        ),
    ),
    Stated(
        "energy",
        "8-bit multiplier, 792 fJ",
        factor(
            "8-bit multiplier energy",
            792 / 200,
            f"{_TWO_SOURCES}: 792 fJ (Aladdin, 40 nm) and 200 fJ (Horowitz, ISSCC 2014, 45 nm, "
            "quoted by others); covers also its scaling with the width (assumed)",
        ),
    ),
    Stated(
        "leakage",
        r"full adders (at 8 bit|of the same area)",
        factor(
            "leakage of published arithmetic",
            3.0,
            "assumed: none is published for a low-power process; that of as many full adders "
            "stands for it",
        ),
    ),
    Stated(
        "area",
        "smallest FP32 adder",
        within(
            "FP32 unit area",
            6953 / _FP32_AREA,
            13328 / _FP32_AREA,
            "taken: smallest and largest adder + multiplier of the Aladdin power model, 40 nm; "
            "that of Horowitz (ISSCC 2014, recalled) lies between them",
        ),
    ),
    Stated(
        "energy",
        "least FP32 add",
        within(
            "FP32 unit energy",
            4.6 / _FP32_ENERGY,
            51.7 / _FP32_ENERGY,
            "taken: from add + multiply of Horowitz (ISSCC 2014, 45 nm, 0.9 + 3.7 pJ, quoted by "
            "others) to the largest of the Aladdin power model, 40 nm, whose middle is the value",
        ),
    ),
    Stated(
        "area",
        "given by the user",
        factor("DAC area", 2.0, "assumed: the user gives a figure without an uncertainty"),
    ),
    Stated(
        "energy",
        "given by the user",
        factor("DAC energy", 2.0, "assumed: the user gives a figure without an uncertainty"),
    ),
    Stated(
        "leakage",
        "given by the user",
        factor("DAC leakage", 3.0, "assumed: the user gives a figure without an uncertainty"),
    ),
    Stated(
        "area",
        r"cells\.nc sng/charge_pump_area",
        factor("charge pump area", 2.0, "assumed: ideal capacitors and switches of a rule"),
    ),
    Stated(
        "energy",
        r"cells\.nc sng/charge_pump_efficiency",
        factor("charge pump losses", 1.5, "assumed: ideal capacitors and switches of a rule"),
    ),
    Stated(
        "area",
        r"cells\.nc sng/area",
        factor(
            "SNG area",
            1.5,
            "assumed: the area rule of its high-voltage transistors is ours, contacts and spacings "
            "are no foundry's",
        ),
    ),
    Stated(
        "area",
        r"cells\.nc in_memory_column/area",
        factor(
            "column area",
            1.5,
            "assumed: the area rule of its high-voltage transistors is ours, contacts and spacings "
            "are no foundry's",
        ),
    ),
    Stated(
        "energy",
        r"cells\.nc in_memory_column/energy",
        factor(
            "column read energy",
            1.5,
            "assumed: the successive approximation is counted as if clocked at each decision, its "
            "reference taps are not in it",
        ),
    ),
    Stated(
        "energy",
        r"cells\.nc in_memory_column/scheme_energy",
        factor(
            "column write path",
            1.2,
            "assumed: line and access transistor of a column beside the SNG's, with whose energy "
            "that of the device moves",
        ),
    ),
    Stated(
        "leakage",
        r"cells\.nc in_memory_column/leakage_power",
        factor(
            "column leakage",
            3.0,
            "assumed: its high-voltage transistors have subthreshold leakage only; real ones leak "
            "more",
        ),
    ),
    Stated(
        "leakage",
        r"cells\.nc sng/leakage_power",
        factor(
            "SNG leakage",
            3.0,
            "assumed: its high-voltage transistors have subthreshold leakage only; real ones leak "
            "more",
        ),
    ),
)
"""The figures of the lines by the words of their sources, each with its input."""

CELL_AREAS = factor(
    "standard-cell areas, all",
    1.2,
    "assumed: pitches, row height and the scaling (40/45)^2 = 0.79 hold for all cells alike; the "
    "recalled 40-nm NAND2 is 15 % larger than the rule's, and 0.79 is the best case",
)
CELL_LEAKAGE = factor(
    "transistor leakage",
    2.0,
    "assumed: Ioff of the card lies 6 % below (n) and 25 % above (p) its target; gate leakage and "
    "GIDL are not modelled",
)
CELL_ENERGY = factor(
    "switching energy of logic, all",
    1.2,
    "assumed: capacitances of the card and one gate's load stand for a layout's; wires have none",
)


def cell_area(group: str) -> Input:
    """The area of one standard cell apart from what all have in common."""
    return factor(
        f"area of {group}",
        1.15,
        "derived: areas by the pitch rule lie within 15 % of the NanGate 45-nm library's times "
        "0.79, or are those",
    )


def share(name: str, quantity: str) -> Input:
    """The share of an overhead."""
    return factor(
        f"{quantity} of {name}", 1.5, "assumed: the share of an overhead is no measured one"
    )


_UNSTATED = {"area": 1.5, "energy": 2.0, "leakage": 3.0}


def unstated(quantity: str, source: str) -> Input:
    """What a figure from elsewhere, such as a user's, is taken to be known to."""
    return factor(
        f"{quantity}: {source}",
        _UNSTATED[quantity],
        "assumed: no uncertainty is stated for this figure",
    )
