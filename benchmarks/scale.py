"""Size: ten million rows fitted, ten thousand cells swept, and what one point of each kind costs.

    python -m benchmarks.scale             # about 25 minutes on two quiet cores
    python -m benchmarks.scale --part 2    # one part: 1 rows, 2 sweep, 3 unit costs

Work that is done is kept in out/benchmarks/scale*.jsonl and not done again. Writes
benchmarks/results/scale_rows.json, scale_sweep.json and scale_costs.json; docs/scale.md reckons
with them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks import scale_costs, scale_rows, scale_sweep

PARTS = {1: scale_rows.main, 2: scale_sweep.main, 3: scale_costs.main}


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--part", type=int, choices=PARTS)
    part = parser.parse_args().part
    if part:
        PARTS[part]()
        return
    for number in PARTS:  # each in a process of its own: children are counted as large as these
        command = [sys.executable, "-m", "benchmarks.scale", "--part", str(number)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
