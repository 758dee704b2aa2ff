"""The extraction as one function: device.json in, cells.nc out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from characterization.extract.column.access import compliance_gate
from characterization.extract.conditions import Conditions
from characterization.extract.export.liberty import write_liberty
from characterization.extract.export.subcircuits import write_subcircuits
from characterization.extract.export.verilog import write_verilog
from characterization.extract.figures.all import write_figures
from characterization.extract.gather import (
    column_cell,
    in_parallel,
    logic_cells_of,
    sng_cells,
)
from characterization.extract.library import (
    DEFAULT_MAC,
    chosen,
)
from characterization.extract.options import (
    ExtractOptions,
    check_numbers,
    conditions_of,
    design_of,
    device_at,
    refuse_unused_activation,
    refuse_unwritable,
    technology_of,
)
from characterization.extract.page.page import write_page
from characterization.extract.sng.bench import Bench
from characterization.extract.sng.sense import matched_sense, trip_resistance
from circuits.logic.gates import GATES
from circuits.mac.base import Mac
from circuits.mac.column import ColumnDesign
from circuits.simulator import (
    EngineMissing,
    SimulationError,
    Simulator,
    executable_version,
    library_identity,
    library_path,
)
from circuits.sng.design import SngDesign
from devices.cbram import CBRAM
from devices.technology import Technology
from formats.cells import Cells, write_cells
from formats.device import read_device
from formats.errors import InputError
from formats.json_file import read_json, read_text
from formats.provenance import provenance, sha256_bytes, sha256_file

LIBRARY_FOLDER = "cells"
"""Folder of Liberty, Verilog and SPICE libraries, in the output folder."""
PAGE = "cells.html"
READ_DISTURB = 1e-5
"""Probability of a SET by one read that is taken without lowering the read voltage."""
REFERENCE_SHARE = 0.35
"""Of a lowered read voltage: the comparator's reference."""
TRIP_TOLERANCE = 0.2
"""Of ln(resistance): how far the sense amplifier may trip from the middle of the two states."""
SOURCE = ("formats", "devices", "circuits", "characterization")
LIBRARIES = ("numpy", "scipy", "sympy", "xarray", "h5netcdf", "h5py", "PySpice")


def stage_provenance(options: ExtractOptions) -> dict[str, Any]:
    """What the result depends on; the chain compares it without running the stage."""
    inputs = {"device.json": sha256_file(options.device)}
    fit = _fit_beside(options.device)
    if fit is not None:
        inputs["fit.json"] = sha256_file(fit)
    try:
        inputs["ngspice"] = executable_version()
        inputs["libngspice"] = library_identity(library_path())
    except EngineMissing as error:
        raise InputError("ngspice", str(error)) from error
    technology = technology_of(options)
    # Its numbers and the text of its models: the name of a technology.toml tells neither.
    inputs["technology"] = sha256_bytes(repr(technology).encode())
    return provenance(
        stage="extract",
        inputs=inputs,
        options={
            "technology": technology.name,
            "pulse_width_s": list(options.pulse_width),
            "temperature_K": list(options.temperatures or ()),
            "corner": list(options.corners),
            "reset_voltage_V": options.reset_voltage,
            "compliance_gate_V": options.compliance_gate,
            "io_class": options.io_class,
            "io_width_m": options.io_width,
            "conditional_reset": options.conditional_reset,
            "order": list(options.order),
            "write_voltage_max_V": options.write_voltage_max,
            "points": options.points,
            "dac_bits": options.dac_bits,
            "supply_noise_V": options.supply_noise,
            "activation_energy_eV": options.activation_energy,
            "cell_voltage": options.cell_voltage,
            "cells": None if options.cells is None else list(options.cells),
            "check": options.check,
            "figures": options.figures,
        },
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )


def step_count(options: ExtractOptions) -> int:
    """Calls of ``progress`` in one run."""
    cells, column = chosen(options.cells)
    macs = sum(isinstance(cell, Mac) for cell in cells.values())
    environments = len(options.temperatures or (None,)) * len(options.corners)
    sng = 1 + 3 * environments * len(options.pulse_width)
    return sng + environments * (len(GATES) + 1 + column) + macs + 2


