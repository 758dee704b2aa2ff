"""Devices and voltages the cells cannot serve, refused by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from characterization.extract.sng.bench import Bench
from characterization.extract.sng.character import SngCharacter
from characterization.extract.sng.exposure import exposures, gained
from characterization.extract.sng.sense import sense_errors
from circuits.ratings import Stress
from devices.cbram import NEVER
from formats.errors import InputError

LARGEST_READ_DISTURB = 1e-3
"""Probability of a SET by one read pulse beyond which the cell is refused."""
LARGEST_READ_ERROR = 1e-2
"""Share of devices read wrongly beyond which the cell is refused."""
LEAST_RESET = 1e-2
"""Probability of RESET by one pulse below which the cell is refused: its bits are all the same.
A law that was fitted far from the RESET voltage gives next to nothing there, never 0."""


def refuse_violations(where: str | Path, cell: str, found: Iterable[Stress]) -> None:
    """Raise :class:`InputError` naming the transistor that leaves its rating."""
    for stress in found:
        if stress.violated:
            raise InputError(
                where,
                f"cell {cell}, transistor {stress}; lower the voltages (of an SNG: "
                "--write-voltage-max, --reset-voltage) or take a higher --io-class",
            )


def refuse_read_disturb(where: str | Path, bench: Bench, low: float) -> None:
    """Raise :class:`InputError` where a read pulse SETs a fresh device too often."""
    waveforms = bench.run(bench.circuit(np.array([low]), np.array([NEVER])), 1)
    window = np.array([bench.design.windows(1)[2]])
    exposure = gained(bench.device, waveforms, bench.design, window)[0]
    disturb = float(bench.device.set.probability_of_exposure(exposure)[0])
    if disturb > LARGEST_READ_DISTURB:
        voltage = bench.design.resolved(bench.technology).read_voltage
        raise InputError(
            where,
            f"reading at {voltage:g} V and {bench.technology.temperature:g} K would SET the device "
            f"with P = {disturb:.2g} (at most {LARGEST_READ_DISTURB:g}); it needs a lower read "
            "voltage than this SNG has",
        )


def refuse_weak_write(where: str | Path, bench: Bench, highest: float) -> None:
    """Raise :class:`InputError` where the highest write voltage (V) does not reach P = 1/2."""
    at = np.array([highest])
    exposure = exposures(bench, [bench.circuit(at, np.array([NEVER]))], 1)[0]
    law = bench.device.set
    reached = float(law.probability_of_exposure(exposure)[0])
    if reached >= 0.5:
        return
    bare = float(law.probability(at, bench.design.write_time)[0])
    cause = (
        "the bare device does not do more there; take a longer --pulse-width or a higher --io-class"
        if bare < 0.5
        else f"the bare device would reach {bare:.2g}, the write path takes too much of it from an "
        f"HRS of {bench.device.conduction.r_hrs.value:.3g} ohm; raise --io-width or "
        "--compliance-gate"
    )
    raise InputError(
        where,
        f"at {bench.where} the bit probability reaches only {reached:.2g} at {highest:.3g} V, the "
        f"highest write voltage: {cause}",
    )


def refuse_read_errors(where: str | Path, bench: Bench) -> None:
    """Raise :class:`InputError` for a device whose states the sense amplifier confuses."""
    conduction, sense = bench.device.conduction, sense_errors(bench)
    for name, error, value in (
        ("HRS as 1", sense.e01, conduction.r_hrs.value),
        ("LRS as 0", sense.e10, conduction.r_lrs.value),
    ):
        if error > LARGEST_READ_ERROR:
            raise InputError(
                where,
                f"the sense amplifier flips at {sense.flip_resistance:.3g} ohm and would read a "
                f"share of {error:.2g} of the devices' {name} (median {value:.3g} ohm, at most "
                f"{LARGEST_READ_ERROR:g}); most such devices are stuck, not noisy",
            )


def refuse_failed_reset(where: str | Path, character: SngCharacter) -> None:
    """Raise :class:`InputError` for an SNG that hardly ever RESETs its device."""
    design, probability = character.bench.design, character.reset.probability
    if probability < LEAST_RESET:
        raise InputError(
            where,
            f"RESET succeeds with P = {probability:.2g} only: {design.reset_time:.3g} s at "
            f"-{design.reset_voltage:.3g} V through transistors {design.io_width:.3g} m wide give "
            "the LRS too little exposure; raise --io-width or --reset-voltage, or see whether the "
            "RESET law was measured far from that voltage",
        )
