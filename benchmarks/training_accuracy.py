"""MNIST with LeNet-5: all products and the update on streams, against floating point."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.training_grid import Work, place, share

SEEDS, LENGTHS, EPOCHS = (1, 2, 3), (256, 64), 6
FLOAT, LOSSES = 0.989, {256: 0.003, 64: 0.010}
READBACKS = 64
"""Of the calibration that the longest streams are trained with once more."""


def run(work: Work) -> dict[str, Any]:
    """Train three seeds at each length, and the longest once more with calibrated SNGs.

    The bars are for the mean over the seeds, bit by bit.
    """
    found = work.grid(
        "accuracy",
        [
            f"stream_length={','.join(map(str, LENGTHS))}",
            f"seed={','.join(map(str, SEEDS))}",
        ],
        [f"epochs={EPOCHS}", "exact_images=10000"],
    )
    calibrated = work.grid(
        "accuracy-calibrated",
        [f"seed={','.join(map(str, SEEDS))}"],
        [
            f"epochs={EPOCHS}",
            "exact_images=10000",
            f"stream_length={LENGTHS[0]}",
            f"calibrate={READBACKS}",
        ],
    )
    print(f"{'N':>5} {'seed':>4}   float   SC exact  SC moments  SC net in float  mapped, exact")
    cells = [
        (length, seed, 0, found[place(stream_length=length, seed=seed)])
        for length in LENGTHS
        for seed in SEEDS
    ]
    cells += [(LENGTHS[0], seed, READBACKS, calibrated[place(seed=seed)]) for seed in SEEDS]
    rows = []
    for length, seed, readbacks, training in cells:
        row = {
            "stream_length": length,
            "seed": seed,
            "readbacks": readbacks,
            "float": share(training, "float", "float"),
            "sc_exact": share(training, "sc", "exact"),
            "sc_moments": share(training, "sc", "moments"),
            "sc_in_float": share(training, "sc", "float"),
            "mapped_exact": share(training, "float", "exact"),
        }
        rows.append(row)
        values = [f"{100 * row[name]:.2f} %" for name in list(row)[3:]]
        said = f"   calibrated by {readbacks} read-backs" if readbacks else ""
        print(f"{length:5d} {seed:4d}   " + "   ".join(values) + said)
    plain = float(np.mean([row["float"] for row in rows if row["stream_length"] == LENGTHS[0]]))
    verdict = [
        {
            "asked": f"float >= {100 * FLOAT:.1f} % (mean of {len(SEEDS)} seeds)",
            "reached": f"{100 * plain:.2f} %",
            "met": plain >= FLOAT,
        }
    ]
    for length, readbacks in [*((length, 0) for length in LENGTHS), (LENGTHS[0], READBACKS)]:
        bar = LOSSES[length]
        losses = [
            row["float"] - row["sc_exact"]
            for row in rows
            if (row["stream_length"], row["readbacks"]) == (length, readbacks)
        ]
        lost, error = np.mean(losses), np.std(losses, ddof=1) / np.sqrt(len(losses))
        said = f"calibrated by {readbacks} read-backs" if readbacks else "not calibrated"
        verdict.append(
            {
                "asked": f"SC, N = {length}, {said}, bit by bit, within {100 * bar:.1f} points",
                "reached": f"{100 * (plain - lost):.2f} %, {100 * lost:+.2f} +- "
                f"{100 * error:.2f} points lost (mean and standard error of the seeds)",
                "met": bool(lost <= bar),
            }
        )
    first = next(iter(found.values()))
    return {
        "shows": "LeNet-5 on MNIST (60,000/10,000), 6 epochs: forward, input gradient, weight "
        "gradient and the SGD-momentum update on streams of devices with the D2D spread of "
        "cells.nc, not calibrated, and once calibrated; evaluated bit by bit on all 10,000 "
        "test images",
        "conditions": first.attributes["conditions"],
        "optimiser": first.attributes["optimiser"],
        "rows": rows,
        "verdict": verdict,
    }
