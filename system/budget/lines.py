"""Lines of the bill of materials and their totals; a total is the exact sum of its lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from system.budget.layout import Layout
from system.budget.units import Unit
from system.budget.workload import Workload

NORMAL_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Line:
    """One item: how many, how large, how often and at what energy (SI units).

    ``group`` is the heading it is drawn under, ``cell`` the origin of its unit energy: errors of
    lines with one origin add linearly, those of different origins in quadrature. ``unit_energy``
    is the mean over one training step. A ``stderr`` is NaN where it is unknown.
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
    """A value with its 95 % interval, or None and the reason why there is none."""

    value: float
    unit: str
    interval95: tuple[float, float] | None
    reason: str
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
    right. ``energy`` (J) carries its ``interval95``, or None with the reason."""

    stages: tuple[Stage, ...]
    images: int
    correct: int
    energy: float
    interval95: tuple[float, float] | None
    reason: str
    latency: float


@dataclass(frozen=True)
class Budget:
    """The bill of materials with what it was made from; ``progressive`` where it was trained so."""

    lines: tuple[Line, ...]
    timing: Timing
    layout: Layout
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

    def totals(self) -> dict[str, Total]:
        """The totals of report.json, in its units."""
        unstated = "unknown: published and assumed unit areas come without an error"
        no_leakage_error = "unknown: no line's leakage comes with an error"
        chosen = "exact: follows from the chosen phase times, stream lengths and clock"
        inference = interval(
            self.energy_inference, self.lines, lambda x: (x.energy_inference, x.stderr_inference)
        )
        training = interval(
            self.energy_training, self.lines, lambda x: (x.energy_training, x.stderr_training)
        )
        timing, scheduled = self.timing, self.workload.scheduled
        last = ", at the last epoch's stream lengths" if scheduled else ""
        mean = ", mean over the epochs of the schedule of stream lengths" if scheduled else ""

        def exact(value: float, meaning: str) -> Total:
            return Total(value, "s", (value, value), chosen, meaning)

        totals = {
            "area_mm2": Total(
                math.fsum(line.area * 1e6 for line in self.lines),
                "mm2",
                None,
                unstated,
                "sum of count x unit area over the lines",
            ),
            "power_uW": Total(
                self.power * 1e6,
                "uW",
                None,
                no_leakage_error,
                "energy per training step x steps per second + leakage",
            ),
            "leakage_uW": Total(
                self.leakage * 1e6, "uW", None, no_leakage_error, "sum of the lines' leakage"
            ),
            "energy_per_inference_J": Total(
                self.energy_inference,
                "J",
                *inference,
                f"switching energy of one image, forward{last}",
            ),
            "energy_per_training_step_J": Total(
                self.energy_training,
                "J",
                *training,
                "switching energy of one image: forward, both gradients and its part of the "
                f"update{mean}",
            ),
            "energy_per_inference_with_leakage_J": Total(
                self.energy_inference + self.leakage * timing.inference,
                "J",
                None,
                no_leakage_error,
                f"energy per inference + leakage x latency{last}",
            ),
            "energy_per_training_step_with_leakage_J": Total(
                self.energy_training + self.leakage * timing.training_step,
                "J",
                None,
                no_leakage_error,
                f"energy per training step + leakage x latency of the step{mean}",
            ),
            "latency_s": exact(timing.inference, f"one inference, not pipelined{last}"),
            "training_step_latency_s": exact(
                timing.training_step, f"one training step of one image, not pipelined{mean}"
            ),
        }
        if self.progressive is not None:
            early = self.progressive
            totals["energy_per_progressive_inference_J"] = Total(
                early.energy,
                "J",
                early.interval95,
                early.reason,
                "switching energy of one image, forward, in stages until the decision is safe; "
                "mean over the images",
            )
            totals["progressive_latency_s"] = exact(
                early.latency, "one inference in stages, mean over the images, not pipelined"
            )
        return totals


def interval(
    value: float, lines: Iterable[Line], pick: Callable[[Line], tuple[float, float]]
) -> tuple[tuple[float, float] | None, str]:
    """95 % interval of a sum from the lines' standard errors, or None with the reason.

    ``pick`` gives a line's energy and its standard error. Errors of one origin (``cell``) are
    taken as fully correlated, those of different origins as independent.
    """
    by_cell: dict[str, list[float]] = {}
    unknown, known = [], []
    for line in lines:
        energy, stderr = pick(line)
        if energy and math.isnan(stderr):
            unknown.append(line.item)
        elif energy:
            known.append(energy)
            by_cell.setdefault(line.cell, []).append(stderr)
    spread = NORMAL_95 * math.sqrt(math.fsum(math.fsum(part) ** 2 for part in by_cell.values()))
    if unknown:
        return None, (
            f"unknown: no error is stated for the unit energy of {'; '.join(unknown)}. The lines "
            f"with a stated error hold {math.fsum(known) / value:.2%} of the value, with a 95 % "
            f"half-width of {spread:.3g}"
        )
    return (value - spread, value + spread), "propagated from the standard errors of cells.nc"
