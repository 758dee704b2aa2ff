"""Lines of the bill of an array; a total is the exact sum of its lines."""

from __future__ import annotations

from dataclasses import dataclass

from system.budget.uncertainty.inputs import Input


@dataclass(frozen=True)
class Events:
    """How often something happens: in an inference, for an image of the training (its forward pass
    included), and when the array is programmed first."""

    inference: float = 0.0
    training_image: float = 0.0
    programming: float = 0.0


@dataclass(frozen=True)
class ArrayLine:
    """``count`` equal things of ``unit_area`` (m2) and ``unit_leakage`` (W), to which ``events`` of
    ``unit_energy`` (J) happen.

    ``group`` is the heading it is drawn under. ``area_inputs``, ``energy_inputs`` and
    ``leakage_inputs`` are uncertain figures that these amounts are proportional to; one that
    several lines name moves them together. Sources begin with their kind.
    """

    item: str
    group: str
    count: float
    unit_area: float
    unit_energy: float
    unit_leakage: float
    events: Events
    count_source: str
    area_source: str
    energy_source: str
    leakage_source: str
    area_inputs: tuple[Input, ...] = ()
    energy_inputs: tuple[Input, ...] = ()
    leakage_inputs: tuple[Input, ...] = ()

    @property
    def area(self) -> float:
        """m2."""
        return self.count * self.unit_area

    @property
    def leakage(self) -> float:
        """W."""
        return self.count * self.unit_leakage

    def energy(self, what: str) -> float:
        """J of an ``inference``, a ``training_image`` or the ``programming``."""
        return float(getattr(self.events, what)) * self.unit_energy
