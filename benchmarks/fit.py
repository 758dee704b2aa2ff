"""Everything the fit must show, printed in one run beside its peers.

1. Recovery: coverage of 95 % intervals over 2,000 synthetic data sets of each kind and of
   populations; how often ``auto`` picks the true family.
2. Speed beside lifelines and surpyval (``pip install .[bench]``), a million rows, a population.
3. Same bits in numpy, ngspice and VACASK: ``python -m benchmarks.bits``, run from here.
4. Closed loop: ngspice, then fit.
5. The measured sweeps, where they are present.

    .venv/bin/python -m benchmarks.fit [--part 1 2 ...] [--sets 2000] [--jobs 2]

A run that was stopped goes on where it was. Results: benchmarks/results/fit_PART.json.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import fit_loop, fit_measured, fit_population, fit_recovery, fit_speed
from benchmarks.common import STATE, write_result


def recovery(options: argparse.Namespace) -> dict[str, Any]:
    """Part 1."""
    seeds = f"seeds 0 to {options.sets - 1}"
    print(f"  95 % profile intervals of 3 parameters, {options.sets} data sets a kind, {seeds}")
    return {
        "shows": "coverage of 95 % intervals, and the family that auto picks",
        "kinds": fit_recovery.coverage(options.sets, options.jobs),
        "population": population_coverage(options),
        "auto": fit_recovery.family_choice(min(500, options.sets), options.jobs),
    }


def population_coverage(options: argparse.Namespace) -> dict[str, Any]:
    """50 devices x 50 pulses, sigma_ln_tau and sigma_ln_V0 by profile likelihood."""
    result = {}
    for family in fit_population.LAWS:
        result[family] = fit_population.coverage(family, options.sets, options.jobs)
        told = ", ".join(f"{n} {100 * r['coverage']:.1f} %" for n, r in result[family].items())
        count = f"{len(result[family])} parameters, {options.sets} sets, seeds 0 and up"
        print(f"  population, {family}: {told}; {count}", flush=True)
    return result


def population_speed() -> dict[str, Any]:
    """1,000 devices x 100 pulses."""
    result = {family: fit_population.speed(family) for family in fit_population.LAWS}
    for family, one in result.items():
        print(
            f"  population of 1,000 devices x 100 pulses, {family}: {one['seconds']:.1f} s with "
            f"all models and profile intervals ({one['model']})"
        )
    return result


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Part 2."""
    return {
        "shows": "time of a fit beside its peers, in one run",
        "peers": fit_speed.beside_peers(),
        "million": fit_speed.million_rows(),
        "population": population_speed(),
    }


def bits(options: argparse.Namespace) -> None:
    """Part 3; writes its own result."""
    command = [sys.executable, "-m", "benchmarks.bits", "--jobs", str(options.jobs)]
    subprocess.run(command, check=True)


def loop(options: argparse.Namespace) -> dict[str, Any]:
    """Part 4."""
    return {"shows": "ngspice to fit and back", **fit_loop.closed_loop(options.jobs)}


def measured(options: argparse.Namespace) -> dict[str, Any] | None:
    """Part 5."""
    found = fit_measured.report(STATE / "measured")
    return None if found is None else {"shows": "the measured sweeps", **found}


PARTS: dict[int, tuple[str, Callable[[argparse.Namespace], dict[str, Any] | None]]] = {
    1: ("recovery", recovery),
    2: ("speed", speed),
    3: ("bits", bits),
    4: ("loop", loop),
    5: ("measured", measured),
}


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", type=int, nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--sets", type=int, default=2000, help="data sets of each kind")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    for part in options.part:
        name, run = PARTS[part]
        print(f"{part}. {name}", flush=True)
        content = run(options)
        if content is not None:
            print(f"  wrote {write_result(f'fit_{name}', content)}", flush=True)


if __name__ == "__main__":
    main()
