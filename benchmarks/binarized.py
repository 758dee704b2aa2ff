"""What binarized networks on memristors must show; each part prints its comparison.

1. MNIST, 60,000 and 10,000 images: floating point, binarized (BNN), mapped onto drawn devices, and
   the same with mitigations, against the spreads of R_ON and R_OFF and their ratio; five chips each
   (``binarized_accuracy``).
2. What else a chip has: stuck devices, read noise, converters, wires (``binarized_periphery``).
3. A tile of the mapped network in ngspice (``binarized_tile``).
4. Speed: drawing 160,032 devices, tiled inference beside a figure of MemTorch, epochs
   in floating point and binarized (``binarized_speed``).

    .venv/bin/python -m benchmarks.binarized [--part N ...]

Trained networks and read chips are kept in out/benchmarks/binarized/: a run that was stopped goes
on where it was. Exit code 1 where a figure misses what was asked.
"""

from __future__ import annotations

import argparse
import importlib

from benchmarks.common import measured_data, write_result
from system.images import load_images
from system.train.allocation import keep_freed_memory

PARTS = {"1": "accuracy", "2": "periphery", "3": "tile", "4": "speed"}


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", action="append", choices=PARTS, help="one part (may be repeated)")
    options = parser.parse_args()
    folder = measured_data("mnist")
    if folder is None:
        print("MNIST's four IDX files: absent; set STOCHRAM_DATA")
        return 2
    keep_freed_memory()  # before JAX starts, as the stage does
    images = load_images(folder)
    missed = 0
    for part in options.part or PARTS:
        name = PARTS[part]
        print(f"== part {part}: {name}")
        content = importlib.import_module(f"benchmarks.binarized_{name}").run(images)
        for row in content["verdict"]:
            print(f"{'met   ' if row['met'] else 'MISSED'} {row['asked']}: {row['reached']}")
            missed += not row["met"]
        print(f"wrote {write_result(f'binarized_{name}', content)}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
