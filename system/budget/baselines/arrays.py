"""Arrays of binary MACs that do the work of the bill: the same products, the same memories."""

from __future__ import annotations

import math
from dataclasses import dataclass

from system.budget.baselines.figures import BaselineMac
from system.budget.lines import Budget, Line

MEMORIES = (
    "Weight memory",
    "Optimiser state memory",
    "Gradient sum memory",
    "Activation memory",
    "Error memory",
)
"""Lines of the bill that a binary computer needs too, at the same word widths and accesses (one
read of a number for each stream that ours makes of it)."""
Pair = tuple[float, float]


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates of an inference and of a training step of one image."""

    inference: float
    training: float


@dataclass(frozen=True)
class Memories:
    """The memories of the bill (SI units): area, energies, leakage."""

    area: float
    inference: float
    training: float
    leakage: float


@dataclass(frozen=True)
class Array:
    """``units`` MACs (SI units, low to high): area and energies of the MACs alone, and with the
    memories; ``latency`` and ``step`` at full speed; power at the bill's rate, not clocked else."""

    mac: BaselineMac
    layout: str
    units: int
    area: Pair
    area_with_memories: Pair
    inference: Pair
    inference_with_memories: Pair
    training: Pair
    training_with_memories: Pair
    leakage: Pair
    latency: float
    step: float
    power: Pair
    power_with_memories: Pair


def work_of(bill: Budget) -> Work:
    """Products of the same network: those on streams (the update's too), in plain arithmetic, and
    those of a binary update."""
    work = bill.workload
    return Work(
        math.fsum(p.macs for p in work.forward) + math.fsum(p.macs for p in work.binary_forward),
        math.fsum(p.macs for p in work.products)
        + math.fsum(p.macs for p in work.binary)
        + _binary_update(bill),
    )


def _binary_update(bill: Budget) -> float:
    """Multiplications of the part of the update that is binary, per image."""
    work = bill.workload
    return work.binary_parameters * work.rule.multiplications / work.batch_size


def memories_of(lines: tuple[Line, ...]) -> Memories:
    """The memories that both computers need."""
    kept = [line for line in lines if line.item in MEMORIES]
    return Memories(
        math.fsum(line.area for line in kept),
        math.fsum(line.energy_inference for line in kept),
        math.fsum(line.energy_training for line in kept),
        math.fsum(line.leakage for line in kept),
    )


def arrays(mac: BaselineMac, bill: Budget) -> list[Array]:
    """The fewest MACs that are as fast as ours in both uses, and as many MACs as ours."""
    work, goal = work_of(bill), (bill.timing.inference, bill.timing.training_step)
    units = max(
        1,
        math.ceil(work.inference * mac.interval.value / goal[0]),
        math.ceil(work.training * mac.interval.value / goal[1]),
    )
    while any(x > y for x, y in zip(latencies(mac, bill, units), goal, strict=True)):
        units += 1
    many = max(1, round(bill.layout.macs()))
    return [
        array(mac, bill, "as fast as ours", units),
        array(mac, bill, "as many MACs as ours", many),
    ]


def latencies(mac: BaselineMac, bill: Budget, units: int) -> Pair:
    """Seconds of an inference and of a training step: the products of a layer one after the other,
    their multiply-accumulates shared evenly by the MACs."""
    work = bill.workload
    forward = [p.macs for p in work.forward] + [p.macs for p in work.binary_forward]
    every = [p.macs for p in work.products] + [p.macs for p in work.binary]
    turns = [sum(math.ceil(macs / units) for macs in counts) for counts in (forward, every)]
    turns[1] += math.ceil(_binary_update(bill) / units)
    return turns[0] * mac.interval.value, turns[1] * mac.interval.value


def array(mac: BaselineMac, bill: Budget, layout: str, units: int) -> Array:
    """``units`` MACs at full speed, and their power at the bill's frame rate."""
    work, memory = work_of(bill), memories_of(bill.lines)
    area, energy = mac.registered()
    latency, step = latencies(mac, bill, units)
    leakage = _scaled((mac.leakage[0].value, mac.leakage[1].value), units)
    inference, training = _scaled(energy, work.inference), _scaled(energy, work.training)
    rate = min(bill.timing.rate, 1 / step)
    power = _added(_scaled(training, rate), leakage)
    return Array(
        mac=mac,
        layout=layout,
        units=units,
        area=_scaled(area, units),
        area_with_memories=_more(_scaled(area, units), memory.area),
        inference=inference,
        inference_with_memories=_more(inference, memory.inference),
        training=training,
        training_with_memories=_more(training, memory.training),
        leakage=leakage,
        latency=latency,
        step=step,
        power=power,
        power_with_memories=_more(power, memory.training * rate + memory.leakage),
    )


def _scaled(pair: Pair, factor: float) -> Pair:
    return pair[0] * factor, pair[1] * factor


def _more(pair: Pair, constant: float) -> Pair:
    return pair[0] + constant, pair[1] + constant


def _added(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]
