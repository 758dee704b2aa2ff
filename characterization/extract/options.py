"""What can be asked of the extraction, checked, and turned into conditions and designs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from characterization.extract.conditions import Conditions
from circuits.foundry import load_technology
from circuits.sng.design import SngDesign
from devices.cbram import CBRAM
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.technology import Technology
from formats.errors import InputError

CORE = "core"
"""The I/O class that means core transistors."""
SAME_TEMPERATURE = 5.0
"""K between a law without an activation energy and the technology, within which it is taken as it
is: at 0.6 eV tau changes by half over so much."""
BOUNDS = {
    "pulse_width": (1e-8, 10.0, "s"),
    "reset_voltage": (0.1, 10.0, "V"),
    "compliance_gate": (0.1, 10.0, "V"),
    "io_width": (0.12e-6, 100e-6, "m"),
    "write_voltage_max": (0.5, 20.0, "V"),
    "supply_noise": (0.0, 1.0, "V"),
    "activation_energy": (0.01, 5.0, "eV"),
    "points": (3, 200, ""),
    "dac_bits": (2, 16, "bits"),
    "jobs": (1, 1024, ""),
    "seed": (0, 2**32 - 1, ""),
}
"""Smallest and largest value of each number."""


@dataclass(frozen=True)
class ExtractOptions:
    """What can be asked of the stage.

    ``pulse_width`` (s) are those of the write pulse, the first one nominal; ``temperatures`` (K;
    None: the technology's) and ``corners`` the conditions. ``reset_voltage`` (V) is the source
    line's in RESET (None: 1.5 V, or the core supply on core transistors), ``compliance_gate`` (V)
    the word line's in the write phase (None: what gives a compliance current, by simulation; on
    core transistors their supply), ``io_class`` the transistors of the write path (None: the
    technology's own), ``io_width`` (m) their width, ``write_voltage_max`` (V) the highest write
    voltage (None: what the ratings allow, less a margin), ``points`` the first grid of write
    voltages, ``dac_bits`` the resolution of the write voltage, ``supply_noise`` (V rms) its
    deviation from stream to stream. ``activation_energy`` (eV) is assumed for laws without one.
    ``cell_voltage`` takes a ``1t1r`` law as one of the bare device. ``cells`` names what is
    extracted beside the SNG (None: everything). ``check`` compares P with Monte Carlo. ``figures``
    writes the pictures of the page as files too.
    """

    device: Path
    output: Path = Path("out")
    technology: str = "cmos40lp"
    pulse_width: tuple[float, ...] = (100e-6,)
    temperatures: tuple[float, ...] | None = None
    corners: tuple[str, ...] = ("tt",)
    reset_voltage: float | None = None
    compliance_gate: float | None = None
    io_class: str | None = None
    io_width: float = SngDesign.io_width
    conditional_reset: bool = SngDesign.conditional_reset
    order: tuple[str, ...] = SngDesign.order
    write_voltage_max: float | None = None
    points: int = 25
    dac_bits: int = 10
    supply_noise: float = 5e-3
    activation_energy: float | None = None
    cell_voltage: bool = False
    cells: tuple[str, ...] | None = None
    check: bool = False
    figures: bool = False
    jobs: int = 2
    seed: int = 0


def check_numbers(options: ExtractOptions) -> None:
    """Raise :class:`InputError` for a number out of its bounds."""
    for name, (low, high, unit) in BOUNDS.items():
        given = getattr(options, name)
        for value in given if isinstance(given, tuple) else (given,):
            if value is not None and not low <= value <= high:
                expected = f"expected {low:g} to {high:g} {unit}".strip()
                raise InputError(f"--{name.replace('_', '-')}", f"{value:g}; {expected}")
    for name in ("pulse_width", "temperatures", "corners"):
        values = getattr(options, name)
        option = f"--{name.replace('_', '-')}"
        if values is not None and not values:
            raise InputError(option, "is empty; expected one value or several by commas")
        if values is not None and len(set(values)) != len(values):
            raise InputError(option, f"{', '.join(map(str, values))}: a value is repeated")


def refuse_unwritable(folder: Path) -> None:
    """Raise :class:`InputError` where no file can be written into a folder, made or to be made."""
    place = Path(folder).absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise InputError("--output", f"{folder}: {place.name or place} is no folder to write into")


def technology_of(options: ExtractOptions) -> Technology:
    """The technology with the I/O class asked for; raises :class:`InputError`."""
    technology = load_technology(options.technology)
    if options.io_class in (None, CORE):
        return technology
    try:
        return technology.with_io(options.io_class)
    except ValueError as error:
        raise InputError("--io-class", str(error)) from error


def conditions_of(options: ExtractOptions, technology: Technology) -> Conditions:
    """All conditions; raises :class:`InputError` for one that the technology does not have."""
    conditions = Conditions(
        options.pulse_width, options.temperatures or (technology.temperature,), options.corners
    )
    for temperature, corner in conditions.environments:
        try:
            technology.at(corner, temperature)
        except ValueError as error:
            raise InputError("--corners, --temperatures", str(error)) from error
    return conditions


def design_of(options: ExtractOptions, device: CBRAM, technology: Technology) -> SngDesign:
    """The SNG with the first pulse width; raises :class:`InputError`."""
    if device.voltage_reference == "1t1r" and not options.cell_voltage:
        raise InputError(
            options.device,
            "its voltages are those of transistor and device together (1t1r), the SNG needs that "
            "of the device alone; --cell-voltage takes them as equal",
        )
    if options.conditional_reset and device.set.family.name != "exponential":
        raise InputError(
            "--conditional-reset",
            f"the SET law is {device.set.family.name}: a device left in HRS would carry its "
            "exposure from bit to bit, which the tables do not hold; only the exponential law "
            "forgets it",
        )
    core = options.io_class == CORE
    reset_voltage, gate = options.reset_voltage, options.compliance_gate
    if reset_voltage is None:
        reset_voltage = technology.supply if core else SngDesign.reset_voltage
    if gate is None:
        gate = technology.supply if core else SngDesign.compliance_gate
    try:
        return SngDesign(
            write_time=options.pulse_width[0],
            reset_voltage=reset_voltage,
            compliance_gate=gate,
            io_width=options.io_width,
            path="core" if options.io_class == CORE else "io",
            order=options.order,
            conditional_reset=options.conditional_reset,
        )
    except ValueError as error:
        raise InputError("--order", str(error)) from error


def refuse_unused_activation(options: ExtractOptions, device: CBRAM) -> None:
    """Raise :class:`InputError` where every law has an activation energy of its own."""
    laws = [law for law in (device.set, device.reset) if law is not None]
    if options.activation_energy is not None and all(law.activation for law in laws):
        raise InputError(
            "--activation-energy",
            f"{options.activation_energy:g} eV; the device's laws have activation energies of "
            "their own, so leave it out",
        )


def device_at(device: CBRAM, kelvin: float, activation: float | None, where: str | Path) -> CBRAM:
    """The device with its laws at a temperature (K).

    A law with an activation energy is moved there; one without takes ``activation`` (eV, assumed)
    where it is given, and else stays as it is within ``SAME_TEMPERATURE``. Raises
    :class:`InputError` beyond.
    """
    moved = replace(device, set=_law_at(device.set, "SET", kelvin, activation, where))
    if device.reset is None:
        return moved
    return replace(moved, reset=_law_at(device.reset, "RESET", kelvin, activation, where))


def _law_at(
    law: SwitchingLaw, name: str, kelvin: float, activation: float | None, where: str | Path
) -> SwitchingLaw:
    if law.activation is None and activation is not None:
        note = "given with --activation-energy: the law has none of its own"
        law = replace(law, activation=Parameter(activation, "eV", "assumed", note))
    if law.activation is not None:
        return law.at_temperature(kelvin)
    if abs(law.reference_temperature - kelvin) <= SAME_TEMPERATURE:
        return law
    raise InputError(
        where,
        f"its {name} law holds at {law.reference_temperature:g} K and has no activation energy "
        f"(Ea), but the cells are asked for at {kelvin:g} K; fit data taken within "
        f"{SAME_TEMPERATURE:g} K of that or at two or more temperatures, which gives Ea, or assume "
        "one with --activation-energy",
    )
