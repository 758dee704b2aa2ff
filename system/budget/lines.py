"""Lines of the bill of materials and their totals; a total is the exact sum of its lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from system.budget.layout import Layout
from system.budget.units import Unit
from system.budget.workload import Workload

NORMAL_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Line:
    """One item: how many, how large, how often and at what energy (SI units).

    ``group`` is the heading it is drawn under, ``cell`` the origin of its unit energy: errors of
    lines with one origin move together. ``unit_energy`` is the mean over one training step. A
    ``stderr`` is that of the simulated energy, NaN where it is unknown. ``parts`` are the items of
    the lines that this one costs a share of; it moves with them.
    """

    item: str
    group: str
    cell: str
    count: float
    unit_area: float
    unit_leakage: float
    events_inference: float
    events_training: float
    energy_inference: float
    energy_training: float
    stderr_inference: float
    stderr_training: float
    count_source: str
    area_source: str
    energy_source: str
    leakage_source: str
    parts: tuple[str, ...] = ()

    @property
    def area(self) -> float:
        """m2."""
        return self.count * self.unit_area

    @property
    def leakage(self) -> float:
        """W."""
        return self.count * self.unit_leakage

    @property
    def unit_energy(self) -> float:
        """Mean energy (J) of one event over a training step; 0 where nothing happens."""
        return self.energy_training / self.events_training if self.events_training else 0.0


def unit_line(
    item: str,
    group: str,
    cell: str,
    unit: Unit,
    count: float,
    events: tuple[float, float],
    count_source: str,
) -> Line:
    """A line of ``count`` equal units with ``events`` per (inference, training step)."""
    inference, training = events
    return Line(
        item=item,
        group=group,
        cell=cell,
        count=count,
        unit_area=unit.area,
        unit_leakage=unit.leakage,
        events_inference=inference,
        events_training=training,
        energy_inference=inference * unit.energy,
        energy_training=training * unit.energy,
        stderr_inference=inference * unit.stderr if inference else 0.0,
        stderr_training=training * unit.stderr if training else 0.0,
        count_source=count_source,
        area_source=unit.area_source,
        energy_source=unit.energy_source,
        leakage_source=unit.leakage_source,
    )


@dataclass(frozen=True)
class Total:
    """A value, its unit and what it is; its interval is made in ``uncertainty``."""

    value: float
    unit: str
    meaning: str


@dataclass(frozen=True)
class Timing:
    """Times of the schedule in seconds; the rate is in training steps (images) per second.

    ``training_step`` is the mean over the epochs, ``update`` the part of it that the update takes.
    """

    bit: float
    inference: float
    training_step: float
    update: float
    requested_rate: float
    rate: float


@dataclass(frozen=True)
class Stage:
    """One stage of an inference of progressive precision: bits of its streams, the share of the
    images that run it, and what one of these costs (J, s) in it."""

    length: int
    reached: float
    energy: float
    latency: float


@dataclass(frozen=True)
class Progressive:
    """Inference that stops when the decision is safe, mean over ``images``; ``correct`` of them are
    right. ``lines`` are those of the bill with the mean energy of an inference."""

    stages: tuple[Stage, ...]
    images: int
    correct: int
    lines: tuple[Line, ...]
    latency: float

    @property
    def energy(self) -> float:
        """J, the sum of the lines."""
        return math.fsum(line.energy_inference for line in self.lines)


@dataclass(frozen=True)
class Amounts:
    """What the totals follow from, in SI units: numbers, or arrays of one shape.

    ``rate`` is in training steps per second, ``run`` how many the whole training took;
    ``progressive`` the (energy, latency) of an inference
    in stages, None where there is none.
    """

    area: Any
    leakage: Any
    energy_inference: Any
    energy_training: Any
    inference: Any
    training_step: Any
    rate: Any
    run: int
    progressive: tuple[Any, Any] | None

    def values(self) -> dict[str, Any]:
        """The totals of report.json by name, in its units."""
        found = {
            "area_mm2": self.area * 1e6,
            "power_uW": (self.energy_training * self.rate + self.leakage) * 1e6,
            "leakage_uW": self.leakage * 1e6,
            "energy_per_inference_J": self.energy_inference,
            "energy_per_training_step_J": self.energy_training,
            "energy_per_inference_with_leakage_J": self.energy_inference
            + self.leakage * self.inference,
            "energy_per_training_step_with_leakage_J": self.energy_training
            + self.leakage * self.training_step,
            "energy_of_training_run_J": (self.energy_training + self.leakage * self.training_step)
            * self.run,
            "time_of_training_run_s": self.training_step * self.run,
            "latency_s": self.inference,
            "training_step_latency_s": self.training_step,
        }
        if self.progressive is not None:
            names = "energy_per_progressive_inference_J", "progressive_latency_s"
            found |= dict(zip(names, self.progressive, strict=True))
        return found


@dataclass(frozen=True)
class Budget:
    """The bill of materials with what it was made from; ``run``: the training steps of training.nc,
    ``progressive`` where it was trained so."""

    lines: tuple[Line, ...]
    timing: Timing
    layout: Layout
    run: int
    progressive: Progressive | None
    assumptions: tuple[str, ...]
    not_modelled: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def workload(self) -> Workload:
        """What an image asks of the hardware."""
        return self.layout.work

    @property
    def area(self) -> float:
        """m2, the sum of the lines."""
        return math.fsum(line.area for line in self.lines)

    @property
    def leakage(self) -> float:
        """W, the sum of the lines."""
        return math.fsum(line.leakage for line in self.lines)

    @property
    def energy_inference(self) -> float:
        """J of one image, switching only, the sum of the lines."""
        return math.fsum(line.energy_inference for line in self.lines)

    @property
    def energy_training(self) -> float:
        """J of one image's training step, switching only, the sum of the lines."""
        return math.fsum(line.energy_training for line in self.lines)

    @property
    def power(self) -> float:
        """W: energy per step x steps per second + leakage."""
        return self.energy_training * self.timing.rate + self.leakage

    def share(self, of: Callable[[Line], float], group: str) -> float:
        """Part (0..1) of a quantity that the lines of one group hold."""
        total = math.fsum(of(line) for line in self.lines)
        part = math.fsum(of(line) for line in self.lines if line.group == group)
        return part / total if total else 0.0

    @property
    def amounts(self) -> Amounts:
        """What the totals follow from."""
        timing, early = self.timing, self.progressive
        return Amounts(
            self.area,
            self.leakage,
            self.energy_inference,
            self.energy_training,
            timing.inference,
            timing.training_step,
            timing.rate,
            self.run,
            None if early is None else (early.energy, early.latency),
        )

    def totals(self) -> dict[str, Total]:
        """The totals of report.json, in its units."""
        scheduled = self.workload.scheduled
        last = ", at the last epoch's stream lengths" if scheduled else ""
        mean = ", mean over the epochs of the schedule of stream lengths" if scheduled else ""
        said = {
            "area_mm2": ("mm2", "sum of count x unit area over the lines"),
            "power_uW": ("uW", "energy per training step x steps per second + leakage"),
            "leakage_uW": ("uW", "sum of the lines' leakage"),
            "energy_per_inference_J": ("J", f"switching energy of one image, forward{last}"),
            "energy_per_training_step_J": (
                "J",
                "switching energy of one image: forward, both gradients and its part of the "
                f"update{mean}",
            ),
            "energy_per_inference_with_leakage_J": (
                "J",
                f"energy per inference + leakage x latency{last}",
            ),
            "energy_per_training_step_with_leakage_J": (
                "J",
                f"energy per training step + leakage x latency of the step{mean}",
            ),
            "energy_of_training_run_J": (
                "J",
                f"all {self.run:,} training steps of training.nc at full speed, with leakage",
            ),
            "time_of_training_run_s": (
                "s",
                f"all {self.run:,} training steps of training.nc, one after the other",
            ),
            "latency_s": ("s", f"one inference, not pipelined{last}"),
            "training_step_latency_s": (
                "s",
                f"one training step of one image, not pipelined{mean}",
            ),
            "energy_per_progressive_inference_J": (
                "J",
                "switching energy of one image, forward, in stages until the decision is safe; "
                "mean over the images",
            ),
            "progressive_latency_s": (
                "s",
                "one inference in stages, mean over the images, not pipelined",
            ),
        }
        return {name: Total(value, *said[name]) for name, value in self.amounts.values().items()}
