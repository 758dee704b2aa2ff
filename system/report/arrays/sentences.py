"""What the report of an array says, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from system.report.quantity import digits, percent, whole


def sentences(report: Mapping[str, Any]) -> list[str]:
    """From report.json."""
    lines = report["lines"]
    said = [
        f"The largest part of the area are {_dominant(lines, 'area_mm2')}, of the energy of an "
        f"inference {_dominant(lines, 'energy_per_inference_J')}.",
    ]
    if "energy_per_training_image_J" in report["totals"]:
        said.append(
            "The largest part of the energy of a training image are "
            f"{_dominant(lines, 'energy_per_training_image_J')}."
        )
    return [*said, *_accuracy(report["accuracy"]), *_lifetime(report["wear"])]


def _dominant(lines: list[Mapping[str, Any]], key: str) -> str:
    groups: dict[str, float] = {}
    for line in lines:
        groups[line["group"]] = groups.get(line["group"], 0.0) + line[key]
    most, total = max(groups, key=lambda name: groups[name]), sum(groups.values())
    return f"{most.lower()} ({digits(100 * groups[most] / total)} %)" if total else "none"


def _accuracy(found: Mapping[str, Any]) -> list[str]:
    rows = found["networks"]
    plain = next(row for row in rows if row["network"] == "float")
    others = [row for row in rows if row["network"] != "float"]
    if found["runs"] == "seeds":
        return [_beside("Trained on synapses", others[0], plain), *_spoilt(found["corrupted"])]
    on_chips = [row for row in others if row["treatment"] is not None]
    said = [
        _beside(f"Without devices, the network {row['network']}", row, plain)
        for row in others
        if row["treatment"] is None
    ]
    for states in dict.fromkeys(map(_states, on_chips)):
        here = [row for row in on_chips if _states(row) == states]
        best, worst = (pick(here, key=lambda row: row["value"]) for pick in (max, min))
        said.append(
            f"On chips of ratio {digits(states[0])} and spreads of {percent(states[1])} and "
            f"{percent(states[2])}: from {percent(worst['value'])} ({_named(worst)}) to "
            f"{percent(best['value'])} ({_named(best)}), means over chips."
        )
    return said


def _states(row: Mapping[str, Any]) -> tuple[float, float, float]:
    return row["ratio"], row["spread_on"], row["spread_off"]


def _beside(name: str, row: Mapping[str, Any], plain: Mapping[str, Any]) -> str:
    low, high = row["interval95"]
    return (
        f"{name} gets {percent(row['value'])} right (95 %: {percent(low)} to {percent(high)}), "
        f"in floating point {percent(plain['value'])}: a difference of "
        f"{100 * (row['value'] - plain['value']):+.2f} points."
    )


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['network']}, treatment {row['treatment']}"


def _spoilt(rows: list[Mapping[str, Any]]) -> list[str]:
    """How often the network on synapses loses less than the one in floating point."""
    lost = {(r["network"], r["corruption"], r["strength"]): r["relative_degradation"] for r in rows}
    pairs = [
        (value, lost["float", *place])
        for (name, *place), value in lost.items()
        if name == "synapses"
    ]
    if not pairs:
        return []
    fewer = sum(own < other for own, other in pairs)
    return [
        f"On spoilt images the network on synapses loses less of its accuracy, relatively, than "
        f"the one in floating point in {fewer} of {len(pairs)} cases (corruptions and strengths)."
    ]


def _lifetime(found: Mapping[str, Any]) -> list[str]:
    own = next(row for row in found["table"] if row["own"])
    unit, so_far = found["unit"], found["so_far"]
    epochs = own["epochs_to_first"]
    said = [
        f"The most used device (in {so_far['most_used']}) has had {whole(so_far['pulses'])} "
        f"programming pulse{'s' if so_far['pulses'] != 1 else ''}: "
        f"{digits(100 * so_far['fraction'])} % of its endurance, a pulse counted as a cycle."
    ]
    if own["units_to_first"] is None:
        return said
    often = f"{whole(own['units_to_first'])} {unit}s"
    after = "" if epochs is None else f", {digits(epochs)} epochs"
    return [
        *said,
        f"At an endurance of {digits(own['endurance_cycles'])} cycles the first of all devices "
        f"fails after {often}{after} (median).",
    ]
