"""Periodic voltages across a device: one RESET and one or more SET trials a cycle, and examples.

``reference_cases`` are the devices and drives on which the simulators are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from devices.accelerations import ACCELERATIONS
from devices.cbram import CBRAM, refine
from devices.families import FAMILIES
from devices.parameter import Parameter
from devices.presets import knag2014

EDGE = 10e-9
"""s; rise and fall of a pulse."""
APEX = 1e-9
"""s; width of the top of a triangle."""
_REST = 2e-6


@dataclass(frozen=True)
class Trapezoid:
    """One excursion of the drive: begin, rise, width, fall (s) and level (V)."""

    begin: float
    rise: float
    width: float
    fall: float
    level: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Times (s) of its four corners."""
        top = self.begin + self.rise
        return self.begin, top, top + self.width, top + self.width + self.fall

    def at(self, time: np.ndarray) -> np.ndarray:
        """Voltage (V) at each time (s)."""
        return np.interp(time, self.corners, [0.0, self.level, self.level, 0.0])


@dataclass(frozen=True)
class Drive:
    """A cycle: RESET first, then SET trials; the voltage is the sum of the trapezoids.

    ``set_changes`` are the times (s) in a cycle at which a next SET threshold comes into force,
    where SET's exposure is being cleared; ``reset_change`` that of the next cycle's RESET
    threshold, where RESET's is. ``reads`` are the times at which the state is taken.
    """

    name: str
    period: float
    trapezoids: tuple[Trapezoid, ...]
    set_changes: tuple[float, ...]
    reset_change: float
    reads: tuple[float, ...]
    largest_step: float

    def waveform(self) -> tuple[np.ndarray, np.ndarray]:
        """One cycle as points (s, V)."""
        corners = [corner for t in self.trapezoids for corner in t.corners]
        time = np.unique(np.round([0.0, *corners, self.period], 15))
        return time, np.asarray(sum(t.at(time) for t in self.trapezoids))

    def exposures(self, device: CBRAM) -> tuple[np.ndarray, np.ndarray]:
        """SET exposure after each SET change, and the RESET exposure of a cycle.

        Exact where the device stays in the starting state throughout.
        """
        time, voltage = refine(*self.waveform())
        gained = device.exposures(time, voltage)
        slot = np.searchsorted(self.set_changes, (time[1:] + time[:-1]) / 2) - 1
        of_slot = [gained[0][slot == index].sum() for index in range(len(self.set_changes))]
        return np.array(of_slot), np.array([gained[1].sum()])


def matched(device: CBRAM, drive: Drive, probability: float = 0.5) -> CBRAM:
    """The device with tau_ref such that SET's first trial has the given probability."""
    law = device.set
    exposure = drive.exposures(device)[0][0]
    wanted = float(law.exposure_of_probability(np.array([probability]))[0])
    return replace(device, set=law.with_values(law.tau_ref.value * exposure / wanted, law.v0.value))


def cycle(name: str, excursions: Sequence[Sequence[Trapezoid]], largest_step: float) -> Drive:
    """A drive of a RESET excursion and SET excursions after it, all one SET trial.

    An excursion is a sum of trapezoids that begin at 0 s; the excursions follow each other after
    2 us of rest. The state is read after the RESET and at the end.
    """
    placed, ends, now = [], [], _REST
    for excursion in excursions:
        placed += [replace(t, begin=now + t.begin) for t in excursion]
        ends.append(max(t.corners[3] for t in placed))
        now = ends[-1] + _REST
    first, last = placed[0], placed[-1]
    return Drive(
        name=name,
        period=now,
        trapezoids=tuple(placed),
        set_changes=(float(np.mean(first.corners[1:3])),),
        reset_change=float(np.mean(last.corners[1:3])),
        reads=(ends[0] + _REST / 2, ends[-1] + _REST / 2),
        largest_step=largest_step,
    )


def pulse(level: float, width: float) -> tuple[Trapezoid, ...]:
    """A pulse (V, s) with edges of 10 ns."""
    return (Trapezoid(0.0, EDGE, width, EDGE, level),)


def triangle(level: float, side: float) -> tuple[Trapezoid, ...]:
    """Up to ``level`` (V) in ``side`` (s), and down again."""
    return (Trapezoid(0.0, side, APEX, side, level),)


def ramp(start: float, level: float, time: float) -> tuple[Trapezoid, ...]:
    """A jump to ``start`` (V), a ramp from there to ``level`` in ``time`` (s), and back to 0."""
    base = Trapezoid(0.0, EDGE, time, EDGE, start)
    return (base, Trapezoid(EDGE, time - APEX, APEX, EDGE, level - start))


def reference_cases() -> tuple[tuple[CBRAM, Drive], ...]:
    """Devices and drives on which numpy, ngspice and VACASK must agree; P(SET) = 1/2 in each.

    Pulses of an exponential law; split pulses of a Weibull device, shape 0.5; ramps of a
    log-normal law with sinh acceleration; triangles of both polarities with a stochastic RESET.
    The laws' values are examples, not measured.
    """
    plain, reset = knag2014(), pulse(-1.5, 1e-6)
    law = plain.set
    stretched = _with(plain, "weibull", 0.5)
    curved = _with(plain, "lognormal", 1.0, "1/sinh(V/V0)")
    resetting = replace(
        law.with_values(7.5e-6, 0.1),
        reference_voltage=1.2,
        family=FAMILIES["weibull"],
        shape=Parameter(2.0, "1", "assumed"),
    )
    bipolar = replace(_with(plain, "weibull", 2.0), reset=resetting)
    half = pulse(3.3, 50e-6)
    cases = (
        (plain, cycle("pulses", [reset, pulse(3.3, 100e-6)], 5e-6)),
        (stretched, cycle("split pulses", [reset, half, half], 5e-6)),
        (curved, cycle("ramps", [reset, ramp(2.4, 3.4, 100e-6)], 0.75e-6)),
        (bipolar, cycle("triangles", [triangle(-1.25, 30e-6), triangle(3.4, 50e-6)], 0.15e-6)),
    )
    return tuple((matched(device, drive), drive) for device, drive in cases)


def _with(device: CBRAM, family: str, shape: float, acceleration: str = "exp(-V/V0)") -> CBRAM:
    law = replace(
        device.set,
        family=FAMILIES[family],
        shape=Parameter(shape, "1", "assumed"),
        acceleration=ACCELERATIONS[acceleration],
    )
    return replace(device, set=law)
