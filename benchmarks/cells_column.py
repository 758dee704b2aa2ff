"""The in-memory column: usable n, count errors against Monte Carlo, write schemes, group writes.

Shows, for both presets, the largest n whose counts hold P(wrong) <= 1e-2 and an rms error <= 0.5
against R_HRS/R_LRS and sigma of ln R_LRS; the count error by quadrature against 100,000 columns
drawn cell by cell (each solved by its own ladder) and the sense voltage against full ngspice
transients of drawn columns; what each write scheme takes and risks; and the law of the number of
cells that one pulse through a shared driver switches, against drawn thresholds.

    .venv/bin/python -m benchmarks.cells_column [--draws 100000]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.common import write_result
from characterization.extract.column.character import (
    GROUP_PROBABILITIES,
    GROUP_RESISTANCES,
    ColumnCharacter,
    characterise_column,
    sense_at,
)
from characterization.extract.column.counts import CellSpread, Sense, count_statistics
from characterization.extract.column.ladder import solve_ladder
from characterization.extract.column.usable import RATIOS, SIGMAS, usable_map
from characterization.extract.column.write import PROBABILITIES, group_rates
from circuits.mac.column import column_circuit, column_deck, column_design, read_start
from circuits.simulator import Simulator
from devices.cbram import CBRAM
from devices.presets import PRESETS
from devices.technology import CMOS40LP
from formats.seeds import generator

SEED = 0
LARGEST_Z = 5.0
"""Standard errors allowed between quadrature and draws (5.7e-7 each)."""
LARGEST_STEP = 0.02
"""Steps from count to count allowed between nodal solution and ngspice."""
CASES = ((8, 100.0, 0.1, 0.5), (8, 10.0, 0.3, 0.9), (16, 100.0, 0.1, 0.5), (16, 10.0, 0.2, 0.9))
"""Cells, R_HRS/R_LRS, sigma of ln R_LRS, P(word-line bit) of the Monte Carlo."""


def drawn(
    cells: CellSpread, sense: Sense, n: int, b: float, draws: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Products, their true number and the sense voltage (V), noise and offset included."""
    stored, word = random.random((draws, n)) < 0.5, random.random((draws, n)) < b
    z = random.standard_normal((draws, n))
    lrs = 1 / (cells.r_lrs * np.exp(cells.sigma_ln_r_lrs * z) + cells.on_lrs)
    hrs = 1 / (cells.r_hrs * np.exp(cells.sigma_ln_r_hrs * z) + cells.on_hrs)
    off = np.where(stored, cells.off_lrs, cells.off_hrs)
    seen, _ = solve_ladder(
        np.where(word, np.where(stored, lrs, hrs), off), sense.wire, sense.ground
    )
    sigma = np.hypot(sense.noise_sigma, sense.offset_sigma)
    voltage = sense.voltage(seen) + sigma * random.standard_normal(draws)
    return stored & word, np.sum(stored & word, axis=1), voltage


def count_rows(column: ColumnCharacter, device: CBRAM, draws: int) -> list[dict[str, Any]]:
    """Quadrature and Monte Carlo side by side."""
    rows = []
    for n, ratio, sigma, b in CASES:
        cells = replace(column.cells, r_hrs=ratio * column.cells.r_lrs, sigma_ln_r_lrs=sigma)
        sense = sense_at(device, column.design, column.sense, 1.0)(n)
        start = time.perf_counter()
        exact = count_statistics(cells, sense, n, 0.5, b)
        seconds = time.perf_counter() - start
        random = generator(SEED, "column", n, str(ratio), str(sigma))
        _, k, voltage = drawn(cells, sense, n, b, draws, random)
        error = np.sum(voltage[:, None] < exact.threshold, axis=1) - k
        wrong, square = error != 0, error.astype(float) ** 2
        z = [
            (np.mean(values) - value) / (np.std(values) / np.sqrt(draws))
            for values, value in (
                (wrong, exact.mean_error_probability),
                (square, exact.rms_error**2),
                (error, float(exact.product_law @ exact.mean)),
            )
        ]
        rows.append(
            {
                "n": n,
                "ratio": ratio,
                "sigma_ln_r_lrs": sigma,
                "word_probability": b,
                "p_wrong": exact.mean_error_probability,
                "p_wrong_drawn": float(np.mean(wrong)),
                "rms": exact.rms_error,
                "rms_drawn": float(np.sqrt(np.mean(square))),
                "z": [float(value) for value in z],
                "seconds": seconds,
            }
        )
    return rows


