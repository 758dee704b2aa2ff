"""What one device, read, pulse, flip-flop and converter of an array costs, from cells.nc.

The write path, its voltages and times are those of the SNG of cells.nc, whose device is a 1T1R cell
too; that its pulse also programs a device of an array is assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from formats.cells import Cells
from formats.errors import InputError
from system.budget.columns import GROUP
from system.budget.sng import sng_table
from system.budget.units import Unit, gate_unit, register_unit, source

IDLE = "assumed: idle lines are at 0 V, so devices do not leak"


@dataclass(frozen=True)
class Pulse:
    """A voltage (V) over a device for a time (s), and where both stand."""

    voltage: float
    time: float
    source: str

    def energy(self, conductance: float) -> float:
        """J in a device of this conductance (S): V^2 G t."""
        return self.voltage**2 * conductance * self.time


@dataclass(frozen=True)
class Converter:
    """An ADC as the user gives it: area (m2), and energy (J) of a conversion.

    Raises :class:`InputError` where one of them is missing, negative or no number.
    """

    area: float
    energy: float

    @classmethod
    def given(cls, area: float | None, energy: float | None) -> Converter | None:
        """Of the options; None where neither is given."""
        if area is None and energy is None:
            return None
        if area is None or energy is None:
            raise InputError("--adc-area-um2", "and --adc-energy-pJ belong together; give both")
        if not all(math.isfinite(value) and value >= 0 for value in (area, energy)):
            raise InputError(
                "--adc-area-um2", "and --adc-energy-pJ must be finite and not negative"
            )
        return cls(area, energy)


@dataclass(frozen=True)
class Units:
    """Of a cells.nc: area (m2) of a 1T1R cell, a ``read`` and a ``write`` of a device, and the
    gates that sums are kept in."""

    cell_area: float
    cell_area_source: str
    read: Pulse
    write: Pulse
    register: Unit
    adder: Unit
    converter: Converter | None = None


def units(cells: Cells, converter: Converter | None = None) -> Units:
    """Raises :class:`InputError` where cells.nc lacks the column of 1T1R cells, a gate, or what the
    SNG reads with."""
    if GROUP not in cells.groups or "cell_area" not in cells.groups[GROUP]:
        raise InputError(
            cells.path,
            f"holds no {GROUP}, whose 1T1R cell the devices of an array are made of; extract it "
            f"with --cells {GROUP}",
        )
    table = sng_table(cells)
    times = cells.sng["phase_time"]
    names = [str(name) for name in times["phase"].to_numpy()]
    reading = float(times.to_numpy()[names.index("read")])
    return Units(
        cell_area=float(cells.groups[GROUP]["cell_area"]),
        cell_area_source=source(cells, GROUP, "cell_area"),
        read=Pulse(
            _read_voltage(cells),
            reading,
            "read voltage and read phase of cells.nc sng (read_voltage_V, phase_time)",
        ),
        write=Pulse(
            float(np.max(table.voltage)),
            table.pulse_width,
            "highest write_voltage and pulse_width of cells.nc sng",
        ),
        register=register_unit(cells, "dff", table),
        adder=gate_unit(cells, "full_adder", table),
        converter=converter,
    )


def _read_voltage(cells: Cells) -> float:
    try:
        return float(cells.sng.attrs["read_voltage_V"])
    except (KeyError, ValueError) as error:
        raise InputError(
            cells.path, "sng lacks read_voltage_V, the voltage that devices are read with"
        ) from error
