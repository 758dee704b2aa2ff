"""explore.csv and explore.json: every point, what it scores and costs, and its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from system.explore.judge import Judged, front_of

if TYPE_CHECKING:
    from system.explore.stage import Explored


def csv_text(points: Sequence[Judged]) -> str:
    """The table; costs are the budget's own numbers, not rounded."""
    rows = [row(each) for each in points]
    names = list(dict.fromkeys(name for each in rows for name in each)) or ["point"]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def row(judged: Judged) -> dict[str, Any]:
    """A point as a row, units in the names."""
    point = judged.point
    found, costs = point.estimate, point.costs
    return {
        "point": judged.number,
        **point.varied,
        "layout": point.layout,
        "accuracy": f"{found.value:.6f}",
        "accuracy_stderr": f"{found.stderr:.6f}",
        "accuracy_low95": f"{found.interval95[0]:.6f}",
        "accuracy_high95": f"{found.interval95[1]:.6f}",
        "seeds": len(found.by_seed),
        "test_images": found.images,
        "energy_per_inference_J": repr(costs.energy),
        "area_mm2": repr(costs.area * 1e6),
        "latency_s": repr(costs.latency),
        "leakage_W": repr(costs.leakage),
        "macs": f"{costs.macs:.0f}",
        "on_front": "yes" if judged.on_front else "no",
        "front_probability": f"{judged.probability:.4f}",
        "dominated_by": "" if judged.dominated_by is None else judged.dominated_by,
        "not_distinguishable_from": " ".join(map(str, judged.like)),
        "too_slow": "yes" if judged.too_slow else "no",
        "training": point.training,
    }


def content(explored: Explored) -> dict[str, Any]:
    """explore.json without its provenance."""
    return {
        "schema": 1,
        "search": {
            "method": explored.method,
            "possible_trainings": explored.possible,
            "trainings": explored.done,
            "seed": explored.options.seed,
        },
        "layouts": [
            {
                "name": each.name,
                "architecture": each.architecture.name,
                "parallelism": each.architecture.parallelism,
            }
            for each in explored.layouts
        ],
        "points": [_point(each) for each in explored.points],
        "front": [each.number for each in front_of(explored.points)],
        "failed": [{"training": each.training, "reason": each.reason} for each in explored.failed],
        "sentences": list(explored.sentences),
    }


def _point(judged: Judged) -> dict[str, Any]:
    point = judged.point
    found, costs = point.estimate, point.costs
    return {
        "point": judged.number,
        "training": point.training,
        "options": dict(point.varied),
        "layout": point.layout,
        "accuracy": {
            "value": found.value,
            "stderr": found.stderr,
            "interval95": list(found.interval95),
            "by_seed": list(found.by_seed),
            "test_images": found.images,
            "kind": "simulated",
        },
        "energy_per_inference_J": costs.energy,
        "area_mm2": costs.area * 1e6,
        "latency_s": costs.latency,
        "leakage_W": costs.leakage,
        "macs": costs.macs,
        "on_front": judged.on_front,
        "front_probability": judged.probability,
        "dominated_by": judged.dominated_by,
        "too_slow": judged.too_slow,
        "not_distinguishable_from": list(judged.like),
    }
