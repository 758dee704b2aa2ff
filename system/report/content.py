"""report.json: the budget, accuracies, lifetime and comparisons as plain types in file units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from formats.cells import Cells
from formats.device import parse_device
from formats.training import Training
from system.budget.accuracy import BitByBit, accuracies, bit_by_bit, difference
from system.budget.compare import with_floating_point, with_publication
from system.budget.lifetime import lifetime
from system.budget.lines import Budget, Line
from system.budget.workload import whole_attribute


def report(
    cells: Cells, training: Training, bill: Budget, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of report.json; raises :class:`InputError` for what the inputs lack."""
    found = accuracies(training)
    gap = difference(found["float"], found["sc"])
    return {
        "schema": 1,
        "totals": {
            name: {
                "value": total.value,
                "unit": total.unit,
                "interval95": None if total.interval95 is None else list(total.interval95),
                "reason": total.reason,
                "meaning": total.meaning,
            }
            for name, total in bill.totals().items()
        },
        "accuracy": {
            **{
                name: {
                    "value": one.value,
                    "interval95": list(one.interval95),
                    "by_seed": list(one.by_seed),
                    "test_images": one.images,
                    "source": "simulated: training.nc correct; Wilson interval of one test set",
                }
                for name, one in found.items()
            },
            "difference_points": {
                "value": gap.points,
                "interval95": list(gap.interval95),
                "source": "derived: sc - float; Newcombe interval, runs taken as independent",
            },
            **_bit_by_bit(bit_by_bit(training)),
        },
        "lines": [_line(line) for line in bill.lines],
        "streams": {
            "mode": str(training.attributes["mode"]),
            "life": bill.workload.rules.life_text,
            "sharing": bill.workload.rules.sharing_text,
            "made_per_image_and_weight_stream": bill.workload.rules.made_per_image(
                bill.workload.batch_size
            ),
        },
        "timing": {
            "bit_s": bill.timing.bit,
            "requested_frame_rate_Hz": bill.timing.requested_rate,
            "frame_rate_Hz": bill.timing.rate,
            "stream_length": bill.workload.stream_length,
        },
        "lifetime": _lifetimes(cells, training, bill),
        "comparison": {
            "published_system": [
                {
                    "quantity": row.quantity,
                    "unit": row.unit,
                    "this_reading": row.ours,
                    "published": row.published.value,
                    "ratio": row.ratio,
                    "source": row.published.source,
                }
                for row in with_publication(bill)
            ],
            "floating_point": [
                {
                    "quantity": row.quantity,
                    "unit": row.unit,
                    "this_reading": row.ours,
                    "fp32": [row.low.value, row.high.value],
                    "ratio": list(row.ratios),
                    "orders_of_magnitude": list(row.orders),
                    "source": f"{row.low.source}; {row.high.source}",
                }
                for row in with_floating_point(cells, training, bill)
            ],
        },
        "assumptions": list(bill.assumptions),
        "not_modelled": list(bill.not_modelled),
        "warnings": list(bill.warnings),
        "provenance": dict(provenance),
    }


def device(cells: Cells) -> dict[str, Any]:
    """The device.json held in cells.nc; raises :class:`InputError` where it is none."""
    return parse_device(
        str(cells.attributes["device_json"]), f"{cells.path}, attribute device_json"
    )


def _bit_by_bit(found: BitByBit | None) -> dict[str, Any]:
    if found is None:
        return {}
    one = found.accuracy
    return {
        "sc_bit_by_bit": {
            "value": one.value,
            "interval95": list(one.interval95),
            "by_seed": list(one.by_seed),
            "test_images": one.images,
            "moments_on_the_same": found.moments,
            "mcnemar_p": found.p_value,
            "source": "simulated: training.nc accuracy_exact; Wilson interval of one test set, "
            "McNemar's test over all seeds",
        }
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "item": line.item,
        "group": line.group,
        "count": line.count,
        "unit_area_um2": line.unit_area * 1e12,
        "area_mm2": line.area * 1e6,
        "unit_energy_J": line.unit_energy,
        "events_per_inference": line.events_inference,
        "events_per_training_step": line.events_training,
        "energy_per_inference_J": line.energy_inference,
        "energy_per_training_step_J": line.energy_training,
        "unit_leakage_W": line.unit_leakage,
        "leakage_W": line.leakage,
        "source": {
            "count": line.count_source,
            "area": line.area_source,
            "energy": line.energy_source,
            "leakage": line.leakage_source,
        },
    }


def _lifetimes(cells: Cells, training: Training, bill: Budget) -> list[dict[str, Any]]:
    """Wear-out of training and of inference; a null number of images means that nothing wears."""
    endurance = device(cells)["endurance"]
    cycles, source = float(endurance["value"]), f"{endurance['source']}: {endurance['note']}"
    rows = []
    for use, only in (("training", None), ("inference", "forward")):
        wear = lifetime(cells, bill.workload, cycles, source, only)
        rows.append(
            {
                "use": use,
                "first_to_wear": f"{wear.kind} SNGs of {wear.layer}",
                "endurance_cycles": cycles,
                "cycles_per_image": wear.cycles_per_image,
                "images": _finite(wear.images),
                "images_if_every_pulse_wears": _finite(wear.images_if_every_pulse_wears),
                "epochs": _finite(wear.images / whole_attribute(training, "train_images")),
                "source": f"derived: endurance over cycles per image; endurance {source}",
            }
        )
    return rows


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