def circuit_error(
    simulator: Simulator, column: ColumnCharacter, device: CBRAM, n: int, repeats: int
) -> float:
    """Largest distance of nodal solution and ngspice over drawn columns, in steps."""
    design = replace(column_design(device, CMOS40LP, n), read_voltage=column.design.read_voltage)
    sense, cells = sense_at(device, column.design, column.sense, 1.0)(n), column.cells
    random = generator(SEED, "column circuits", n)
    worst = 0.0
    for _ in range(repeats):
        states, words = random.integers(0, 2, (2, n))
        lrs = cells.r_lrs * np.exp(cells.sigma_ln_r_lrs * random.standard_normal(n))
        hrs = cells.r_hrs * np.exp(cells.sigma_ln_r_hrs * random.standard_normal(n))
        circuit = column_circuit(
            device, CMOS40LP, design, states.tolist(), words.tolist(), (), list(lrs), list(hrs)
        )
        run = simulator.run(column_deck(circuit, design))
        found = float(np.interp(read_start(design), run.time, run["v(sn)"]))
        on = np.where(states == 1, 1 / (lrs + cells.on_lrs), 1 / (hrs + cells.on_hrs))
        off = np.where(states == 1, cells.off_lrs, cells.off_hrs)
        seen, _ = solve_ladder(np.where(words == 1, on, off), sense.wire, sense.ground)
        both = sense.voltage(np.array([seen, seen + 1 / (cells.r_lrs + cells.on_lrs)]))
        worst = max(worst, abs(found - float(both[0])) / float(both[0] - both[1]))
    return worst


def scheme_rows(column: ColumnCharacter) -> list[dict[str, Any]]:
    """The write schemes at P = 1/2."""
    half = int(np.flatnonzero(PROBABILITIES == 0.5)[0])
    return [
        {
            "scheme": scheme.name,
            "control_V": _number(scheme.control[half]),
            "time_s": scheme.time,
            "energy_per_cell_J": float(scheme.energy[half]),
            "slope_per_V": float(scheme.slope[half]),
            "sigma_p_threshold": float(scheme.sigma_threshold[half]),
            "sigma_p_r_hrs": float(scheme.sigma_r_hrs[half]),
            "half_select_V": scheme.disturb_voltage,
            "half_select_set": scheme.disturb_set,
            "half_select_reset": scheme.disturb_reset,
            "half_selected": scheme.disturbed,
            "word_line_V": scheme.word_line,
            "borne": scheme.borne,
            "worst": scheme.stress,
        }
        for scheme in column.schemes.values()
    ]


def group_rows(column: ColumnCharacter, device: CBRAM, draws: int) -> list[dict[str, Any]]:
    """The number of cells switched by one pulse, against drawn thresholds."""
    rows = []
    width, n = column.design.write_time, column.fan_in
    for i, shared in enumerate(GROUP_RESISTANCES):
        for j, alone in enumerate(GROUP_PROBABILITIES):
            rates = group_rates(device, column.access, n, float(column.group_voltages[j]), shared)
            random = generator(SEED, "group", i, j)
            ordered = np.sort(device.set.sample_thresholds(random, (draws, n)), axis=1)
            times = np.cumsum(np.diff(ordered, axis=1, prepend=0.0) / rates, axis=1)
            k = np.sum(times <= width, axis=1)
            found = np.bincount(k, minlength=n + 1) / draws
            exact = column.group_writes[i][j]
            error = np.sqrt(np.maximum(exact.counts * (1 - exact.counts), 1 / draws) / draws)
            rows.append(
                {
                    "shared_ohm": shared,
                    "p_alone": alone,
                    "p": exact.marginal,
                    "correlation": _number(exact.correlation),
                    "p_drawn": float(k.mean()) / n,
                    "largest_z": float(np.max(np.abs(found - exact.counts) / error)),
                }
            )
    return rows


