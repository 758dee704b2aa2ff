"""What the characterisation of gates and flip-flops yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from circuits.ratings import Stress

Path3 = tuple[int, int, int]
"""States before, between and after two changes of a gate's inputs."""


class LogicFault(RuntimeError):
    """A simulated cell does not compute its truth table."""


@dataclass(frozen=True)
class LoadTable:
    """Transitions with one output load.

    ``capacitance`` (F): of the load on each output. ``energy`` (J): state before x state after,
    without the leakage. ``delay`` (s): state before x state after x output, from the inputs'
    half-way point to the output's; NaN where the output does not change. ``hazard`` (s): state
    before x state after x output x 2, begin and end of a pulse on an output that should not move;
    NaN where there is none.
    """

    capacitance: float
    energy: np.ndarray
    delay: np.ndarray
    hazard: np.ndarray


@dataclass(frozen=True)
class Timing:
    """Delay and slew of one gate over input slew and output load, for each arc.

    ``slews`` (s): full rise or fall of the input, x 0.8 is its 10-90 % time. ``loads`` (F).
    ``arcs`` maps (input, output, edge of the output "rise" | "fall", input edge "rise" | "fall")
    to delays (s, 50 % to 50 %) and output slews (s, 10 to 90 %), each of shape (slews, loads): the
    worst over the states of the other inputs. Simulated.
    """

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    arcs: Mapping[tuple[str, str, str, str], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class GateCharacter:
    """A combinational gate.

    ``energy`` (J) from state to state, with one inverter to drive, without leakage; a state counts
    the inputs as bits, the first pin most significant. ``leakage`` (W) by state. ``delay`` (s): the
    longest, with one inverter to drive; ``delay_unloaded`` with none. ``worst``: highest terminal
    voltage.
    ``light`` and ``heavy`` are the same transitions with one and with four inverters to drive.
    ``pin_capacitance`` (F) by input. ``skews`` (s) and ``skewed`` (J): energy of two changes of the
    inputs so far apart, by path of states; ``moments`` (s), shape (skews, outputs, 2): when, after
    the first change, each output crosses half the supply first and last, NaN where it does not.
    ``overlap``: for two changes that merge and for a pulse
    that returns (rows), the share of the way from the energy of the direct transition to that of
    two separate ones, at each skew; for paths ``skewed`` does not hold.
    """

    energy: np.ndarray
    leakage: np.ndarray
    delay: float
    worst: Stress
    delay_unloaded: float
    light: LoadTable
    heavy: LoadTable
    pin_capacitance: np.ndarray
    skews: np.ndarray
    skewed: Mapping[Path3, np.ndarray]
    moments: Mapping[Path3, np.ndarray]
    overlap: np.ndarray


@dataclass(frozen=True, eq=False)
class RegisterCharacter:
    """A flip-flop that takes ``d`` at the rising ``clk``.

    ``energy`` (J), indexed [clk, q, d, event], without leakage: what it costs when from that state
    the clock (event 0) or the data (event 1) toggles; so [0, q, d, 0] is a rising clock that stores
    d over q. ``state_leakage`` (W), indexed [clk, q, d]. ``clock_to_output`` (s): rise and fall of
    q (rows), with one and with four inverters to drive, of the capacitances (F) ``loads``.
    ``pin_capacitance`` (F): d, clk. ``hold``, ``toggle`` (J): one clock with the data held, and
    with data that toggled during the clock's high phase; means over q. ``leakage`` (W): mean over
    the states.
    """

    hold: float
    toggle: float
    leakage: float
    worst: Stress
    energy: np.ndarray
    state_leakage: np.ndarray
    clock_to_output: np.ndarray
    loads: tuple[float, float]
    pin_capacitance: np.ndarray
