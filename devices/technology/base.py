"""A CMOS technology: transistors by role, supplies, ratings, areas, corners and temperature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from devices.technology.areas import AreaRules, CellArea, cell_areas
from devices.technology.transistor import Transistor

ZERO_CELSIUS = 273.15
CORNERS = ("tt", "ff", "ss")
"""Typical, fast and slow."""
ROLES = ("nmos", "pmos", "nmos_io", "pmos_io")
"""What a circuit may ask for: core and I/O transistors."""
COLDEST, HOTTEST = 200.0, 475.0
"""K; beyond these no card of a technology is meant to hold."""


@dataclass(frozen=True)
class IoClass:
    """Transistors of a high-voltage class beside the core.

    ``supply`` (V) is the nominal one. Layout rules (m): a source or drain region is a contact with
    a spacing to the gate on either side; ``spacing`` separates neighbouring active areas.
    """

    name: str
    supply: float
    contact: float
    contact_to_gate: float
    spacing: float
    source: str

    def area(self, length: float, width: float) -> float:
        """Area (m2) of one transistor, its source and drain not shared.

        Along the channel: the gate and two contact regions; across: the width and one spacing.
        """
        region = self.contact + 2 * self.contact_to_gate
        return (length + 2 * region) * (width + self.spacing)

    @property
    def area_source(self) -> str:
        """The rule with its numbers."""
        contact, gate, spacing = (
            f"{x * 1e6:.3g}" for x in (self.contact, self.contact_to_gate, self.spacing)
        )
        return (
            f"{self.source}, each {self.name}-V transistor (L + 2 x (contact {contact} um + 2 x "
            f"{gate} um to the gate)) x (W + spacing {spacing} um)"
        )


@dataclass(frozen=True)
class Technology:
    """Transistors by role (``nmos``, ``pmos`` core, ``nmos_io``, ``pmos_io``), supplies, rules.

    ``supply`` (V) is the core's; ``temperature`` (K), ``corner`` and ``io_class`` are the present
    conditions, changed by :meth:`at` and :meth:`with_io`. ``library[corner][flavour]`` holds
    "nmos", "pmos" and, for each class C of ``io``, "nmos_C" and "pmos_C". ``model_texts[corner]``
    is the text of model files, empty for a technology with cards of its own. ``cells`` (m2) are
    published areas of standard cells at this node; ``feature_size`` (m) is the F of 4F x 12F.
    ``redistributable``: whether the model text may stand in files given to others.
    """

    name: str
    supply: float
    temperature: float
    library: Mapping[str, Mapping[str, Transistor]]
    nmos_width: float
    pmos_width: float
    feature_size: float
    area_rules: AreaRules
    cells: Mapping[str, float]
    cells_source: str
    io: Mapping[str, IoClass]
    io_class: str
    corner_source: str
    corner: str = "tt"
    model_texts: Mapping[str, str] = field(default_factory=dict)
    redistributable: bool = True

    @property
    def corners(self) -> tuple[str, ...]:
        """The corners it has, the typical one first."""
        return tuple(self.library)

    @property
    def transistors(self) -> Mapping[str, Transistor]:
        """Transistors of the present corner and I/O class, by role."""
        here = self.library[self.corner]
        return {
            "nmos": here["nmos"],
            "pmos": here["pmos"],
            "nmos_io": here[f"nmos_{self.io_class}"],
            "pmos_io": here[f"pmos_{self.io_class}"],
        }

    @property
    def io_classes(self) -> Mapping[str, float]:
        """Nominal supply (V) of each I/O class, lowest first."""
        return {c.name: c.supply for c in sorted(self.io.values(), key=lambda c: c.supply)}

    @property
    def io_supply(self) -> float:
        """Nominal supply (V) of the present I/O class."""
        return self.io[self.io_class].supply

    def at(self, corner: str | None = None, temperature: float | None = None) -> Technology:
        """The same technology in another corner or at another temperature (K).

        Raises ValueError for a corner it does not have, and for a temperature below 200 or above
        475 K.
        """
        corner = self.corner if corner is None else corner
        if corner not in self.library:
            raise ValueError(
                f"corner {corner!r}: {self.name} has {', '.join(self.corners)}; choose one of these"
            )
        temperature = self.temperature if temperature is None else float(temperature)
        if not COLDEST <= temperature <= HOTTEST:
            raise ValueError(
                f"temperature {temperature:g} K: expected {COLDEST:g} to {HOTTEST:g} K"
            )
        return replace(self, corner=corner, temperature=temperature)

    def with_io(self, io_class: str) -> Technology:
        """The technology with the I/O transistors of a class ("2.5", "3.3", "5") in their roles.

        Raises ValueError for a class it does not have.
        """
        if io_class not in self.io:
            raise ValueError(
                f"I/O class {io_class!r}: {self.name} has {', '.join(self.io_classes)}; "
                "choose one of these"
            )
        return replace(self, io_class=io_class)

    def bears(self, role: str, voltage: float) -> bool:
        """Whether every terminal pair of a role's transistor is rated for ``voltage`` (V)."""
        return voltage <= self.transistors[role].ratings.lowest

    def lowest_io_class(self, voltage: float) -> str:
        """The lowest I/O class whose n and p transistors bear ``voltage`` (V) on every pair.

        Raises ValueError where none does.
        """
        for name in self.io_classes:
            there = self.with_io(name)
            if there.bears("nmos_io", voltage) and there.bears("pmos_io", voltage):
                return name
        highest = list(self.io_classes)[-1]
        rated = self.with_io(highest).transistors["nmos_io"].ratings
        raise ValueError(
            f"{voltage:g} V: no I/O class of {self.name} bears it; the highest, {highest} V, is "
            f"rated {rated.lowest:g} V ({rated.source})"
        )

    def sigma_vt(self, role: str, width: float, length: float) -> float:
        """Standard deviation (V) of the threshold of one transistor (Pelgrom).

        A pair differs by A_VT / sqrt(W L); each of the two, drawn alone, by 1/sqrt(2) of that.
        """
        return self.transistors[role].mismatch.a_vt / math.sqrt(2 * width * length)

    def sigma_beta(self, role: str, width: float, length: float) -> float:
        """Relative standard deviation of the current factor of one transistor (Pelgrom)."""
        return self.transistors[role].mismatch.a_beta / math.sqrt(2 * width * length)

    def models_text(self) -> str:
        """The models of the present corner and class and the temperature, as netlist lines."""
        texts = [t.model_text() for t in self.transistors.values()]
        texts.insert(0, self.model_texts.get(self.corner, "").rstrip("\n"))
        return "\n".join([*filter(None, texts), f".temp {self.temperature - ZERO_CELSIUS:.6g}"])

    def models_reference(self) -> str:
        """Comment lines that name the models, for files that must not hold the models' text."""
        rows = [f"* {role}: {t.model} ({t.source})" for role, t in self.transistors.items()]
        head = (
            f"* models of {self.name}, corner {self.corner}: not redistributable, add your own copy"
        )
        return "\n".join([head, *rows, f".temp {self.temperature - ZERO_CELSIUS:.6g}"])

    def io_area(self, width: float) -> float:
        """Area (m2) of one I/O transistor of this width with its contacts and spacing."""
        return self.io[self.io_class].area(self.transistors["nmos_io"].length, width)

    @property
    def io_area_source(self) -> str:
        """Where :meth:`io_area` comes from."""
        return self.io[self.io_class].area_source

    @property
    def gate_area_table(self) -> Mapping[str, CellArea]:
        """Derived, published and used area of every standard cell."""
        return cell_areas(self.area_rules, self.cells)

    @property
    def gate_areas(self) -> Mapping[str, float]:
        """Area used (m2) of every standard cell."""
        return {name: cell.used for name, cell in self.gate_area_table.items()}

    @property
    def gate_area_source(self) -> str:
        """Where :attr:`gate_areas` come from."""
        return (
            f"{self.area_rules.source}; where more than 15 % from it, {self.cells_source}"
            if self.cells
            else self.area_rules.source
        )

    def one_t_one_r_area(self, highest_voltage: float, width: float) -> tuple[float, str]:
        """Area (m2) of a 1T1R cell and where it comes from.

        4F x 12F (a published array, recalled) where the core transistor bears
        ``highest_voltage`` (V) on every pair; else one I/O transistor of ``width`` (m) of the
        lowest class that does, the CBRAM above it in the wiring. Raises ValueError where no class
        bears it.
        """
        if self.bears("nmos", highest_voltage):
            f = self.feature_size
            return 48 * f * f, (
                f"taken (second-hand): 4F x 12F at F = {f * 1e9:g} nm; the core transistor bears "
                f"{highest_voltage:g} V"
            )
        name = self.lowest_io_class(highest_voltage)
        there = self.with_io(name)
        return there.io_area(width), (
            f"derived, one {name}-V access transistor of W = {width * 1e6:g} um since the core's "
            f"{self.transistors['nmos'].ratings.lowest:g} V do not bear {highest_voltage:g} V; "
            f"{there.io_area_source}"
        )
