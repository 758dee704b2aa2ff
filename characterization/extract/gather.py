"""The groups of cells.nc at all conditions; a condition at which ngspice fails is left out.

Each function returns its groups with the conditions that are there, and what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import xarray as xr

from characterization.extract.check.table import check_table
from characterization.extract.column.character import characterise_column
from characterization.extract.conditions import Conditions
from characterization.extract.faults import Missing, attempt
from characterization.extract.library import (
    COLUMN,
    Library,
    characterise_library,
    characterise_timings,
    chosen,
)
from characterization.extract.logic.results import Timing
from characterization.extract.options import ExtractOptions
from characterization.extract.refusals import (
    refuse_failed_reset,
    refuse_read_disturb,
    refuse_read_errors,
    refuse_violations,
    refuse_weak_write,
)
from characterization.extract.sng.bench import Bench
from characterization.extract.sng.character import characterise
from characterization.extract.sng.exposure import Each, write_window
from characterization.extract.tables.column import column_group
from characterization.extract.tables.logic import (
    gate_group,
    mac_group,
    reference_group,
    register_group,
)
from characterization.extract.tables.sng import Converter, sng_group
from circuits.logic.cell import REGISTER
from circuits.logic.gates import GATES
from circuits.mac.base import Mac
from circuits.simulator import SimulationError, Simulator
from devices.cbram import CBRAM
from devices.technology import Technology
from formats.errors import InputError

RATING_MARGIN = 0.10
"""V kept between the highest write voltage and the transistors' rating, for edge spikes."""
Item = TypeVar("Item")
Found = TypeVar("Found")


