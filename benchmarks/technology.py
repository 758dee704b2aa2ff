"""Do the transistors of the technologies meet their targets? Target against simulated, in one run.

Prints and writes benchmarks/results/technology.json: the targets of cmos40lp (and of freepdk45
where its package is installed) at the typical corner and 300 K, the same figures at every corner
at 300 and 358 K, the I/O classes, what a threshold shift does, cell areas, named costs.

    python -m benchmarks.technology
"""

from __future__ import annotations

from dataclasses import asdict, astuple
from typing import Any

from benchmarks.common import write_result
from circuits.foundry import load_technology
from circuits.foundry.figures import TransistorFigures, fo4_delay, transistor_figures
from circuits.simulator import Simulator, executable_version
from devices.technology import Technology
from devices.technology.costs import charge_pump, level_shifter
from devices.technology.targets import TARGETS
from formats.errors import InputError

TEMPERATURES = (300.0, 358.0)
CORE = ("nmos", "pmos")
IO = ("nmos_io", "pmos_io")


def figures_of(simulator: Simulator, technology: Technology) -> dict[str, float]:
    """Every figure of the core by "figure role" ("fo4" has no role)."""
    found = {"fo4": fo4_delay(simulator, technology)}
    for role in CORE:
        for figure, value in asdict(transistor_figures(simulator, technology, role)).items():
            found[f"{figure} {role}"] = value
    return found


def against_targets(technology: Technology, found: dict[str, float]) -> list[dict[str, Any]]:
    """Print and return each target beside what was simulated."""
    rows = []
    print(f"\n{technology.name}, {technology.corner}, {technology.temperature:g} K")
    print(f"{'figure':16}{'target':>11}{'simulated':>12}{'ratio':>8}  unit       met  source")
    for target in TARGETS.get(technology.name, ()):
        key = " ".join(filter(None, (target.figure, target.role)))
        value = found[key]
        met = target.met_by(value)
        print(
            f"{key:16}{target.value:11.4g}{value:12.4g}{value / target.value:8.3f}  "
            f"{target.unit:10} {'yes' if met else 'NO':4} {target.source}"
        )
        rows.append({**asdict(target), "simulated": value, "met": met})
    return rows


def conditions(simulator: Simulator, technology: Technology) -> list[dict[str, Any]]:
    """The core at every corner and temperature."""
    rows = []
    print(
        f"\n{'corner':8}{'K':>5}{'Ion n, p (uA/um)':>20}{'Ioff n, p (pA/um)':>22}{'FO4 (ps)':>10}"
    )
    for corner in technology.corners:
        for temperature in TEMPERATURES:
            found = figures_of(simulator, technology.at(corner, temperature))
            print(
                f"{corner:8}{temperature:5g}{found['ion nmos']:12.1f}{found['ion pmos']:8.1f}"
                f"{found['ioff nmos'] * 1e6:12.4g}{found['ioff pmos'] * 1e6:10.4g}"
                f"{found['fo4'] * 1e12:10.2f}"
            )
            rows.append({"corner": corner, "temperature_K": temperature, **found})
    return rows


def io_classes(simulator: Simulator, technology: Technology) -> list[dict[str, Any]]:
    """The I/O transistors and the named costs of every class."""
    rows = []
    print("\nI/O class: Ion (uA/um), threshold (V), rated (V), length (um); named costs")
    for name in technology.io_classes:
        chosen = technology.with_io(name)
        found = {role: transistor_figures(simulator, chosen, role) for role in IO}
        shifter, pump = level_shifter(chosen), charge_pump(chosen, chosen.io_supply, 10e-6)
        for role, f in found.items():
            t = chosen.transistors[role]
            print(
                f"{name:>4} {role:8}{_short(f)}  rated {t.ratings.vgs:g}/{t.ratings.vgd:g}/"
                f"{t.ratings.vds:g}  L {t.length * 1e6:g}"
            )
        print(
            f"     level shifter {shifter.area * 1e12:.2f} um2, "
            f"{shifter.energy_per_transition * 1e15:.1f} fJ; pump {pump.stages} stages, "
            f"efficiency {pump.efficiency:.2f}"
        )
        rows.append(
            {
                "class": name,
                **{role: asdict(f) for role, f in found.items()},
                "level_shifter": asdict(shifter),
                "charge_pump_10uA": asdict(pump),
            }
        )
    return rows


def _short(f: TransistorFigures) -> str:
    return f"Ion {f.ion:7.1f}  Ioff {f.ioff * 1e6:9.3g} pA/um  Vt {f.vt_linear:.3f}"


def areas(technology: Technology) -> dict[str, Any]:
    """The table of cell areas."""
    print(f"\n{'cell':12}{'pitches':>8}{'derived':>9}{'published':>10}{'used':>8}{'ratio':>7}  um2")
    rows = {}
    for name, cell in technology.gate_area_table.items():
        pitches, derived, published = astuple(cell)
        print(
            f"{name:12}{pitches:8d}{derived * 1e12:9.3f}{published * 1e12:10.3f}"
            f"{cell.used * 1e12:8.3f}{cell.ratio:7.2f}"
        )
        rows[name] = {**asdict(cell), "used": cell.used, "ratio": cell.ratio}
    return rows


def main() -> None:
    """Run everything."""
    result: dict[str, Any] = {"ngspice": executable_version()}
    with Simulator() as simulator:
        for name in TARGETS:
            try:
                technology = load_technology(name)
            except InputError as error:
                print(f"\n{error}")
                result[name] = {"absent": str(error)}
                continue
            result[name] = {
                "targets": against_targets(technology, figures_of(simulator, technology)),
                "conditions": conditions(simulator, technology),
                "io": io_classes(simulator, technology),
                "areas": areas(technology),
            }
    print(f"\nwritten: {write_result('technology', result).name}")


if __name__ == "__main__":
    main()
