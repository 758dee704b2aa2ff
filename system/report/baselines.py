"""The baselines of report.json as plain types in file units."""

from __future__ import annotations

from typing import Any

from system.budget import Budget
from system.budget.baselines import Baselines
from system.budget.baselines.arrays import Array
from system.budget.baselines.figures import BaselineMac, Range
from system.budget.baselines.lfsr import DIFFERENCE
from system.budget.baselines.orders import Ratio, Row
from system.budget.baselines.precision import RULE
from system.budget.baselines.stochastic import Candidate
from system.budget.baselines.synthesised import Synthesised


def content(found: Baselines) -> dict[str, Any]:
    """The key ``baselines`` of report.json."""
    macs = {one.mac.name: one.mac for one in found.arrays}
    return {
        "products_per_inference": found.work.inference,
        "products_per_training_step": found.work.training,
        "units": [_unit(mac) for mac in macs.values()],
        "arrays": [_array(one) for one in found.arrays],
        "equal_precision_rule": RULE,
        "macs": [_mac(one) for one in dict.fromkeys(row.candidate for row in found.orders)],
        "orders": [_row(row) for row in found.orders],
        "stochastic_cmos": _cmos(found.ours, found.stochastic_cmos),
        "synthesised": _synthesised(found.made, found.designs),
        "verdict": list(found.verdict),
    }


def _unit(mac: BaselineMac) -> dict[str, Any]:
    return {
        "name": mac.name,
        "area_um2": [x * 1e12 for x in _values(mac.area)],
        "energy_J": _values(mac.energy),
        "leakage_W": _values(mac.leakage),
        "interval_s": mac.interval.value,
        "accumulator_bits": mac.accumulator_bits,
        "source": {
            "area": _sources(mac.area),
            "energy": _sources(mac.energy),
            "leakage": _sources(mac.leakage),
            "interval": mac.interval.source,
        },
    }


def _values(pair: Range) -> list[float]:
    return [pair[0].value, pair[1].value]


def _sources(pair: Range) -> str:
    return "; ".join(dict.fromkeys(figure.source for figure in pair))


def _array(one: Array) -> dict[str, Any]:
    return {
        "unit": one.mac.name,
        "layout": one.layout,
        "units": one.units,
        "area_mm2": [x * 1e6 for x in one.area],
        "area_with_memories_mm2": [x * 1e6 for x in one.area_with_memories],
        "energy_per_inference_J": list(one.inference),
        "energy_per_inference_with_memories_J": list(one.inference_with_memories),
        "energy_per_training_step_J": list(one.training),
        "energy_per_training_step_with_memories_J": list(one.training_with_memories),
        "leakage_W": list(one.leakage),
        "latency_s": one.latency,
        "training_step_latency_s": one.step,
        "power_W": list(one.power),
        "power_with_memories_W": list(one.power_with_memories),
    }


def _mac(ours: Candidate) -> dict[str, Any]:
    return {
        "mac": ours.mac,
        "form": ours.form,
        "area_um2": ours.area * 1e12,
        "bit_s": ours.bit,
        "energy_per_bit_J": ours.energy,
        "stream_length": ours.length,
        "source": {"area": ours.area_source, "energy": ours.energy_source or None},
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "mac": row.candidate.mac,
        "form": row.candidate.form,
        "baseline": row.baseline.name,
        "bits_at_equal_precision": row.bits if row.candidate.bit is not None else None,
        "area": _ratio(row.area),
        "area_time": _ratio(row.area_time_trained),
        "area_time_at_equal_precision": _ratio(row.area_time_equal),
        "energy": _ratio(row.energy_trained),
        "energy_at_equal_precision": _ratio(row.energy_equal),
    }


def _ratio(found: Ratio | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"ratio": [found.low, found.high], "orders": list(found.orders)}


def _cmos(ours: Budget, cmos: Budget | None) -> dict[str, Any] | None:
    if cmos is None:
        return None
    return {
        "memristive": _totals(ours),
        "lfsr": _totals(cmos),
        "changed_lines": [
            {
                "item": line.item,
                "area_mm2": line.area * 1e6,
                "energy_per_inference_J": line.energy_inference,
                "energy_per_training_step_J": line.energy_training,
                "leakage_W": line.leakage,
                "area_source": line.area_source,
                "energy_source": line.energy_source,
            }
            for line in cmos.lines
            if line.group == "SNGs"
        ],
        "difference": DIFFERENCE,
    }


def _totals(bill: Budget) -> dict[str, float]:
    return {
        "area_mm2": bill.area * 1e6,
        "energy_per_inference_J": bill.energy_inference,
        "energy_per_training_step_J": bill.energy_training,
        "leakage_W": bill.leakage,
        "power_W": bill.power,
        "frame_rate_Hz": bill.timing.rate,
        "bit_s": bill.timing.bit,
        "latency_s": bill.timing.inference,
        "training_step_latency_s": bill.timing.training_step,
    }


def _synthesised(made: str, designs: tuple[Synthesised, ...]) -> dict[str, Any] | None:
    if not designs:
        return None
    return {
        "made": f"synthesised by {made}",
        "designs": [
            {
                "name": one.name,
                "kind": one.kind,
                "description": one.description,
                "products": one.products,
                "area_um2": one.area * 1e12,
                "energy_J": one.energy,
                "leakage_W": one.leakage,
                "delay_s": one.delay,
                "source": one.source,
            }
            for one in designs
        ],
    }
