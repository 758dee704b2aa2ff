"""The bill of an array: lines, totals, and totals at moved inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from system.budget.arrays.inputs import DRIVEN
from system.budget.arrays.lines import ArrayLine
from system.budget.lines import Total
from system.budget.uncertainty.inputs import Input

ENERGIES = {
    "energy_per_inference_J": "inference",
    "energy_per_training_image_J": "training_image",
    "programming_energy_J": "programming",
}
"""Totals of energy by the events that they sum."""


@dataclass(frozen=True)
class ArrayBill:
    """``lines``, ``latency`` (s) of an inference, what is assumed, what is left out, and what a
    reader must be warned of. ``trains`` says whether training happens on the array."""

    lines: tuple[ArrayLine, ...]
    latency: float
    trains: bool
    assumptions: tuple[str, ...]
    not_modelled: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    idle: tuple[Input, ...] = field(default=())

    @property
    def inputs(self) -> tuple[Input, ...]:
        """All that is uncertain in a line, each once, by name."""
        named = {
            one.name: one
            for line in self.lines
            for one in (*line.area_inputs, *line.energy_inputs, *line.leakage_inputs)
        }
        return tuple(named.values())

    def nominal(self) -> dict[str, Total]:
        """The totals in the units of report.json, with what they are."""
        values, meanings = self.totals({}), _MEANINGS
        return {name: Total(float(values[name]), *meanings[name]) for name in values}

    def totals(self, moved: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """By name, with some inputs at standard normal numbers and all others nominal."""

        def total(of: Callable[[ArrayLine], float], quantity: str) -> Any:
            return sum(of(line) * times(getattr(line, f"{quantity}_inputs")) for line in self.lines)

        def times(inputs: tuple[Input, ...]) -> Any:
            found: Any = 1.0
            for one in inputs:
                if one.name in moved and one.effect is not None:
                    found = found * np.exp(one.effect(moved[one.name]))
            return found

        def energy(what: str) -> Any:
            return total(lambda line: line.energy(what), "energy")

        return {
            "area_mm2": 1e6 * total(lambda line: line.area, "area"),
            "leakage_uW": 1e6 * total(lambda line: line.leakage, "leakage"),
            **{
                name: energy(what)
                for name, what in ENERGIES.items()
                if self.trains or what != "training_image"
            },
            "latency_s": self.latency,
        }


_MEANINGS = {
    "area_mm2": ("mm2", "sum of the lines"),
    "leakage_uW": ("uW", "sum of the lines, at all times"),
    "energy_per_inference_J": (
        "J",
        f"one image read through all layers, rows driven to {DRIVEN:.2g} of the energy of "
        "full ones (assumed)",
    ),
    "energy_per_training_image_J": (
        "J",
        f"forward pass, backward reads (rows driven to {DRIVEN:.2g}, assumed) and the mean "
        "programming pulses of an image",
    ),
    "programming_energy_J": ("J", "the array written once, before it is used"),
    "latency_s": (
        "s",
        "reads of all layers one after the other, position by position, all columns at once; "
        "converters and digital logic keep up (assumed)",
    ),
}
