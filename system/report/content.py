"""report.json: the budget, accuracies, wear and comparisons as plain types in file units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from formats.cells import Cells
from formats.device import parse_device
from formats.training import BINARY, Training
from system.budget.accuracy import (
    Accuracy,
    BitByBit,
    accuracies,
    bit_by_bit,
    difference,
    evaluated,
    wilson,
)
from system.budget.baselines import Baselines, baselines
from system.budget.bill import BudgetOptions
from system.budget.compare import with_floating_point, with_publication
from system.budget.lines import Budget, Line, Progressive
from system.budget.sng import conditions, sng_table
from system.budget.uncertainty import uncertainty
from system.budget.wear.endurance import OF_THE_DEVICE, Endurance, EnduranceChoice
from system.budget.wear.shared import groups_of_training
from system.budget.wear.spent import spent
from system.budget.wear.use import named
from system.budget.workload import Workload
from system.report import intervals, layouts
from system.report.baselines import content as beside
from system.report.wear import wear


def report(
    cells: Cells,
    training: Training,
    bill: Budget,
    provenance: Mapping[str, Any],
    endurance: EnduranceChoice = OF_THE_DEVICE,
) -> dict[str, Any]:
    """The content of report.json; raises :class:`InputError` for what the inputs lack."""
    found = accuracies(training)
    gap = difference(found["float"], found["sc"])
    lasting = Endurance.of(device(cells), endurance)
    consumed = _used(cells, training, bill, lasting)
    spread = uncertainty(cells, training, bill)
    return {
        "schema": 2,
        "totals": {
            **{name: intervals.total(name, one, spread) for name, one in bill.totals().items()},
            "endurance_used_by_training": {
                "value": consumed["fraction"],
                "unit": "1",
                "interval95": None,
                "reason": "unknown: the cycles follow from mean bit probabilities, and the "
                "endurance is a figure without an error",
                "meaning": "SET + RESET cycles of the whole training on its most used device over "
                "the endurance; above 1 it would have worn out before the end",
            },
        },
        "uncertainty": intervals.behind(spread),
        "accuracy": {
            **{name: _accuracy(one, "training.nc correct") for name, one in found.items()},
            "sc_trained_in": str(training.attributes["mode"]),
            "evaluated": {
                arithmetic: {
                    evaluation: _accuracy(one, "training.nc evaluated_correct")
                    for evaluation, one in rows.items()
                }
                for arithmetic, rows in evaluated(training).items()
            },
            "difference_points": {
                "value": gap.points,
                "interval95": list(gap.interval95),
                "source": "derived: sc - float; Newcombe interval, runs taken as independent",
            },
            **_bit_by_bit(bit_by_bit(training)),
        },
        "architecture": layouts.architecture(bill),
        "lines": [_line(line) for line in bill.lines],
        "streams": {
            "mode": str(training.attributes["mode"]),
            "life": bill.workload.rules.life_text,
            "sharing": bill.workload.rules.sharing_text,
            "made_per_image_and_weight_stream": bill.workload.rules.made_per_image(
                bill.workload.batch_size
            ),
            "products": _products(bill.workload),
        },
        "update": {
            "rule": bill.workload.rule.name,
            "formula": bill.workload.rule.formula,
            "parameters_on_streams": bill.workload.streamed_parameters,
            "parameters_binary": bill.workload.binary_parameters,
        },
        "timing": {
            "bit_s": bill.timing.bit,
            "update_s": bill.timing.update,
            "requested_frame_rate_Hz": bill.timing.requested_rate,
            "frame_rate_Hz": bill.timing.rate,
        },
        **_progressive(bill.progressive),
        "endurance_used": consumed,
        "wear": wear(cells, training, bill, lasting),
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
                for row in with_publication(bill, training)
            ],
            "floating_point": [
                {
                    "quantity": row.quantity,
                    "unit": "J",
                    "this_reading": row.ours,
                    "fp32": [row.low.value, row.high.value],
                    "ratio": list(row.ratios),
                    "orders_of_magnitude": list(row.orders),
                    "source": f"{row.low.source}; {row.high.source}",
                }
                for row in with_floating_point(bill)
            ],
        },
        "gap": layouts.gap(cells, training, bill),
        "baselines": beside(_baselines(cells, training, bill)),
        "assumptions": list(bill.assumptions),
        "not_modelled": list(bill.not_modelled),
        "warnings": list(bill.warnings),
        "provenance": dict(provenance),
    }


def _baselines(cells: Cells, training: Training, bill: Budget) -> Baselines:
    # A pair that was edited has been accepted, or there were no bill.
    options = BudgetOptions(bill.timing.requested_rate, accept_edited_cells=True)
    return baselines(cells, training, bill.layout.architecture, options, bill)


def device(cells: Cells) -> dict[str, Any]:
    """The device.json held in cells.nc; raises :class:`InputError` where it is none."""
    return parse_device(
        str(cells.attributes["device_json"]), f"{cells.path}, attribute device_json"
    )


def _accuracy(one: Accuracy, where: str) -> dict[str, Any]:
    return {
        "value": one.value,
        "interval95": list(one.interval95),
        "by_seed": list(one.by_seed),
        "test_images": one.images,
        "source": f"simulated: {where}; Wilson interval of one test set",
    }


def _products(work: Workload) -> list[dict[str, Any]]:
    """Which arithmetic made each product, with how many bits in each epoch."""
    streamed = [
        {
            "layer": product.layer,
            "product": product.name,
            "mac": product.mac,
            "stream_length": [int(length) for length in product.lengths],
        }
        for product in work.products
    ]
    plain = [
        {"layer": product.layer, "product": product.name, "mac": BINARY, "stream_length": []}
        for product in work.binary
    ]
    return streamed + plain


def _progressive(early: Progressive | None) -> dict[str, Any]:
    """Inference in stages, where it was recorded."""
    if early is None:
        return {}
    accuracy = early.correct / early.images
    return {
        "progressive": {
            "images": early.images,
            "accuracy": accuracy,
            "interval95": list(wilson(accuracy, early.images)),
            "stages": [
                {
                    "stream_length": stage.length,
                    "share_of_images": stage.reached,
                    "energy_per_inference_J": stage.energy,
                    "latency_s": stage.latency,
                }
                for stage in early.stages
            ],
            "source": "derived: shares of training.nc times the bill of an inference at each "
            "stage's stream length",
        }
    }


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
            "source": "simulated: training.nc evaluated_correct; Wilson interval of one test set, "
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


def _used(cells: Cells, training: Training, bill: Budget, endurance: Endurance) -> dict[str, Any]:
    """What the training of training.nc has taken from its devices."""
    reset = float(cells.sng.isel(conditions(cells))["Pr"])
    groups = groups_of_training(training, bill.layout, sng_table(cells), reset)
    taken = spent(training, groups, endurance.value)
    return {
        "most_used": named(taken.layer, taken.kind),
        "cycles": taken.most,
        "cycles_of_their_mean_device": taken.mean,
        "endurance_cycles": endurance.value,
        "fraction": taken.fraction,
        "fraction_of_their_mean_device": taken.mean_fraction,
        "source": "derived: training.nc cycles_per_device over the endurance; endurance "
        f"{endurance.source}",
    }