def in_parallel(jobs: int) -> Each:
    """Do something for every item, ``jobs`` at a time, results in the items' order."""

    def each(function: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
        import joblib

        # Threads: they wait for the simulator's processes, which do the work.
        parallel = joblib.Parallel(n_jobs=min(jobs, len(items)), backend="threading")
        return list(parallel(joblib.delayed(function)(item) for item in items))

    return each


def sng_cells(
    benches: Sequence[Bench],
    conditions: Conditions,
    options: ExtractOptions,
    each: Each,
    progress: Callable[[str], None],
) -> tuple[xr.Dataset, list[Missing]]:
    """The SNG on one bench per condition, in the order of ``conditions``."""
    first = benches[0]
    highest = options.write_voltage_max
    if highest is None:
        role = "pmos_io" if first.design.path == "io" else "pmos"
        highest = first.technology.transistors[role].ratings.lowest - RATING_MARGIN
    windows = []
    for bench in benches:
        try:
            windows.append(write_window(bench.device, bench.design, highest))
        except ValueError as error:
            raise InputError(options.device, f"at {bench.where}: {error}") from error
    low, high = min(low for low, _ in windows), max(high for _, high in windows)
    refuse_weak_write(options.device, benches[conditions.nominal], highest)
    each(lambda b: b.attempt(lambda: refuse_read_disturb(options.device, b, low)), benches)
    refuse_read_errors(options.device, benches[conditions.nominal])
    found, missed = characterise(benches, (low, high), highest, options.points, each, progress)
    characters = [character for character in found if character is not None]
    missing = [
        Missing("sng", *condition, bench.faults[0])
        for condition, bench in zip(conditions, benches, strict=True)
        if bench.faults
    ]
    left = frozenset((one.pulse_width or 0.0, one.temperature, one.corner) for one in missing)
    conditions = replace(conditions, without=left)
    refuse_failed_reset(options.device, characters[conditions.nominal])
    for character in characters:
        refuse_violations(options.device, "SNG", (character.worst,))
    converter = Converter(options.dac_bits, options.supply_noise)
    group = sng_group(characters, conditions, missed, converter)
    if not options.check:
        return group, missing
    nominal, faults = characters[conditions.nominal], list[SimulationError]()
    checked = attempt(
        lambda: check_table(nominal, seed=options.seed, progress=progress),
        "comparison with Monte Carlo",
        faults,
        essential=False,
    )
    if checked is None:
        there = nominal.bench.technology
        word = "comparison with Monte Carlo"
        one = Missing(word, options.pulse_width[0], there.temperature, there.corner, faults[0])
        return group, [*missing, one]
    group = group.assign(checked.variables()).assign_coords(check=checked.coordinate())
    return group.assign_attrs(check_lines="\n".join(checked.lines)), missing


def logic_cells_of(
    simulator: Simulator,
    technology: Technology,
    conditions: Conditions,
    options: ExtractOptions,
    each: Each,
    progress: Callable[[str], None],
) -> tuple[dict[str, xr.Dataset], list[Library], Conditions, list[Missing]]:
    """Gates, MACs and conventional CMOS; the libraries are those of the conditions returned."""
    cells, _ = chosen(options.cells)
    macs = [cell for cell in cells.values() if isinstance(cell, Mac)]

    environments = conditions.environments
    essential = environments[conditions.nominal_environment]
    faults: dict[tuple[float, str], list[SimulationError]] = {one: [] for one in environments}

    def at(environment: tuple[float, str], work: Callable[[], Found]) -> Found | None:
        kelvin, corner = environment
        what = f"logic at {corner}, {kelvin:g} K"
        return attempt(work, what, faults[environment], environment == essential)

    def one(environment: tuple[float, str]) -> Library | None:
        kelvin, corner = environment
        checked = macs if environment == essential else ()
        there = technology.at(corner, kelvin)
        return at(
            environment,
            lambda: characterise_library(simulator, there, checked, options.seed, progress),
        )

    found = dict(zip(environments, each(one, environments), strict=True))
    by_place = {place: library for place, library in found.items() if library is not None}
    nominal = by_place[essential]
    for library in by_place.values():
        stresses = {name: gate.worst for name, gate in library.gates.items()}
        stresses |= {REGISTER: library.register.worst}
        stresses |= {name: check.worst for name, check in library.checks.items()}
        for name, worst in stresses.items():
            refuse_violations(technology.name, name, (worst,))

    def timed(environment: tuple[float, str]) -> dict[str, Timing] | None:
        kelvin, corner = environment
        progress(f"{corner}, {kelvin:g} K: delays")
        library = by_place[environment]
        return at(environment, lambda: characterise_timings(simulator, library, nominal))

    by_timing = dict(zip(by_place, each(timed, list(by_place)), strict=True))
    timings = [timing for timing in by_timing.values() if timing is not None]
    libraries = [by_place[place] for place, timing in by_timing.items() if timing is not None]
    conditions = replace(
        conditions, without_logic=frozenset(place for place in environments if faults[place])
    )
    missing = [
        Missing("logic", None, *place, faults[place][0]) for place in environments if faults[place]
    ]
    missing += [
        Missing(f"check of {name}", None, *essential, error)
        for name, error in nominal.unchecked.items()
    ]
    progress("MACs and conventional CMOS")
    groups = {
        name: register_group(libraries, conditions)
        if name == REGISTER
        else gate_group(name, libraries, timings, conditions)
        for name in GATES
    }
    for name, cell in cells.items():
        if isinstance(cell, Mac):
            groups[name] = mac_group(cell, libraries, conditions, options.seed)
        else:
            groups[name] = reference_group(cell, libraries, conditions, options.seed)
    return groups, libraries, conditions, missing


def column_cell(
    simulator: Simulator,
    devices: Mapping[float, CBRAM],
    libraries: Sequence[Library],
    conditions: Conditions,
    options: ExtractOptions,
    progress: Callable[[str], None],
) -> tuple[dict[str, xr.Dataset], dict[str, str], list[Missing]]:
    """The in-memory column at all conditions, or why this device cannot be put into one."""
    if not chosen(options.cells)[1]:
        return {}, {}, []
    characters = []
    for (kelvin, corner), library in zip(conditions.environments, libraries, strict=True):
        progress(f"{corner}, {kelvin:g} K: in-memory column")
        try:
            there, faults = library.technology, list[SimulationError]()
            character = attempt(
                lambda: characterise_column(simulator, devices[kelvin], there),  # noqa: B023
                f"{COLUMN} at {corner}, {kelvin:g} K",
                faults,
                essential=False,
            )
        except InputError as error:
            return {}, {COLUMN: f"at {kelvin:g} K, {corner}: {error.problem}"}, []
        if character is None:
            return {}, {}, [Missing(COLUMN, None, kelvin, corner, faults[0])]
        characters.append(character)
    return {COLUMN: column_group(characters, libraries, conditions)}, {}, []
