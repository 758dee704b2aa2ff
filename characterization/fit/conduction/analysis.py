"""What a table tells of conduction: the two states, LRS against the gate, the graded RESET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.conduction.gate import GateFit, fit_lrs_vs_gate
from characterization.fit.conduction.graded_reset import GradedFit, fit_graded_reset
from characterization.fit.conduction.resistances import Resistances, resistances_of
from characterization.fit.observations.directions import TERMINAL, Part
from characterization.fit.table.base import Table
from characterization.fit.table.validation import numbers
from devices.conduction import Conduction
from devices.defaults import assumed_conduction
from devices.parameter import Parameter
from formats.errors import InputError

_LEAST_R_SQUARED = 0.5
_FARTHEST = 5.0
"""Spans of the gate voltages below the lowest one within which a threshold must lie."""
_STATES = ("r_lrs", "r_hrs", "sigma_ln_r_lrs", "sigma_ln_r_hrs", "correlation")


@dataclass(frozen=True, eq=False)
class ConductionFit:
    """The conduction of device.json, and the fits behind it; None where the table tells nothing.

    ``graded_rows`` are the voltages (V), widths (s) and resistances (ohm) of the graded fit.
    """

    conduction: Conduction
    gate: GateFit | None
    graded: GradedFit | None
    graded_rows: tuple[np.ndarray, np.ndarray, np.ndarray] | None
    sentences: tuple[str, ...]


def conduction_fit(
    parts: Sequence[Part], table: Table, kind: str, r_hrs: Parameter | None
) -> ConductionFit:
    """Everything the resistances of a table tell; ``r_hrs`` is a HRS known from elsewhere.

    Raises :class:`InputError` for resistances that are not positive numbers.
    """
    if kind == "cycling":
        found = resistances_of(table)
        return ConductionFit(found.conduction, None, None, None, found.sentences)
    states = [
        resistances_of(part.table, _switched(part), part.direction)
        for part in parts
        if "trials" not in part.table.frame
    ]
    conduction = _joined(states)
    sentences = [text for state in states for text in state.sentences]
    gate, graded, rows = None, None, None
    for part in parts:
        switched = _switched(part)
        if switched is None or "r_after_ohm" not in part.table.frame or part.kind != "pulses":
            continue
        try:
            if part.direction == "set" and "gate_voltage_V" in part.table.frame:
                gate = _gate(part, switched)
            elif part.direction == "reset":
                graded, rows = _graded(part, r_hrs)
        except InputError as error:
            sentences.append(f"{part.direction.upper()} resistances: {error.problem}")
    for fit in (gate, graded):
        sentences += [] if fit is None else fit.sentences
    conduction = replace(
        conduction,
        lrs_vs_gate=None if gate is None else gate.law,
        graded_reset=None if graded is None else graded.law,
    )
    return ConductionFit(conduction, gate, graded, rows, tuple(sentences))


def completed(fitted: Conduction, base: Conduction) -> Conduction:
    """A known device's conduction with what was fitted anew."""
    changes = {
        name: getattr(fitted, name) for name in _STATES if getattr(fitted, name).source == "fitted"
    }
    changes |= {name: getattr(fitted, name) for name in fitted.members()}
    return replace(base, **changes)


def _switched(part: Part) -> np.ndarray | None:
    frame = part.table.frame
    if "switched" not in frame or "trials" in frame:
        return None
    return numbers(part.table, "switched") > 0


def _joined(states: Sequence[Resistances]) -> Conduction:
    """The first direction's resistances, with what only the other one tells."""
    result = assumed_conduction()
    for state in reversed(states):
        result = completed(state.conduction, result)
    return result


def _gate(part: Part, switched: np.ndarray) -> GateFit | None:
    """At the highest voltage, where the gate alone limits the current; None where it misses."""
    gate = numbers(part.table, "gate_voltage_V")
    column = TERMINAL if TERMINAL in part.table.frame else "voltage_V"
    voltage = numbers(part.table, column)
    rows = switched & (voltage == voltage.max())
    if np.unique(gate[rows]).size < 2:
        return None
    after = numbers(part.table, "r_after_ohm", above=0.0)
    found = fit_lrs_vs_gate(gate[rows], after[rows], part.threshold)
    if gate[rows].min() - found.law.v_t.value > _FARTHEST * np.ptp(gate[rows]):
        raise InputError(
            "LRS against the gate voltage",
            "the gate voltages do not tell the overdrive (no threshold near them); left out",
        )
    if not found.r_squared > _LEAST_R_SQUARED:
        raise InputError(
            "LRS against the gate voltage",
            f"a power law of the overdrive does not describe it (R^2 = {found.r_squared:.2g} for "
            "ln of the medians); left out",
        )
    return found


def _graded(
    part: Part, r_hrs: Parameter | None
) -> tuple[GradedFit, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Saturating at a HRS known from elsewhere: cells that RESET partly do not tell it."""
    rows = (
        numbers(part.table, "voltage_V"),
        numbers(part.table, "pulse_width_s", above=0.0),
        numbers(part.table, "r_after_ohm", above=0.0),
    )
    return fit_graded_reset(*rows, r_max=r_hrs), rows