def run(options: ExtractOptions, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Simulate the cells and write ``cells.nc``; returns its path.

    Raises :class:`InputError` for a bad device or option, a violated rating, or a missing engine.
    """
    content = read_device(options.device)
    fitted = CBRAM.from_dict({key: content[key] for key in content if key != "provenance"})
    check_numbers(options)
    refuse_unused_activation(options, fitted)
    refuse_unwritable(options.output)
    technology = technology_of(options)
    conditions = conditions_of(options, technology)
    design = design_of(options, fitted, technology)
    devices = {
        kelvin: device_at(fitted, kelvin, options.activation_energy, options.device)
        for kelvin in conditions.temperatures
    }
    record = stage_provenance(options)
    try:
        with Simulator(options.jobs) as simulator:
            design = _compliant(simulator, technology, design, options)
            design = _undisturbing(design, technology, devices.values())
            design = _sensed(simulator, technology, design, fitted, options.device)
            benches = [
                Bench(
                    simulator,
                    devices[kelvin],
                    technology.at(corner, kelvin),
                    replace(design, write_time=width),
                    essential=place == conditions.nominal,
                )
                for place, (width, kelvin, corner) in enumerate(conditions)
            ]
            each = in_parallel(options.jobs)
            sng, missing = sng_cells(benches, conditions, options, each, progress)
            logic, libraries, there, gaps = logic_cells_of(
                simulator, technology, conditions, options, each, progress
            )
            missing += gaps
            column, left_out, gaps = column_cell(
                simulator, devices, libraries, there, options, progress
            )
            missing += gaps
            groups = {"sng": sng, **logic, **column}
            rescued = simulator.rescued
    except EngineMissing as error:
        raise InputError("ngspice", str(error)) from error
    except SimulationError as error:
        raise InputError(options.device, f"the cells could not be simulated: {error}") from error
    groups["sng"].attrs["law_temperature_K"] = fitted.set.reference_temperature
    # The device of the cells: what reads it later must not move it a second time.
    device = benches[conditions.nominal].device
    text = read_text(options.device)
    if device != fitted:
        text = json.dumps({**device.to_dict(), "provenance": content["provenance"]}, indent=2)
    fit = _fit_beside(options.device)
    path = options.output / "cells.nc"
    attributes = {
        "device_json": text,
        "fit_json": "" if fit is None else read_text(fit),
        "technology": technology.name,
        "default_mac": DEFAULT_MAC,
        "left_out": json.dumps(left_out),
        "missing": json.dumps([one.to_dict() for one in missing]),
        "rescued": json.dumps(rescued),
        "provenance": json.dumps(record, sort_keys=True),
    }
    progress("libraries and report")
    write_cells(path, attributes, groups)
    cells = Cells(path, sha256_file(path), attributes, groups)
    _write_libraries(cells, technology, conditions, options)
    return path


def _write_libraries(
    cells: Cells, technology: Technology, conditions: Conditions, options: ExtractOptions
) -> None:
    """What a digital flow, a simulator and a reader take, beside cells.nc."""
    folder = options.output / LIBRARY_FOLDER
    logic = list(chosen(options.cells)[0].values())
    write_liberty(cells, technology, folder)
    write_verilog(folder, logic)
    for kelvin, corner in conditions.environments:
        name = f"{technology.name}_{corner}_{kelvin:g}K_cells.lib"
        write_subcircuits(technology.at(corner, kelvin), folder, logic, name)
    if options.figures:
        write_figures(cells, folder)
    write_page(cells, options.output / PAGE)


def _compliant(
    simulator: Simulator, technology: Technology, design: SngDesign, options: ExtractOptions
) -> SngDesign:
    """The design with the word line of the write phase set by the current it lets pass."""
    if options.compliance_gate is not None or design.path != "io":
        return design
    access = ColumnDesign(access_role="nmos_io", access_width=design.io_width)
    try:
        return replace(design, compliance_gate=compliance_gate(simulator, technology, access))
    except ValueError as error:
        raise InputError("--io-width", str(error)) from error


def _undisturbing(design: SngDesign, technology: Technology, devices: Iterable[CBRAM]) -> SngDesign:
    """The design at the highest read voltage, up to the core supply, that SETs no HRS."""
    bounds = []
    for device in devices:
        rare = device.set.exposure_of_probability(np.array([READ_DISTURB]))
        bounds.append(float(device.set.voltage_of_exposure(rare, design.read_time)[0]))
    highest = min(bounds)
    if highest >= technology.supply:
        return design
    level = math.floor(highest * 1e3) / 1e3
    return replace(design, read_voltage=level, reference=REFERENCE_SHARE * level)


def _sensed(
    simulator: Simulator,
    technology: Technology,
    design: SngDesign,
    device: CBRAM,
    where: Path,
) -> SngDesign:
    """The design with a sense amplifier that trips between the device's two resistances."""
    conduction = device.conduction
    wanted = math.sqrt(conduction.r_lrs.value * conduction.r_hrs.value)
    trip = trip_resistance(simulator, technology, design)
    if abs(math.log(trip / wanted)) < TRIP_TOLERANCE:
        return design
    try:
        return matched_sense(simulator, technology, design, conduction)
    except ValueError as error:
        raise InputError(where, str(error)) from error


def _fit_beside(device: Path) -> Path | None:
    """The fit.json the device came with, if it lies beside it.

    Raises :class:`InputError` for one of another fit, as a kill between both files leaves it.
    """
    path = Path(device).with_name("fit.json")
    if not path.is_file():
        return None
    if read_json(path, "fit")["provenance"] != read_device(device)["provenance"]:
        raise InputError(
            path,
            f"is of another fit than {device}; fit again, or take fit.json away to extract without",
        )
    return path
