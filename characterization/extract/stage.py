"""The extraction as one function: device.json in, cells.nc out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xarray as xr

from characterization.extract.logic.character import (
    LogicFault,
    characterise_flip_flop,
    characterise_gate,
    composition_error,
    gates_of_macs,
)
from characterization.extract.sng.bench import Bench
from characterization.extract.sng.character import (
    SngCharacter,
    characterise,
    read_disturb,
    write_window,
)
from characterization.extract.tables import gate_group, mac_group, register_group, sng_group
from circuits.logic.gates import GATES
from circuits.mac.bit_cells import MACS
from circuits.ratings import Stress
from circuits.simulator import EngineMissing, SimulationError, Simulator, executable_version
from circuits.sng.cell import SngDesign
from devices.cbram import CBRAM
from devices.technology import TECHNOLOGIES, Technology
from formats.cells import write_cells
from formats.device import read_device
from formats.errors import InputError
from formats.json_file import read_text
from formats.provenance import provenance, sha256_file
from formats.seeds import generator

RATING_MARGIN = 0.10
"""V kept between the highest write voltage and the I/O transistors' rating, for edge spikes."""
SAME_TEMPERATURE = 5.0
"""K between a law without an activation energy and the technology, within which it is taken as it
is: at 0.6 eV tau changes by half over so much."""
LARGEST_READ_DISTURB = 1e-3
"""Probability of a SET by one read pulse beyond which the cell is refused."""
LARGEST_READ_ERROR = 1e-2
"""Share of devices read wrongly beyond which the cell is refused."""
DEFAULT_MAC = "sign_magnitude_counter"
SOURCE = ("formats", "devices", "circuits", "characterization")
LIBRARIES = ("numpy", "scipy", "sympy", "xarray", "h5netcdf", "h5py", "PySpice")
STEPS = 4 + 6 + len(MACS)
"""Calls of ``progress`` in one run."""


@dataclass(frozen=True)
class ExtractOptions:
    """What can be asked of the stage.

    ``pulse_width`` (s) is that of the write pulse, ``reset_voltage`` (V) the source line's in
    RESET, ``compliance_gate`` (V) the word line's in the write phase, ``io_width`` (m) that of the
    I/O transistors, ``write_voltage_max`` (V) the highest write voltage (None: what the ratings
    allow, less a margin), ``points`` the first grid of write voltages, ``dac_bits`` the
    resolution of the write voltage. ``cell_voltage`` takes a ``1t1r`` law as one of the bare
    device.
    """

    device: Path
    output: Path = Path("out")
    technology: str = "cmos40lp"
    pulse_width: float = 100e-6
    reset_voltage: float = SngDesign.reset_voltage
    compliance_gate: float = SngDesign.compliance_gate
    io_width: float = SngDesign.io_width
    write_voltage_max: float | None = None
    points: int = 25
    dac_bits: int = 10
    cell_voltage: bool = False
    jobs: int = 2
    seed: int = 0


def stage_provenance(options: ExtractOptions) -> dict[str, Any]:
    """What the result depends on; the chain compares it without running the stage."""
    inputs = {"device.json": sha256_file(options.device)}
    fit = _fit_beside(options.device)
    if fit is not None:
        inputs["fit.json"] = sha256_file(fit)
    try:
        inputs["ngspice"] = executable_version()
    except EngineMissing as error:
        raise InputError("ngspice", str(error)) from error
    return provenance(
        stage="extract",
        inputs=inputs,
        options={
            "technology": options.technology,
            "pulse_width_s": options.pulse_width,
            "reset_voltage_V": options.reset_voltage,
            "compliance_gate_V": options.compliance_gate,
            "io_width_m": options.io_width,
            "write_voltage_max_V": options.write_voltage_max,
            "points": options.points,
            "dac_bits": options.dac_bits,
            "cell_voltage": options.cell_voltage,
        },
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )


