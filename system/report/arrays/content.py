"""report.json of a network on arrays (formats/schemas/array-report.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from system.budget.arrays import ArrayBill
from system.budget.arrays.lines import ArrayLine
from system.budget.uncertainty.spread import Uncertainty, spread
from system.budget.wear.endurance import Endurance
from system.report import intervals
from system.report.arrays.case import Case
from system.report.arrays.wear import wear

METHOD = (
    "Monte Carlo over all inputs at once, each drawn in equally likely strata (Latin hypercube); "
    "inputs are independent, and one that several lines name moves them together. Interval: 2.5 to "
    "97.5 % of the totals. Tornado: one input at its 2.5 and 97.5 % quantile, the others at the "
    "bill's values. Counts, pulses, times and voltages are exact. What the bill leaves out is in "
    "no interval"
)
EXACT = "exact: follows from the chosen read phase and the positions of the layers"


def content(of: Case, endurance: Endurance, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The whole content."""
    found = uncertainty(of.bill)
    return {
        "schema": 1,
        "system": of.system,
        "network": {
            "name": str(of.attributes["network"]),
            "parameters": int(of.attributes["parameters"]),
            "devices": of.use.every.devices,
            "images": str(of.attributes["images"]),
            "train_images": int(of.attributes["train_images"]),
            "test_images": int(of.attributes["test_images"]),
        },
        "totals": {
            name: intervals.total(name, one, found) for name, one in of.bill.nominal().items()
        },
        "uncertainty": intervals.behind(found),
        "accuracy": dict(of.accuracy),
        "lines": [_line(line) for line in of.bill.lines],
        "wear": wear(of.use, endurance),
        "assumptions": list(of.bill.assumptions),
        "not_modelled": list(of.bill.not_modelled),
        "warnings": list(of.bill.warnings),
        "provenance": dict(provenance),
    }


def uncertainty(bill: ArrayBill) -> Uncertainty:
    """Intervals of the totals; one that nothing moves is exact."""
    found = spread(bill)
    totals = {
        name: replace(one, reason=EXACT) if one.reason.startswith("exact") else one
        for name, one in found.totals.items()
    }
    return replace(found, method=METHOD, totals=totals)


def _line(line: ArrayLine) -> dict[str, Any]:
    events = line.events
    return {
        "item": line.item,
        "group": line.group,
        "count": line.count,
        "unit_area_um2": line.unit_area * 1e12,
        "area_mm2": line.area * 1e6,
        "unit_energy_J": line.unit_energy,
        "events_per_inference": events.inference,
        "events_per_training_image": events.training_image,
        "events_of_programming": events.programming,
        "energy_per_inference_J": line.energy("inference"),
        "energy_per_training_image_J": line.energy("training_image"),
        "programming_energy_J": line.energy("programming"),
        "unit_leakage_W": line.unit_leakage,
        "leakage_W": line.leakage,
        "source": {
            "count": line.count_source,
            "area": line.area_source,
            "energy": line.energy_source,
            "leakage": line.leakage_source,
        },
    }
