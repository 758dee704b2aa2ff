"""A CMOS technology: transistors by role, supplies, ratings, areas, corners and temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

ZERO_CELSIUS = 273.15
CORNERS = ("tt", "ff", "ss")
"""Typical, fast and slow."""


@dataclass(frozen=True)
class Transistor:
    """One MOSFET flavour.

    ``rating`` (V) bounds |Vgs|, |Vgd| and |Vds|; ``length`` (m) is the drawn one; ``card`` holds
    BSIM4 (level 54) parameters; ``source`` says where they come from.
    """

    model: str
    polarity: str
    length: float
    rating: float
    rating_source: str
    card: Mapping[str, float]
    source: str

    def model_text(self) -> str:
        """The ``.model`` statement for ngspice."""
        values = [f"{key}={value:.6g}" for key, value in self.card.items()]
        rows = ["+ " + " ".join(values[i : i + 8]) for i in range(0, len(values), 8)]
        return "\n".join([f".model {self.model} {self.polarity} level=54 version=4.5", *rows])


@dataclass(frozen=True)
class Technology:
    """Transistors by role (``nmos``, ``pmos`` core, ``nmos_io``, ``pmos_io``), supplies, rules.

    ``supply`` (V) is the core's; ``temperature`` (K) and ``corner`` are the conditions the cards
    are written for; ``gate_areas`` (m2) are of standard cells at this node.
    """

    name: str
    supply: float
    temperature: float
    transistors: Mapping[str, Transistor]
    nmos_width: float
    pmos_width: float
    gate_areas: Mapping[str, float]
    gate_area_source: str
    io_area_source: str
    corner: str = "tt"

    def at(self, corner: str | None = None, temperature: float | None = None) -> Technology:
        """The same technology in another corner or at another temperature (K).

        Raises ValueError for a corner it does not have.
        """
        corner = corner or self.corner
        if corner not in CORNERS:
            raise ValueError(f"corner {corner!r}: expected one of {', '.join(CORNERS)}")
        return replace(self, corner=corner, temperature=temperature or self.temperature)

    def with_io(self, io_class: str) -> Technology:
        """The technology with the I/O transistors of a class ("2.5", "3.3", "5") in their roles."""
        return self

    def sigma_vt(self, role: str, width: float, length: float) -> float:
        """Standard deviation (V) of the threshold between neighbours (Pelgrom)."""
        return 3e-9 / (width * length) ** 0.5

    def models_text(self) -> str:
        """The cards and the temperature, as netlist lines."""
        cards = [transistor.model_text() for transistor in self.transistors.values()]
        return "\n".join([*cards, f".temp {self.temperature - ZERO_CELSIUS:.6g}"])

    def io_area(self, width: float) -> float:
        """Area (m2) of one I/O transistor of this width with its share of contacts and spacing."""
        length = self.transistors["nmos_io"].length
        return (length + 2 * IO_CONTACT_REGION) * (width + IO_SPACING)


IO_CONTACT_REGION = 0.24e-6
"""m; source or drain contact region of an I/O device, shared half each; assumed."""
IO_SPACING = 0.30e-6
"""m; spacing between neighbouring I/O devices; assumed."""