def run(options: ExtractOptions, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Simulate the cells and write ``cells.nc``; returns its path.

    Raises :class:`InputError` for a bad device or option, a violated rating, or a missing engine.
    """
    content = read_device(options.device)
    fitted = CBRAM.from_dict({key: content[key] for key in content if key != "provenance"})
    technology = _technology(options)
    design = _design(options, fitted)
    device = at_technology(fitted, technology, options.device)
    fit = _fit_beside(options.device)
    try:
        with Simulator(options.jobs) as simulator:
            bench = Bench(simulator, device, technology, design)
            groups = {"sng": _sng(bench, options, progress)}
            groups |= _logic(simulator, technology, options.seed, progress)
        groups["sng"].attrs["law_temperature_K"] = fitted.set.reference_temperature
    except EngineMissing as error:
        raise InputError("ngspice", str(error)) from error
    except (SimulationError, LogicFault) as error:
        raise InputError(options.device, f"the cells could not be simulated: {error}") from error
    # The device of the cells: what reads it later must not move it a second time.
    text = read_text(options.device)
    if device != fitted:
        text = json.dumps({**device.to_dict(), "provenance": content["provenance"]}, indent=2)
    path = options.output / "cells.nc"
    attributes = {
        "device_json": text,
        "fit_json": "" if fit is None else read_text(fit),
        "technology": technology.name,
        "default_mac": DEFAULT_MAC,
        "provenance": json.dumps(stage_provenance(options), sort_keys=True),
    }
    write_cells(path, attributes, groups)
    return path


def at_technology(device: CBRAM, technology: Technology, where: str | Path) -> CBRAM:
    """The device with its SET law at the technology's temperature.

    A law with an activation energy is moved there; one without stays as it is, and raises
    :class:`InputError` where it was fitted more than ``SAME_TEMPERATURE`` away.
    """
    law, kelvin = device.set, technology.temperature
    if law.activation is not None:
        return replace(device, set=law.at_temperature(kelvin))
    if abs(law.reference_temperature - kelvin) <= SAME_TEMPERATURE:
        return device
    raise InputError(
        where,
        f"its SET law holds at {law.reference_temperature:g} K and has no activation energy (Ea), "
        f"but the technology {technology.name} is at {kelvin:g} K; fit data taken within "
        f"{SAME_TEMPERATURE:g} K of that, or at two or more temperatures, which gives Ea",
    )


def _sng(bench: Bench, options: ExtractOptions, progress: Callable[[str], None]) -> xr.Dataset:
    highest = options.write_voltage_max
    if highest is None:
        highest = bench.technology.transistors["pmos_io"].rating - RATING_MARGIN
    try:
        window = write_window(bench.device, bench.design, highest)
    except ValueError as error:
        raise InputError(options.device, str(error)) from error
    _refuse_read_disturb(options, bench, window[0])
    character = characterise(bench, window, highest, options.points, progress)
    _refuse_weak_write(options, bench, character)
    _refuse_read_errors(options, bench, character)
    _refuse_failed_reset(options, character)
    refuse_violations(options.device, "SNG", character.worst)
    return sng_group(character, bench.device, bench.technology, options.dac_bits)


def _logic(
    simulator: Simulator, technology: Technology, seed: int, progress: Callable[[str], None]
) -> dict[str, xr.Dataset]:
    gates, groups = {}, {}
    for name in gates_of_macs():
        progress(f"transitions of {name}")
        gates[name] = characterise_gate(simulator, technology, GATES[name])
        refuse_violations(technology.name, name, (gates[name].worst,))
        groups[name] = gate_group(name, gates[name], technology)
    progress("flip-flop")
    register = characterise_flip_flop(simulator, technology)
    refuse_violations(technology.name, "dff", (register.worst,))
    groups["dff"] = register_group(register, technology)
    for name, mac in MACS.items():
        progress(f"MAC {name}")
        random = generator(seed, "extract", "mac vectors", name)
        error, worst = composition_error(simulator, technology, mac, gates, random)
        refuse_violations(technology.name, name, (worst,))
        groups[name] = mac_group(mac, gates, error, technology)
    return groups


def refuse_violations(where: str | Path, cell: str, found: tuple[Stress, ...]) -> None:
    """Raise :class:`InputError` naming the transistor that leaves its rating."""
    for stress in found:
        if stress.violated:
            raise InputError(
                where,
                f"cell {cell}, transistor {stress}; lower the voltages (of an SNG: "
                "--write-voltage-max, --reset-voltage)",
            )


def _refuse_read_disturb(options: ExtractOptions, bench: Bench, low: float) -> None:
    disturb = read_disturb(bench, low)
    if disturb > LARGEST_READ_DISTURB:
        raise InputError(
            options.device,
            f"reading at the core supply, {bench.technology.supply:g} V, would SET the device with "
            f"P = {disturb:.2g} (at most {LARGEST_READ_DISTURB:g}); it needs a lower read voltage "
            "than this SNG has",
        )


def _refuse_failed_reset(options: ExtractOptions, character: SngCharacter) -> None:
    if character.reset_probability <= 0.0:
        raise InputError(
            options.device,
            f"RESET never succeeds: {character.design.reset_time:.3g} s at "
            f"-{character.design.reset_voltage:.3g} V through I/O transistors "
            f"{character.design.io_width:.3g} m wide give the LRS too little exposure; "
            "raise --io-width or --reset-voltage",
        )


def _refuse_weak_write(options: ExtractOptions, bench: Bench, character: SngCharacter) -> None:
    reached = float(bench.device.set.probability_of_exposure(character.exposure)[-1])
    if reached < 0.5:
        raise InputError(
            options.device,
            f"the bit probability reaches only {reached:.2g} at {character.voltages[-1]:.3g} V, "
            "the highest write voltage: the write path takes too much of it from an HRS of "
            f"{bench.device.conduction.r_hrs.value:.3g} ohm; raise --io-width, "
            "--compliance-gate or --pulse-width",
        )


def _refuse_read_errors(options: ExtractOptions, bench: Bench, character: SngCharacter) -> None:
    conduction = bench.device.conduction
    for name, error, value in (
        ("HRS as 1", character.read_one_of_hrs, conduction.r_hrs.value),
        ("LRS as 0", character.read_zero_of_lrs, conduction.r_lrs.value),
    ):
        if error > LARGEST_READ_ERROR:
            raise InputError(
                options.device,
                f"the sense stage flips at {character.flip_resistance:.3g} ohm and would read a "
                f"share of {error:.2g} of the devices' {name} (median {value:.3g} ohm, at most "
                f"{LARGEST_READ_ERROR:g}); such devices are stuck, not noisy",
            )


def _technology(options: ExtractOptions) -> Technology:
    if options.technology not in TECHNOLOGIES:
        raise InputError(
            "--technology", f"{options.technology!r} is unknown; there is {', '.join(TECHNOLOGIES)}"
        )
    return TECHNOLOGIES[options.technology]


def _design(options: ExtractOptions, device: CBRAM) -> SngDesign:
    bounds = {
        "pulse_width": (1e-8, 10.0, "s"),
        "reset_voltage": (0.1, 10.0, "V"),
        "compliance_gate": (0.1, 10.0, "V"),
        "io_width": (0.2e-6, 100e-6, "m"),
        "write_voltage_max": (1.0, 20.0, "V"),
        "points": (3, 200, ""),
        "dac_bits": (2, 16, "bits"),
        "jobs": (1, 1024, ""),
    }
    for name, (low, high, unit) in bounds.items():
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            expected = f"expected {low:g} to {high:g} {unit}".strip()
            raise InputError(f"--{name.replace('_', '-')}", f"{value:g}; {expected}")
    if device.reset is not None:
        raise InputError(
            options.device,
            "it has a stochastic RESET law; the energies of failed RESETs are not extracted yet, "
            "so only an ideal RESET (reset: null) is taken",
        )
    if device.voltage_reference == "1t1r" and not options.cell_voltage:
        raise InputError(
            options.device,
            "its voltages are those of transistor and device together (1t1r), the SNG needs that "
            "of the device alone; --cell-voltage takes them as equal",
        )
    return SngDesign(
        write_time=options.pulse_width,
        reset_voltage=options.reset_voltage,
        compliance_gate=options.compliance_gate,
        io_width=options.io_width,
    )


def _fit_beside(device: Path) -> Path | None:
    """The fit.json the device came with, if it lies beside it."""
    path = Path(device).with_name("fit.json")
    return path if path.is_file() else None
