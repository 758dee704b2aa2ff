"""Transition energies of cells.nc in the form of Liberty: by pin, edge, related pin and state.

Liberty tells transitions by one switching input. The energy of an input's own net is the tool's,
1/2 C V^2 at each edge, and is taken off here; so what a tool adds up over a walk of single
switchings is the sum of the transition energies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from characterization.extract.export.truth import bits_of, condition, outputs_of, states
from circuits.logic.gates import Gate


@dataclass(frozen=True)
class Arc:
    """Energy (J) of an edge ("rise", "fall") of ``pin``.

    ``related`` is the input that causes it, or empty where ``pin`` is an input itself; ``when``
    the state of the other pins, or empty.
    """

    pin: str
    related: str
    when: str
    edge: str
    energy: float


def gate_arcs(gate: Gate, energy: xr.DataArray, half: Mapping[str, float]) -> list[Arc]:
    """Every transition of one input, at the outputs it moves or, if none, at the input.

    ``energy`` (J) has the dimension ``transition`` ("01>11": inputs before, after); ``half`` is
    1/2 C V^2 (J) by input.
    """
    table, arcs = by_label(energy), []
    for place, pin in enumerate(gate.inputs):
        others = [name for name in gate.inputs if name != pin]
        for rest in states(len(others)):
            when = condition(others, rest)
            for edge, bit in (("rise", 1), ("fall", 0)):
                before, after = ((*rest[:place], b, *rest[place:]) for b in (1 - bit, bit))
                own = _between(table, before, after) - half[pin]
                pairs = zip(
                    gate.outputs, outputs_of(gate, before), outputs_of(gate, after), strict=True
                )
                moved = [(name, "rise" if y else "fall") for name, x, y in pairs if x != y]
                arcs += [Arc(name, pin, when, way, own / len(moved)) for name, way in moved]
                if not moved:
                    arcs.append(Arc(pin, "", when, edge, own))
    return _sorted(arcs)


def register_arcs(gate: Gate, data: xr.Dataset, half: Mapping[str, float]) -> list[Arc]:
    """The flip-flop, from its transitions where ``data`` hold them, else from two means.

    ``transition_energy`` (J) by ``transition``, states of (clock, output, data): each toggle of
    one input from each state; a rising clock that moves the output stands at the output. From
    ``energy_hold`` and ``energy_toggle`` alone: each edge of the clock carries half of the first,
    and what a toggle adds, less the net of the data pin, which switches once, is the output's.
    """
    data_pin, clock = gate.inputs
    (output,) = gate.outputs
    if "transition_energy" not in data:
        hold, toggle = float(data["energy_hold"]), float(data["energy_toggle"])
        edges = ("rise", "fall")
        more = toggle - hold - half[data_pin]
        return [
            *(Arc(clock, "", "", edge, hold / 2 - half[clock]) for edge in edges),
            *(Arc(output, clock, "", edge, more) for edge in edges),
        ]
    table, arcs = by_label(data["transition_energy"]), []
    for clk, q, d in states(3):
        taken = d if clk == 0 else q
        own = _between(table, (clk, q, d), (1 - clk, taken, d)) - half[clock]
        if taken != q:
            arcs.append(Arc(output, clock, "", "rise" if taken else "fall", own))
        else:
            when = condition((output, data_pin), (q, d))
            arcs.append(Arc(clock, "", when, "fall" if clk else "rise", own))
        own = _between(table, (clk, q, d), (clk, q, 1 - d)) - half[data_pin]
        when = condition((clock, output), (clk, q))
        arcs.append(Arc(data_pin, "", when, "fall" if d else "rise", own))
    return _sorted(arcs)


def by_label(values: xr.DataArray) -> dict[str, float]:
    """The numbers of a one-dimensional variable by the labels of its coordinate."""
    (dimension,) = values.dims
    labels = (str(label) for label in values[dimension].to_numpy())
    return dict(zip(labels, values.to_numpy().tolist(), strict=True))


def _between(table: Mapping[str, float], before: Sequence[int], after: Sequence[int]) -> float:
    return table[f"{bits_of(before)}>{bits_of(after)}"]


def _sorted(arcs: Iterable[Arc]) -> list[Arc]:
    """Arcs of one ``when`` and ``related`` beside each other, the rise first."""
    return sorted(arcs, key=lambda arc: (arc.pin, arc.related, arc.when, arc.edge == "fall"))
