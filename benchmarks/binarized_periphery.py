"""What else a chip has: stuck devices, read noise, converters, wires; one at a time.

At ratio 10 and a spread of 30 %, for the BNN as mapped and for the mitigated network (as of
``binarized_accuracy``, but not tuned). Wires are solved exactly in tiles of 64 x 64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.binarized_networks import FIRST_COPIES, R_ON, Bench, Kept, networks
from devices.binary_states import BinaryStates
from formats.progress import steps
from system.binarized.pairs import Pairs
from system.images import Images

STATES = BinaryStates.of_spread(R_ON, 10, 0.3, 0.3)
IMAGES, CHIPS = 1000, 3
WIRED_CHIPS = 1
CHANGES: dict[str, dict[str, Any]] = {
    "nothing else": {},
    "1 % stuck ON": {"stuck_on": 0.01},
    "1 % stuck OFF": {"stuck_off": 0.01},
    "5 % stuck OFF": {"stuck_off": 0.05},
    "read noise 5 %": {"read_noise": 0.05},
    "read noise 20 %": {"read_noise": 0.2},
    "ADC 8 bits, tiles of 128 rows": {"adc_bits": 8},
    "ADC 6 bits, tiles of 128 rows": {"adc_bits": 6},
    "ADC 4 bits, tiles of 128 rows": {"adc_bits": 4},
    "reference columns": {"mapping": "reference"},
    "wires of 20 ohm": {"segment": 20.0, "tile_rows": 64, "tile_columns": 64},
}
WAYS = {
    "mapped": ("bnn", 1, "none"),
    "calibrated": ("bnn", 1, "calibrated"),
    "mitigated, not tuned": ("aware, copies", FIRST_COPIES, "calibrated"),
}


def run(images: Images) -> dict[str, Any]:
    """Measure, print, and return the content of the result file."""
    kept = Kept("periphery")
    benches = {name: Bench(one, images, kept) for name, one in networks(images).items()}
    found: dict[str, dict[str, list[float]]] = {}
    with steps("periphery", len(CHANGES) * len(WAYS)) as step:
        for label, change in CHANGES.items():
            found[label] = {}
            for name, (network, copies, treatment) in WAYS.items():
                step(f"{label}, {name}")
                pairs = Pairs(STATES, first_copies=copies, **change)
                chips = WIRED_CHIPS if pairs.segment else CHIPS
                found[label][name] = benches[network].shares(pairs, treatment, IMAGES, chips)
            told = "   ".join(
                f"{name} {100 * np.mean(row):.1f}" for name, row in found[label].items()
            )
            print(f"{label:>30}: {told} %", flush=True)
    return {
        "shows": f"accuracy on {IMAGES} test images, {CHIPS} chips ({WIRED_CHIPS} with wires), "
        "ratio 10, spread 30 %",
        "ways": {name: list(way) for name, way in WAYS.items()},
        "accuracy": found,
        "verdict": [],
    }
