"""A transistor as data; what is placed, counted, summed and shifted is one and the same list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.transistors import add_mosfet
from devices.technology import Technology


@dataclass(frozen=True)
class Part:
    """One transistor: ``nodes`` are drain, gate, source, bulk; sizes in m.

    ``role`` is a key of the technology's transistors. ``width`` None is the technology's own,
    ``length`` None the shortest.
    """

    name: str
    role: str
    nodes: tuple[str, str, str, str]
    width: float | None = None
    length: float | None = None

    def size(self, technology: Technology) -> tuple[float, float]:
        """Width and length (m) as drawn."""
        transistor = technology.transistors[self.role]
        standard = technology.nmos_width if transistor.polarity == "nmos" else technology.pmos_width
        return self.width or standard, self.length or transistor.length


def add_parts(
    circuit: Circuit | SubCircuit,
    technology: Technology,
    parts: Iterable[Part],
    vt_shifts: Mapping[str, float] | None = None,
) -> None:
    """Place transistors; ``vt_shifts`` (V) by name raises the magnitude of the threshold.

    Raises ValueError for a shift of a transistor that is not there.
    """
    shifts = dict(vt_shifts or {})
    for part in parts:
        shift = shifts.pop(part.name, 0.0)
        add_mosfet(
            circuit,
            technology,
            part.role,
            part.name,
            part.nodes,
            part.width,
            part.length,
            vt_shift=shift,
        )
    if shifts:
        raise ValueError(f"threshold shifts of transistors that are not there: {sorted(shifts)}")


def counts(parts: Iterable[Part]) -> dict[str, int]:
    """Number of transistors by role."""
    return dict(Counter(part.role for part in parts))


def vt_sigma(technology: Technology, part: Part) -> float:
    """Standard deviation (V) of a transistor's threshold by local mismatch (Pelgrom)."""
    return technology.sigma_vt(part.role, *part.size(technology))


def areas(technology: Technology, parts: Iterable[Part]) -> dict[str, float]:
    """Area (m2) by role.

    I/O transistors by the technology's rule for their width, with their extra length where they are
    longer than the shortest. Core transistors: half an inverter each, the area of a standard
    transistor with its share of contacts, wells and rails; wider or longer ones grow by the extra
    gate length and width at that cell's pitch (assumed).
    """
    found: dict[str, float] = {}
    for part in parts:
        width, length = part.size(technology)
        shortest = technology.transistors[part.role].length
        if part.role.endswith("_io"):
            area = technology.io_area(width) + (length - shortest) * width
        else:
            standard = Part("", part.role, ("", "", "", "")).size(technology)[0]
            rules = technology.area_rules
            area = (2 * rules.gate_pitch + length - shortest) * (
                rules.row_height / 2 + max(0.0, width - standard)
            )
        found[part.role] = found.get(part.role, 0.0) + area
    return found