def report(name: str, content: dict[str, Any], column: ColumnCharacter) -> None:
    """Print the tables of one device."""
    d = column.design
    print(f"\n{name}: {d.cells} cells, {d.access_role}, read at {d.read_voltage:g} V, ", end="")
    print(f"write {d.write_time:g} s; characterised in {content['seconds']:.1f} s")
    print(
        f"  cell {column.cell_area * 1e12:.4g} um2, with its share of the sense stage "
        f"{column.area * 1e12:.4g} um2; read {column.energy[5, 5] * 1e15:.3g} fJ per product bit, "
        f"{column.delay * 1e9:.3g} ns"
    )
    print("  usable n by share of the comparator's offset left:", content["usable"])
    for label in ("trimmed", "untrimmed"):
        print(f"  usable n ({label}); columns: sigma ln R_LRS {SIGMAS}")
        for ratio, row in zip(RATIOS, content[f"usable_map_{label}"], strict=True):
            print(f"    R_HRS/R_LRS {ratio:6g}: " + " ".join(f"{n:3d}" for n in row))
    print("  count errors, quadrature / drawn")
    for row in content["counts"]:
        print(
            f"    n {row['n']:2d} ratio {row['ratio']:4g} sigma {row['sigma_ln_r_lrs']:4g} "
            f"b {row['word_probability']:3g}: P(wrong) {row['p_wrong']:.5f} / "
            f"{row['p_wrong_drawn']:.5f}, rms {row['rms']:.4f} / {row['rms_drawn']:.4f}, "
            f"|z| <= {max(map(abs, row['z'])):.1f}, {row['seconds'] * 1e3:.0f} ms"
        )
    print("  ngspice against nodal solution, in steps:", content["circuit_error"])
    for row in content["schemes"]:
        print(
            f"    {row['scheme']:18} {row['time_s']:.3g} s, {row['energy_per_cell_J']:.3g} J, "
            f"dP/dV {row['slope_per_V']:.3g}, sigma P {row['sigma_p_threshold']:.2g} (Vt) "
            f"{row['sigma_p_r_hrs']:.2g} (R_HRS), half-select {row['half_select_V']:.3g} V: "
            f"SET {row['half_select_set']:.1g}, RESET {row['half_select_reset']:.1g}, "
            f"{'borne' if row['borne'] else 'NOT borne'}"
        )
    worst = max(row["largest_z"] for row in content["group"])
    print(
        f"  group writes, {len(content['group'])} cases against drawn thresholds: "
        f"|z| <= {worst:.1f}"
    )
    for row in content["group"]:
        if row["p_alone"] == 0.5:
            print(
                f"    shared {row['shared_ohm']:8g} ohm: P 0.5 alone -> {row['p']:.4f}, "
                f"correlation {row['correlation']:.4f}"
            )


def one(name: str, simulator: Simulator, draws: int) -> tuple[dict[str, Any], ColumnCharacter]:
    """Everything about one preset."""
    device = PRESETS[name]()
    start = time.perf_counter()
    column = characterise_column(simulator, device, CMOS40LP)
    seconds = time.perf_counter() - start
    maps = {
        label: usable_map(column.cells, sense_at(device, column.design, column.sense, share))
        for label, share in (("trimmed", 0.1), ("untrimmed", 1.0))
    }
    return {
        "seconds": seconds,
        "usable": {f"{share:g}": curve.usable for share, curve in column.curves.items()},
        "curves": {
            f"{share:g}": {
                "n": curve.sizes.tolist(),
                "p_wrong": curve.error_probability.tolist(),
                "p_wrong_worst_count": curve.worst_error_probability.tolist(),
                "rms": curve.rms_error.tolist(),
            }
            for share, curve in column.curves.items()
        },
        "usable_map_trimmed": maps["trimmed"].tolist(),
        "usable_map_untrimmed": maps["untrimmed"].tolist(),
        "counts": count_rows(column, device, draws),
        "circuit_error": {
            f"n={n}": circuit_error(simulator, column, device, n, 6) for n in (8, 16)
        },
        "schemes": scheme_rows(column),
        "reset": {
            "cell_V": column.reset.cell_voltage,
            "probability": column.reset.probability,
            "time_s": column.reset.time,
            "energy_per_cell_J": column.reset.energy,
        },
        "group": group_rows(column, device, draws),
        "cell_area_m2": column.cell_area,
        "area_m2": column.area,
        "energy_per_product_bit_J": float(column.energy[5, 5]),
        "energy_parts_J": dict(column.energy_parts),
        "line_drop_far_end": float(column.line_drop[-1]),
    }, column


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def main() -> int:
    """Run, print, write benchmarks/results/cells_column.json; exit code 1 where a claim fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=100_000, help="columns drawn a case")
    options = parser.parse_args()
    contents: dict[str, Any] = {}
    with Simulator() as simulator:
        for name in PRESETS:
            contents[name], column = one(name, simulator, options.draws)
            report(name, contents[name], column)
    z = [abs(v) for c in contents.values() for row in c["counts"] for v in row["z"]]
    z += [row["largest_z"] for c in contents.values() for row in c["group"]]
    steps = [v for c in contents.values() for v in c["circuit_error"].values()]
    failed = max(z) > LARGEST_Z or max(steps) > LARGEST_STEP
    print(f"\nlargest |z| {max(z):.2f} (at most {LARGEST_Z:g}), ", end="")
    print(f"largest circuit error {max(steps):.3f} steps (at most {LARGEST_STEP:g})")
    result = {
        "shows": "usable n, count errors, write schemes and group writes of an in-memory column",
        "draws": options.draws,
        "ratios": list(RATIOS),
        "sigmas": list(SIGMAS),
        "largest_z": max(z),
        "largest_circuit_error_steps": max(steps),
        "devices": contents,
    }
    print(f"wrote {write_result('cells_column', result)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
