"""A stochastic CBRAM: SET and RESET laws, conduction, spread; stateful simulation of any waveform.

V_cell = V(te) - V(be), te being the active electrode: SET at V_cell > 0, RESET at V_cell < 0.
Each direction accrues exposure u = integral of dt/tau in its starting state (HRS for SET, LRS for
RESET) and at its own polarity; the device switches when u reaches the threshold in force. The
exposure is cleared and the next threshold taken when the device enters the starting state, and at
the first opposite-polarity excursion beyond ``RENEWAL_VOLTAGE`` after exposure has accrued; rest
and further pulses of the same polarity keep both. A threshold is used up only if exposure accrued
under it beyond ``RENEWAL_VOLTAGE``: millivolts of feed-through do not count as a trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.conduction import Conduction
from devices.law import SwitchingLaw
from devices.parameter import Parameter

RENEWAL_VOLTAGE = 0.1
"""Opposite-polarity excursion (V) that renews a threshold."""
NEVER = 1e12
"""Threshold of a device that must not switch."""

_GAUSS_X, _GAUSS_W = np.polynomial.legendre.leggauss(6)


@dataclass(frozen=True)
class Trace:
    """What a waveform did to one device.

    ``switch_times`` (s) and ``switch_states`` (1 LRS, 0 HRS) list the events; ``state`` is the
    final one; ``used_set`` and ``used_reset`` count the renewals, so a next call can go on.
    """

    switch_times: np.ndarray
    switch_states: np.ndarray
    state: int
    used_set: int
    used_reset: int

    def state_at(self, times: np.ndarray, initial: int = 0) -> np.ndarray:
        """State (1 LRS, 0 HRS) at each time (s), just after an event at that very time."""
        index = np.searchsorted(self.switch_times, times, side="right")
        states = np.concatenate([[initial], self.switch_states]).astype(int)
        return np.asarray(states[index])


@dataclass(frozen=True)
class CBRAM:
    """A device of device.json.

    ``reset`` None is an ideal RESET: it always succeeds once V_cell has been beyond -0.1 V for
    ``ideal_reset_time`` (s) in all.
    """

    name: str
    voltage_reference: str
    set: SwitchingLaw
    reset: SwitchingLaw | None
    ideal_reset_time: Parameter
    conduction: Conduction
    endurance: Parameter

    def reset_rate(self, magnitude: np.ndarray) -> np.ndarray:
        """Rate (1/s) at which RESET exposure accrues at the magnitude -V_cell (V)."""
        if self.reset is not None:
            return self.reset.rate(magnitude)
        beyond = np.asarray(magnitude, float) > RENEWAL_VOLTAGE
        return np.where(beyond, 1.0 / self.ideal_reset_time.value, 0.0)

    def sample_reset_thresholds(
        self, generator: np.random.Generator, count: int | tuple[int, ...]
    ) -> np.ndarray:
        """Thresholds of the RESET direction; all 1 for an ideal RESET."""
        if self.reset is None:
            return np.ones(count)
        return self.reset.sample_thresholds(generator, count)

    def exposures(self, time: np.ndarray, voltage: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """SET and RESET exposure gained in each interval of a piecewise linear V_cell(t).

        ``time`` (s, increasing) and ``voltage`` (V) have n points; the results have n - 1.
        Gauss-Legendre quadrature; split the waveform where it crosses 0 for full accuracy
        (:meth:`simulate` does).
        """
        start, change = voltage[:-1, None], np.diff(voltage)[:, None]
        at_nodes = start + change * (_GAUSS_X + 1) / 2
        weights = np.diff(time)[:, None] * _GAUSS_W / 2
        set_gain = np.sum(self.set.rate(at_nodes) * weights, axis=1)
        reset_gain = np.sum(self.reset_rate(-at_nodes) * weights, axis=1)
        return set_gain, reset_gain

    def simulate(
        self,
        time: np.ndarray,
        voltage: np.ndarray,
        set_thresholds: np.ndarray,
        reset_thresholds: np.ndarray,
        initial_state: int = 0,
    ) -> Trace:
        """Run a piecewise linear V_cell(t) through the device.

        The thresholds are those of successive renewals of each direction (exposures, as drawn by
        ``sample_thresholds``). Raises ValueError where they run out.
        """
        time, voltage = refine(np.asarray(time, float), np.asarray(voltage, float))
        gains = np.stack(self.exposures(time, voltage))
        middle = (voltage[:-1] + voltage[1:]) / 2
        directions = np.where(middle > 0, 0, 1)
        renews = np.abs(middle) > RENEWAL_VOLTAGE
        thresholds = (np.asarray(set_thresholds, float), np.asarray(reset_thresholds, float))
        state = initial_state
        exposure, used, accrued = [0.0, 0.0], [0, 0], [False, False]
        times: list[float] = []
        states: list[int] = []

        def renew(direction: int) -> None:
            if accrued[direction]:
                used[direction] += 1
                accrued[direction] = False
            exposure[direction] = 0.0

        for index, direction in enumerate(directions.tolist()):
            if renews[index]:
                renew(1 - direction)
            gain = float(gains[direction, index])
            if direction != state or gain == 0.0:  # SET starts in HRS (0), RESET in LRS (1)
                continue
            if used[direction] >= thresholds[direction].size:
                name = ("SET", "RESET")[direction]
                raise ValueError(f"{name} thresholds ran out after {used[direction]} renewals")
            limit = float(thresholds[direction][used[direction]])
            accrued[direction] |= bool(renews[index])
            before = exposure[direction]
            exposure[direction] = before + gain
            if exposure[direction] >= limit:
                times.append(
                    self._crossing(time, voltage, index, direction, (limit - before) / gain)
                )
                state = 1 - direction
                states.append(state)
                renew(1 - direction)
        return Trace(np.array(times), np.array(states, int), state, used[0], used[1])

    def _crossing(
        self, time: np.ndarray, voltage: np.ndarray, index: int, direction: int, fraction: float
    ) -> float:
        """Time in interval ``index`` at which the given fraction of its exposure has accrued."""
        points = np.linspace(0.0, 1.0, 33)
        values = voltage[index] + (voltage[index + 1] - voltage[index]) * points
        rates = self.set.rate(values) if direction == 0 else self.reset_rate(-values)
        total = np.concatenate([[0.0], np.cumsum((rates[1:] + rates[:-1]) / 2)])
        place = np.interp(fraction, total / total[-1], points) if total[-1] > 0 else 1.0
        return float(time[index] + place * (time[index + 1] - time[index]))

    def to_dict(self) -> dict[str, Any]:
        """The content of device.json without its provenance."""
        return {
            "schema": 1,
            "name": self.name,
            "voltage_reference": self.voltage_reference,
            "set": self.set.to_dict(),
            "reset": None if self.reset is None else self.reset.to_dict(),
            "ideal_reset_time": self.ideal_reset_time.to_dict(),
            "conduction": self.conduction.to_dict(),
            "endurance": self.endurance.to_dict(),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CBRAM:
        """The inverse of :meth:`to_dict`; the content is checked by the schema beforehand."""
        reset = content["reset"]
        return cls(
            name=content["name"],
            voltage_reference=content["voltage_reference"],
            set=SwitchingLaw.from_dict(content["set"]),
            reset=None if reset is None else SwitchingLaw.from_dict(reset),
            ideal_reset_time=Parameter.from_dict(content["ideal_reset_time"]),
            conduction=Conduction.from_dict(content["conduction"]),
            endurance=Parameter.from_dict(content["endurance"]),
        )


def refine(
    time: np.ndarray, voltage: np.ndarray, largest_step: float = 0.05
) -> tuple[np.ndarray, np.ndarray]:
    """Split a piecewise linear waveform at 0 V and at +-RENEWAL_VOLTAGE, and into short rises.

    Afterwards no interval straddles one of these levels and none spans more than ``largest_step``
    volts. Raises ValueError where ``time`` does not increase or the arrays differ in length.
    """
    if time.shape != voltage.shape or time.ndim != 1 or time.size < 2:
        raise ValueError("time and voltage need the same length, of at least two points")
    if np.any(np.diff(time) <= 0) or not np.all(np.isfinite(voltage)):
        raise ValueError("time must increase and voltage be finite")
    pieces_t, pieces_v = [time[:1]], [voltage[:1]]
    for start, end, low, high in zip(time[:-1], time[1:], voltage[:-1], voltage[1:], strict=True):
        change = high - low
        cuts = [1.0]
        if change:
            count = int(np.ceil(abs(change) / largest_step))
            cuts += list(np.arange(1, count) / count)
            levels = (np.array([-RENEWAL_VOLTAGE, 0.0, RENEWAL_VOLTAGE]) - low) / change
            cuts += list(levels[(levels > 0) & (levels < 1)])
        fractions = np.unique(cuts)
        pieces_t.append(start + fractions * (end - start))
        pieces_v.append(low + fractions * change)
    refined_time = np.concatenate(pieces_t)
    keep = np.concatenate([[True], np.diff(refined_time) > 0])
    return refined_time[keep], np.concatenate(pieces_v)[keep]
