"""MNIST with LeNet-5: all products and the update on streams, against floating point."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.training_grid import Work, place, share

SEEDS, LENGTHS, EPOCHS = (1, 2, 3), (256, 64), 6
FLOAT, LOSSES = 0.989, {256: 0.003, 64: 0.010}


def run(work: Work) -> dict[str, Any]:
    """Train three seeds at each length; the bars are for the mean over the seeds, bit by bit."""
    found = work.grid(
        "accuracy",
        [
            f"stream_length={','.join(map(str, LENGTHS))}",
            f"seed={','.join(map(str, SEEDS))}",
        ],
        [f"epochs={EPOCHS}", "exact_images=10000"],
    )
    print(f"{'N':>5} {'seed':>4}   float   SC exact  SC moments  SC net in float  mapped, exact")
    rows = []
    for length in LENGTHS:
        for seed in SEEDS:
            training = found[place(stream_length=length, seed=seed)]
            row = {
                "stream_length": length,
                "seed": seed,
                "float": share(training, "float", "float"),
                "sc_exact": share(training, "sc", "exact"),
                "sc_moments": share(training, "sc", "moments"),
                "sc_in_float": share(training, "sc", "float"),
                "mapped_exact": share(training, "float", "exact"),
            }
            rows.append(row)
            values = [f"{100 * row[name]:.2f} %" for name in list(row)[2:]]
            print(f"{length:5d} {seed:4d}   " + "   ".join(values))
    plain = float(np.mean([row["float"] for row in rows if row["stream_length"] == LENGTHS[0]]))
    verdict = [
        {
            "asked": f"float >= {100 * FLOAT:.1f} % (mean of {len(SEEDS)} seeds)",
            "reached": f"{100 * plain:.2f} %",
            "met": plain >= FLOAT,
        }
    ]
    for length, bar in LOSSES.items():
        ours = float(np.mean([row["sc_exact"] for row in rows if row["stream_length"] == length]))
        verdict.append(
            {
                "asked": f"SC, N = {length}, bit by bit, within {100 * bar:.1f} points of float",
                "reached": f"{100 * ours:.2f} %, {100 * (plain - ours):+.2f} points lost",
                "met": plain - ours <= bar,
            }
        )
    first = next(iter(found.values()))
    return {
        "shows": "LeNet-5 on MNIST (60,000/10,000), 6 epochs: forward, input gradient, weight "
        "gradient and the SGD-momentum update on streams of devices with the D2D spread of "
        "cells.nc, not calibrated; evaluated bit by bit on all 10,000 test images",
        "conditions": first.attributes["conditions"],
        "optimiser": first.attributes["optimiser"],
        "rows": rows,
        "verdict": verdict,
    }
