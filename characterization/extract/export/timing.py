"""Delays of cells.nc as timing groups of Liberty."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from characterization.extract.export.liberty_text import Group, number, table
from characterization.extract.export.truth import BOTH, NEGATIVE, POSITIVE, sense
from circuits.logic.gates import Gate

TEMPLATE = "slew_load"
LOWER, UPPER = 10.0, 90.0
"""Per cent; where the slews of the tables are measured."""


def timing_template(data: xr.Dataset, second: float, farad: float) -> Group | None:
    """The template of the look-up tables: input slew by output load; None without tables.

    ``second``, ``farad``: units of the library in one SI unit.
    """
    if "arc_delay" not in data:
        return None
    template = Group("lu_table_template", (_template_name(data),))
    template.set("variable_1", "input_net_transition", word=True)
    template.set("variable_2", "total_output_net_capacitance", word=True)
    for index, (name, unit) in enumerate((("input_slew", second), ("output_load", farad)), start=1):
        template.lines.append(f'index_{index} ("{_row(data[name].to_numpy() * unit)}");')
    return template


def add_timing(pin: Group, gate: Gate, output: str, data: xr.Dataset, second: float) -> None:
    """A timing group for each input an output follows.

    ``data`` is the gate's group at one condition. With ``arc_delay`` and ``arc_slew`` (s; arc,
    input_slew, output_load; an arc is "a rise > y fall") look-up tables, both edges of an input
    apart where the output follows either way; else the worst ``delay`` with one inverter to drive.
    """
    if gate.function is None:
        _add_clock(pin, gate, data, second)
    elif "arc_delay" in data:
        _add_tables(pin, gate, output, data, second)
    elif "delay" in data:
        for related in gate.inputs:
            way = sense(gate, related, output)
            if way is not None:
                _add_scalars(pin, related, way, [float(data["delay"]) * second] * 2)


def _add_clock(pin: Group, gate: Gate, data: xr.Dataset, second: float) -> None:
    """Clock to output of the flip-flop, by edge of the output."""
    if "clock_to_output" not in data:
        return
    delays = [float(data["clock_to_output"].sel(edge=edge)) * second for edge in ("rise", "fall")]
    _add_scalars(pin, gate.inputs[1], BOTH, delays, kind="rising_edge")


def _add_scalars(
    pin: Group, related: str, way: str, delays: Iterable[float], kind: str = ""
) -> None:
    group = _group(related, way, kind)
    for edge, delay in zip(("rise", "fall"), delays, strict=True):
        group.add(table(f"cell_{edge}", delay))
    pin.add(group)


def _add_tables(pin: Group, gate: Gate, output: str, data: xr.Dataset, second: float) -> None:
    """A group for each way in which the output follows an input, with the edges it has."""
    arcs = [str(name) for name in data["arc"].to_numpy()]
    ways = ((POSITIVE, ("rise", "fall")), (NEGATIVE, ("fall", "rise")))
    for related in gate.inputs:
        for way, inputs in ways:
            names = {
                edge: f"{related} {incoming} > {output} {edge}"
                for edge, incoming in zip(("rise", "fall"), inputs, strict=True)
            }
            if not any(name in arcs for name in names.values()):
                continue
            group = _group(related, way)
            for edge, name in names.items():
                if name not in arcs:
                    continue
                here = data.sel(arc=name).transpose("input_slew", "output_load", ...)
                tables = {f"cell_{edge}": here["arc_delay"], f"{edge}_transition": here["arc_slew"]}
                for word, values in tables.items():
                    rows = (values.to_numpy() * second).tolist()
                    group.add(table(word, rows, _template_name(data)))
            pin.add(group)


def _group(related: str, way: str, kind: str = "") -> Group:
    group = Group("timing")
    group.set("related_pin", related)
    if kind:
        group.set("timing_type", kind, word=True)
    group.set("timing_sense", way, word=True)
    return group


def _template_name(data: xr.Dataset) -> str:
    return f"{TEMPLATE}_{data.sizes['input_slew']}x{data.sizes['output_load']}"


def _row(values: np.ndarray) -> str:
    return ", ".join(number(float(value)) for value in values)
