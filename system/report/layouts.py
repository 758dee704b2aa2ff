"""The architecture in report.json, and which layouts come near the published system's totals."""

from __future__ import annotations

from typing import Any

from formats.cells import Cells
from formats.training import Training
from system.budget.compare import is_reading
from system.budget.gap import Candidate, Share, shares, steps, verdict
from system.budget.lines import Budget

LARGEST = 5
"""Lines of a candidate that are named."""


def architecture(bill: Budget) -> dict[str, Any]:
    """What was built, in counts."""
    layout = bill.layout
    return {
        "name": layout.architecture.name,
        "description": layout.architecture.description,
        "parallelism": str(layout.architecture.parallelism),
        "macs": layout.macs(),
        "sngs": layout.all_generators(),
        "memory_columns": layout.columns(),
        "accumulator_bits": layout.accumulator_bits(),
        "passes": [
            {"layer": product.layer, "product": product.name, "passes": layout.passes(product)}
            for product in layout.work.products
        ],
    }


def gap(cells: Cells, training: Training, bill: Budget) -> dict[str, Any] | None:
    """What closes the gap to the published totals; None for another network than its reading."""
    if not is_reading(training):
        return None
    # A pair that was edited has been accepted, or there were no bill.
    candidates = steps(cells, training, accept_edited_cells=True)
    return {
        "lines": [_share(share) for share in shares(bill)],
        "candidates": [_candidate(candidate) for candidate in candidates],
        "verdict": verdict(candidates),
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    bill = candidate.bill
    return {
        "name": candidate.name,
        "assumption": candidate.said,
        "area_mm2": bill.area * 1e6,
        "power_uW": bill.power * 1e6,
        "area_ratio": candidate.area_ratio,
        "power_ratio": candidate.power_ratio,
        "macs": bill.layout.macs(),
        "sngs": bill.layout.all_generators(),
        "training_step_s": bill.timing.training_step,
        "reaches_both": candidate.reaches,
        "largest": [_share(share) for share in shares(bill)[:LARGEST]],
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "item": share.item,
        "of_published_area": share.area,
        "of_published_power": share.power,
    }
