"""What the bit streams must show, in four parts; each prints its comparison and writes its result.

1. Products on packed words against the popcount ceiling, numpy and a float-per-bit simulator
   (``bitstream_products``).
2. Generation of bits: ideal and from the device (``bitstream_sources``).
3. LeNet-5: bit-exact forward (``bitstream_lenet``), training step in moments
   (``bitstream_training_step``).
4. Moment mode against exact mode (``bitstream_agreement``).

    .venv/bin/python -m benchmarks.bitstream [--part N ...]

Contenders alternate in one run, so that the ratios hold on a busy machine too; the rates do not.
Exit code 1 where a figure misses what was asked.
"""

from __future__ import annotations

import argparse
import importlib

from benchmarks.common import write_result

PARTS = {
    "1": ("products",),
    "2": ("sources",),
    "3": ("lenet", "training_step"),
    "4": ("agreement",),
}


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", action="append", choices=PARTS, help="one part (may be repeated)")
    options = parser.parse_args()
    missed = 0
    for part in options.part or PARTS:
        for name in PARTS[part]:
            print(f"== part {part}: {name.replace('_', ' ')}")
            content = importlib.import_module(f"benchmarks.bitstream_{name}").run()
            for row in content["verdict"]:
                reached = row["reached"]
                shown = f"{reached:.4g}" if isinstance(reached, float) else reached
                print(f"{'met   ' if row['met'] else 'MISSED'} {row['asked']}: {shown}")
                missed += not row["met"]
            print(f"wrote {write_result(f'bitstream_{name}', content)}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
