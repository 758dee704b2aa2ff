"""Does every transistor stay within its voltage ratings over a waveform?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySpice.Spice.BasicElement import Mosfet, SubCircuitElement
from PySpice.Spice.Netlist import Circuit, Netlist

from circuits.simulator import Waveforms
from devices.technology import Technology

SHORTEST_STRESS = 1e-9
"""s; shorter excursions (feed-through spikes of an edge) are not counted as a violation."""


@dataclass(frozen=True)
class Stress:
    """The largest terminal voltage of one transistor (V), its rating (V) and where it occurs."""

    transistor: str
    model: str
    pair: str
    voltage: float
    rating: float

    @property
    def violated(self) -> bool:
        """Whether the rating is exceeded."""
        return self.voltage > self.rating

    def __str__(self) -> str:
        return (
            f"{self.transistor} ({self.model}): |V{self.pair}| reaches {self.voltage:.4g} V, "
            f"rated {self.rating:.4g} V"
        )


def stresses(circuit: Circuit, waveforms: Waveforms, technology: Technology) -> list[Stress]:
    """The worst of |Vgs|, |Vgd|, |Vds| of every transistor of the circuit, most stressed first."""
    ratings = {t.model: t.rating for t in technology.transistors.values()}
    found = []
    for name, model, (drain, gate, source) in _transistors(circuit, "", {}, circuit):
        v = {
            pin: _voltage(waveforms, node)
            for pin, node in zip("dgs", (drain, gate, source), strict=True)
        }
        worst = max(
            (_sustained(waveforms.time, np.abs(v[pair[0]] - v[pair[1]])), pair)
            for pair in ("gs", "gd", "ds")
        )
        found.append(Stress(name, model, worst[1], worst[0], ratings[model]))
    return sorted(found, key=lambda stress: stress.voltage / stress.rating, reverse=True)


def _sustained(time: np.ndarray, values: np.ndarray) -> float:
    """The highest level that is held for ``SHORTEST_STRESS`` at least."""
    order = np.argsort(values)[::-1]
    spans = np.gradient(time)
    held = np.cumsum(spans[order])
    index = int(np.searchsorted(held, SHORTEST_STRESS))
    return float(values[order[min(index, len(order) - 1)]])


def _voltage(waveforms: Waveforms, node: str) -> np.ndarray:
    if node == "0":
        return np.zeros_like(waveforms.time)
    return waveforms[f"v({node})"]


def _transistors(
    netlist: Netlist, prefix: str, outer: dict[str, str], circuit: Circuit
) -> list[tuple[str, str, tuple[str, str, str]]]:
    """(hierarchical name, model, (drain, gate, source)) of every transistor below a netlist."""

    def resolve(node: str) -> str:
        node = node.lower()
        if node == "0" or node in outer:
            return outer.get(node, node)
        return f"{prefix}{node}"

    found = []
    subcircuits = {sub.name: sub for sub in circuit.subcircuits}
    for element in netlist.elements:
        nodes = [resolve(str(name)) for name in element.node_names]
        if isinstance(element, Mosfet):
            label = f"{prefix}{element.name}".lower()
            found.append((label, str(element.model), (nodes[0], nodes[1], nodes[2])))
        elif isinstance(element, SubCircuitElement):
            inner = subcircuits.get(element.subcircuit_name)
            if inner is not None:
                ports = [str(node).lower() for node in inner.external_nodes]
                mapping = dict(zip(ports, nodes, strict=True))
                path = f"{prefix}{element.name}.".lower()
                found += _transistors(inner, path, mapping, circuit)
    return found
