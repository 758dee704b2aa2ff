"""Round numbers in the shape of what a report.json may or may not hold."""

from __future__ import annotations

from typing import Any

SOURCE = "derived: round numbers of a test"


def worn() -> list[dict[str, Any]]:
    """Accuracy with worn-out devices."""
    places = [(0.0, None), *((share, state) for share in (1e-3, 1e-2) for state in ("LRS", "HRS"))]
    return [
        {
            "failed": "none" if share == 0 else f"{100 * share:g} %",
            "share": share,
            "stuck": state,
            "accuracy": 0.95 - 5 * share,
            "interval95": [0.93 - 5 * share, 0.97 - 5 * share],
            "by_seed": [0.95],
            "test_images": 400,
            "source": "simulated: test",
        }
        for share, state in places
    ]


def baselines() -> dict[str, Any]:
    known = {"ratio": [1e3, 2e3], "orders": [3.0, 3.3]}
    sources = {"area": SOURCE, "energy": None}
    sums = {"area_mm2": 14.0, "energy_per_inference_J": 1e-6, "latency_s": 0.1}
    return {
        "products_per_inference": 4e5,
        "products_per_training_step": 1e6,
        "units": [
            {"name": "FP32", "area_um2": [6950.0, 13330.0], "source": {"area": SOURCE}},
        ],
        "arrays": [{"unit": "FP32", "layout": "as fast as ours", "area_mm2": [0.1, 0.2]}],
        "equal_precision_rule": SOURCE,
        "orders": [
            {
                "mac": "bare_cell",
                "form": "alone",
                "baseline": baseline,
                "area_um2": 0.0768,
                "area": known,
                "area_time_at_equal_precision": None,
                "energy_at_equal_precision": known,
                "source": sources,
            }
            for baseline in ("FP32", "int8")
        ],
        "stochastic_cmos": {
            "memristive": sums,
            "lfsr": sums,
            "changed_lines": [{"item": "SNGs", "area_mm2": 1.0, "area_source": SOURCE}],
            "difference": "The LFSRs differ in the generators.",
        },
        "synthesised": {
            "made": "synthesised by a test",
            "designs": [{"name": "fp32", "area_um2": 7000.0, "source": SOURCE}],
        },
        "verdict": ["Five orders hold for a bare cell only."],
    }
