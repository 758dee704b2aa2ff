"""Accuracy against stream length: trained on streams or mapped after, counter or MUX adder."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.training_grid import Work, place, share

LENGTHS = (16, 32, 64, 128, 256, 512, 1024)
MACS = {"sign_magnitude_counter": "counter", "bipolar_mux": "MUX"}
SHARED = (64, 256)
"""Lengths also trained with all images, in ``training_accuracy``."""
EXACT_IMAGES = 500


def run(work: Work) -> dict[str, Any]:
    """10,000 training images, 3 epochs, one seed."""
    found = work.grid(
        "lengths",
        [f"mac={','.join(MACS)}", f"stream_length={','.join(map(str, LENGTHS))}"],
        ["train_images=10000", "epochs=3", f"exact_images={EXACT_IMAGES}"],
    )
    rows = []
    print(f"{'adder':>8} {'N':>5}   float   trained SC   mapped   trained SC, exact  mapped, exact")
    for mac, word in MACS.items():
        for length in LENGTHS:
            training = found[place(mac=mac, stream_length=length)]
            row = {
                "adder": word,
                "stream_length": length,
                "float": share(training, "float", "float"),
                "sc": share(training, "sc", "moments"),
                "mapped": share(training, "float", "moments"),
                "sc_exact": share(training, "sc", "exact"),
                "mapped_exact": share(training, "float", "exact"),
            }
            rows.append(row)
            shown = [f"{100 * row[name]:.2f} %" for name in list(row)[2:]]
            print(f"{word:>8} {length:5d}   " + "   ".join(shown))
    by_counter = [row["sc"] for row in rows if row["adder"] == "counter"]
    noise = 2 * np.sqrt(0.03 * 0.97 / 10_000)
    rising = bool(np.all(np.diff(by_counter) > -noise))
    apart = max(abs(row["sc"] - row["sc_exact"]) for row in rows)
    bound = 4 * np.sqrt(0.25 / EXACT_IMAGES)
    return {
        "shows": "accuracy against the stream length, LeNet-5, 10,000 MNIST images, 3 epochs, one "
        "seed, tested on 10,000 by moments and on 500 bit by bit; the lengths "
        f"{SHARED} are those of training_accuracy with all images",
        "rows": rows,
        "verdict": [
            {
                "asked": "accuracy of the counter rises with N (within its error)",
                "reached": ", ".join(f"{100 * value:.1f}" for value in by_counter),
                "met": rising,
            },
            {
                "asked": f"moments and bits agree within {100 * bound:.1f} points (4 sigma)",
                "reached": f"largest difference {100 * apart:.1f} points",
                "met": bool(apart <= bound),
            },
        ],
    }
