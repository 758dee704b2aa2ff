"""The group of the in-memory column: energy, counts and their errors, ways to write it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from characterization.extract.column.character import (
    GROUP_PROBABILITIES,
    GROUP_RESISTANCES,
    OFFSET_SHARES,
    OPERANDS,
    WORD_PROBABILITIES,
    ColumnCharacter,
)
from characterization.extract.column.usable import LARGEST_ERROR, LARGEST_RMS, RATIOS, SIGMAS
from characterization.extract.column.write import PROBABILITIES, WriteScheme
from characterization.extract.conditions import Conditions
from characterization.extract.library import Library
from circuits.logic.cell import REGISTER
from formats.cells import ENVIRONMENT, variable

SIMULATED = "simulated: ngspice operating points and transients of the column"
DERIVED = "derived: nodal solution with simulated transistors, quadrature over R_LRS, R_HRS, offset"
WRITTEN = "derived: simulated transistors and the fitted law"


def column_group(
    characters: Sequence[ColumnCharacter], libraries: Sequence[Library], conditions: Conditions
) -> xr.Dataset:
    """The group from one character and library per environment, in the order of ``conditions``."""
    first = characters[conditions.nominal_environment]
    design = first.design

    sequencing = {
        id(c): _sequencing(c, library) for c, library in zip(characters, libraries, strict=True)
    }

    def over(
        pick: Callable[[ColumnCharacter], object], units: str, source: str, *extra: str
    ) -> xr.Variable:
        values = [np.asarray(pick(c), float) for c in characters]
        return variable((*ENVIRONMENT, *extra), conditions.over_environments(values), units, source)

    def counts(name: str, source: str, *extra: str) -> xr.Variable:
        return over(
            lambda c: [getattr(c.counts[b], name) for b in WORD_PROBABILITIES],
            "1",
            source,
            "word_probability",
            *extra,
        )

    def schemes(name: str, units: str, *extra: str) -> xr.Variable:
        def pick(c: ColumnCharacter) -> object:
            return [getattr(scheme, name) for scheme in c.schemes.values()]

        return over(pick, units, WRITTEN, "scheme", *extra)

    def group_writes(name: str) -> xr.Variable:
        return over(
            lambda c: [[getattr(one, name) for one in row] for row in c.group_writes],
            "1",
            "derived: order statistics of the thresholds, no sampling",
            "shared_resistance",
            "alone_probability",
        )

    def curve(name: str) -> xr.Variable:
        return over(lambda c: getattr(c.curves[c.design.offset_left], name), "1", DERIVED, "size")

    data = {
        "energy": over(
            lambda c: c.energy + sequencing[id(c)][0],
            "J",
            f"{DERIVED}; word lines, comparator and leakage simulated; successive approximation "
            "from its gates, all clocked at each decision, half of them toggling (upper estimate); "
            "read only",
            "a_probability",
            "b_probability",
        ),
        "energy_stderr": over(
            lambda c: np.full_like(c.energy, np.nan),
            "J",
            "unknown: no second derivation of the energy",
            "a_probability",
            "b_probability",
        ),
        "sequencing_energy": over(
            lambda c: sequencing[id(c)][0], "J", "derived: gates of the successive approximation"
        ),
        "leakage_power": over(
            lambda c: c.leakage + sequencing[id(c)][1], "W", f"{SIMULATED}; gates derived"
        ),
        "delay": over(lambda c: c.delay, "s", "assumed: time of one read, checked by settling"),
        "area": variable((), first.area, "m2", f"{first.area_source}; sense stage shared"),
        "cell_area": variable((), first.cell_area, "m2", first.area_source),
        "miscount": counts("miscount", DERIVED, "found", "count"),
        "count_error_mean": counts("mean", DERIVED, "count"),
        "count_error_variance": counts("variance", DERIVED, "count"),
        "size_error_probability": curve("error_probability"),
        "size_worst_error_probability": curve("worst_error_probability"),
        "size_rms_error": curve("rms_error"),
        "usable_n": over(
            lambda c: [c.curves[share].usable for share in OFFSET_SHARES],
            "1",
            DERIVED,
            "offset_share",
        ),
        "usable_n_map": over(
            lambda c: c.usable_map, "1", DERIVED, "resistance_ratio", "sigma_ln_r_lrs"
        ),
        "line_drop": over(lambda c: c.line_drop, "1", DERIVED, "position"),
        "scheme_time": schemes("time", "s"),
        "scheme_energy": schemes("energy", "J", "write_probability"),
        "scheme_control": schemes("control", "V", "write_probability"),
        "scheme_sigma_threshold": schemes("sigma_threshold", "1", "write_probability"),
        "scheme_sigma_r_hrs": schemes("sigma_r_hrs", "1", "write_probability"),
        "scheme_disturb_set": schemes("disturb_set", "1"),
        "scheme_disturb_reset": schemes("disturb_reset", "1"),
        "group_probability": group_writes("marginal"),
        "group_correlation": group_writes("correlation"),
        "reset_energy": over(lambda c: c.reset.energy, "J", SIMULATED),
        "reset_probability": over(lambda c: c.reset.probability, "1", WRITTEN),
    }
    coordinates = {
        **conditions.environment_coordinates(),
        "a_probability": OPERANDS,
        "b_probability": OPERANDS,
        "word_probability": list(WORD_PROBABILITIES),
        "count": np.arange(design.cells + 1),
        "found": np.arange(design.cells + 1),
        "size": first.curves[design.offset_left].sizes,
        "offset_share": list(OFFSET_SHARES),
        "resistance_ratio": list(RATIOS),
        "sigma_ln_r_lrs": list(SIGMAS),
        "position": np.arange(design.cells),
        "scheme": list(first.schemes),
        "write_probability": PROBABILITIES,
        "shared_resistance": list(GROUP_RESISTANCES),
        "alone_probability": list(GROUP_PROBABILITIES),
    }
    trim = (
        f"after a {design.trim_bits}-bit trim of the comparator to {design.offset_left:g} of its "
        "offset (assumed)"
        if design.offset_left < 1
        else "untrimmed"
    )
    attributes = {
        "role": "mac",
        "description": f"1T1R column of {design.cells} cells, counted by successive approximation, "
        f"{trim}",
        "encoding": "unipolar",
        "adder": "current-sum",
        "fan_in": design.cells,
        "read_voltage_V": design.read_voltage,
        "signalling": "return-to-zero word lines, stored operand",
        "cells": json.dumps(dict(first.logic_gates)),
        "usable_n": first.usable,
        "usable_n_rule": f"P(wrong count) <= {LARGEST_ERROR:g} and rms <= {LARGEST_RMS:g}, mean "
        "over operands of 1/2",
        "schemes": json.dumps({name: _about(one) for name, one in first.schemes.items()}),
        "not_in_energy": "trim and reference taps",
        "worst_stress": str(first.worst),
    }
    return xr.Dataset(data, coordinates, attributes)


def _sequencing(character: ColumnCharacter, library: Library) -> tuple[float, float]:
    """Energy (J) of a read and leakage (W) of the successive approximation, per product bit."""
    register, energy, leakage = library.register, 0.0, 0.0
    for name, count in character.logic_gates.items():
        if name == REGISTER:
            energy += count * (register.hold + register.toggle) / 2
            leakage += count * register.leakage
        else:
            energy += count * float(library.gates[name].energy.mean())
            leakage += count * float(library.gates[name].leakage.mean())
    cells = character.design.cells
    return energy * character.design.decisions / cells, leakage / cells


def _about(scheme: WriteScheme) -> dict[str, object]:
    return {"half_selected": scheme.disturbed, "borne": bool(scheme.borne)}
