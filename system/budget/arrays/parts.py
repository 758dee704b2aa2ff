"""Lines that both kinds of networks have: devices with their reads, pulses, sums, converters."""

from __future__ import annotations

from dataclasses import dataclass

from system.budget.arrays.inputs import (
    CELL_AREA,
    CONDUCTANCE,
    CONVERTER_AREA,
    CONVERTER_ENERGY,
    DRIVE,
    DRIVEN,
    PULSE,
)
from system.budget.arrays.lines import ArrayLine, Events
from system.budget.arrays.units import IDLE, Pulse, Units
from system.budget.uncertainty.stated import CELL_AREAS, CELL_ENERGY, CELL_LEAKAGE, cell_area
from system.budget.units import Unit

DEVICES, PROGRAMMING, SUMS, CONVERTERS = "Devices", "Programming", "Sums", "Converters"
_NO_PART = "derived: no parts of its own"


@dataclass(frozen=True)
class Conductance:
    """The mean over the devices of a line (S), with its source."""

    value: float
    source: str


def read_line(
    item: str, unit: Units, devices: float, events: Events, mean: Conductance, said: str
) -> ArrayLine:
    """Devices with the reads of them; ``devices`` 0 for more reads of the same."""
    return ArrayLine(
        item=item,
        group=DEVICES,
        count=devices,
        unit_area=unit.cell_area if devices else 0.0,
        unit_energy=DRIVEN * unit.read.energy(mean.value),
        unit_leakage=0.0,
        events=events,
        count_source=said if devices else _NO_PART,
        area_source=unit.cell_area_source if devices else _NO_PART,
        energy_source=f"{_of_pulse(unit.read, mean)}, times {DRIVEN:.2g} (assumed: drive of the "
        "rows)",
        leakage_source=IDLE,
        area_inputs=(CELL_AREA,),
        energy_inputs=(DRIVE, CONDUCTANCE),
    )


def pulse_line(item: str, unit: Units, events: Events, mean: Conductance) -> ArrayLine:
    """Programming pulses on devices that another line counts."""
    return ArrayLine(
        item=item,
        group=PROGRAMMING,
        count=0.0,
        unit_area=0.0,
        unit_energy=unit.write.energy(mean.value),
        unit_leakage=0.0,
        events=events,
        count_source=_NO_PART,
        area_source=_NO_PART,
        energy_source=f"{_of_pulse(unit.write, mean)}; assumed: the same pulse for every device",
        leakage_source=_NO_PART,
        energy_inputs=(PULSE, CONDUCTANCE),
    )


def gate_line(
    item: str, gate: str, unit: Unit, count: float, events: Events, said: str
) -> ArrayLine:
    """Gates or flip-flops called ``gate`` in cells.nc."""
    return ArrayLine(
        item=item,
        group=SUMS,
        count=count,
        unit_area=unit.area,
        unit_energy=unit.energy,
        unit_leakage=unit.leakage,
        events=events,
        count_source=said,
        area_source=unit.area_source,
        energy_source=unit.energy_source,
        leakage_source=unit.leakage_source,
        area_inputs=(CELL_AREAS, cell_area(gate)),
        energy_inputs=(CELL_ENERGY,),
        leakage_inputs=(CELL_LEAKAGE,),
    )


def converter_lines(unit: Units, count: float, events: Events, said: str) -> tuple[ArrayLine, ...]:
    """The converters of the user's figures; none without."""
    if unit.converter is None:
        return ()
    return (
        ArrayLine(
            item="converters",
            group=CONVERTERS,
            count=count,
            unit_area=unit.converter.area,
            unit_energy=unit.converter.energy,
            unit_leakage=0.0,
            events=events,
            count_source=said,
            area_source="assumed: given by the user (--adc-area-um2)",
            energy_source="assumed: given by the user (--adc-energy-pJ)",
            leakage_source="assumed: no figure is given",
            area_inputs=(CONVERTER_AREA,),
            energy_inputs=(CONVERTER_ENERGY,),
        ),
    )


def converters_left_out(
    unit: Units, count: float, inference: float, training_image: float = 0.0
) -> tuple[str, ...]:
    """What converters would add, where the user gives no figures."""
    if unit.converter is not None:
        return ()
    learning = f" and {1e-12 * training_image:.3g} J per training image" if training_image else ""
    return (
        f"Analogue-to-digital converters: {count:,.0f} of them, {inference:,.0f} conversions per "
        "inference, for which no published figure of this kind is at hand. Every um2 for each "
        f"would add {count * 1e-6:.3g} mm2, every pJ per conversion {1e-12 * inference:.3g} J per "
        f"inference{learning}; --adc-area-um2 and --adc-energy-pJ count them.",
    )


def _of_pulse(pulse: Pulse, mean: Conductance) -> str:
    return (
        f"derived: V^2 G t, {pulse.voltage:.4g} V for {pulse.time:.4g} s ({pulse.source}), mean "
        f"conductance {mean.value:.4g} S ({mean.source})"
    )
