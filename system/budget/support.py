"""What stands around the cells: memories, the arithmetic of the update, write-voltage DACs."""

from __future__ import annotations

import math

from formats.errors import InputError
from system.architecture import Architecture
from system.budget import published
from system.budget.lines import Line
from system.budget.units import Unit
from system.budget.update import UpdateRule
from system.budget.workload import TABLES, Workload

UNKNOWN = float("nan")


def memory_lines(work: Workload, rule: UpdateRule, architecture: Architecture) -> list[Line]:
    """SRAM of weights, optimiser state, gradient sums, activations, errors, and weight streams that
    outlive an image; events are bits."""
    updates = work.parameters / work.batch_size
    word = work.stream_length.bit_length() + 1  # a count 0..N, and a sign
    every, forward = work.products, work.forward
    weights, state = architecture.weight_bits, architecture.state_bits
    activations = work.streams("activation", forward)
    errors = math.fsum(work.generators("error").values())
    lines = [
        _memory(
            "Weight memory",
            work.parameters * weights,
            work.settings("parameter", forward) * weights,
            (work.settings("parameter", every) + 2 * updates) * weights,
        ),
        _memory(
            "Activation memory",
            math.fsum(work.generators("activation").values()) * word,
            2 * activations * word,
            (activations + work.streams("activation", every)) * word,
        ),
        _memory("Error memory", errors * word, 0.0, (errors + work.streams("error", every)) * word),
    ]
    if rule.state_words:
        bits = work.parameters * rule.state_words * state
        accesses = 2 * updates * rule.state_words * state
        lines.insert(1, _memory("Optimiser state memory", bits, 0.0, accesses))
    if work.batch_size > 1:
        bits = work.parameters * architecture.gradient_bits
        lines.insert(-2, _memory("Gradient sum memory", bits, 0.0, 2.0 * bits))
    if work.stored:
        # Every weight stream of a step: the images follow one another, and each of them writes
        # (the first of a life) or reads (the others) every bit once.
        ahead, step = (work.stream_length * work.met(p) for p in (work.forward, work.products))
        lines.append(_memory("Weight stream memory", step, ahead, step))
    return lines


def _memory(item: str, bits: float, inference: float, training: float) -> Line:
    access = published.BIT_ACCESS_ENERGY
    return Line(
        item=item,
        group="Memory",
        cell="published access energy",
        count=bits,
        unit_area=published.SRAM_BIT_AREA.value,
        unit_leakage=published.SRAM_BIT_LEAKAGE.value,
        events_inference=inference,
        events_training=training,
        energy_inference=inference * access.value,
        energy_training=training * access.value,
        stderr_inference=inference * UNKNOWN if inference else 0.0,
        stderr_training=training * UNKNOWN if training else 0.0,
        count_source=f"{TABLES}; word width from the architecture; events are bits accessed",
        area_source=published.SRAM_BIT_AREA.source,
        energy_source=access.source,
        leakage_source=published.SRAM_BIT_LEAKAGE.source,
    )


def update_lines(
    work: Workload, rule: UpdateRule, architecture: Architecture, full_adder: Unit
) -> list[Line]:
    """The binary unit that applies the update; widths scale the published 8-bit figures."""
    ratio = architecture.weight_bits / 8
    updates = work.parameters / work.batch_size
    gradient_sums = float(work.parameters) if work.batch_size > 1 else 0.0
    cells_of_8 = {"adders": 8, "multipliers": 64}
    plan = (
        (
            "adders",
            rule.additions,
            updates * rule.additions + gradient_sums,
            ratio,
            published.ADDER8_AREA,
            published.ADDER8_ENERGY,
            "x width / 8",
        ),
        (
            "multipliers",
            rule.multiplications,
            updates * rule.multiplications,
            ratio**2,
            published.MULTIPLIER8_AREA,
            published.MULTIPLIER8_ENERGY,
            "x (width / 8)^2",
        ),
    )
    return [
        Line(
            item=f"Update unit {name} ({architecture.weight_bits} bit)",
            group="Update",
            cell="published binary arithmetic",
            count=float(count * architecture.update_units),
            unit_area=area.value * scale,
            unit_leakage=full_adder.leakage * cells_of_8[name] * scale,
            events_inference=0.0,
            events_training=events,
            energy_inference=0.0,
            energy_training=events * energy.value * scale,
            stderr_inference=0.0,
            stderr_training=UNKNOWN if events else 0.0,
            count_source=f"derived: {rule.name} update {rule.formula}",
            area_source=f"{area.source}, {law} (assumed)",
            energy_source=f"{energy.source}, {law} (assumed)",
            leakage_source=f"{full_adder.leakage_source}, x {cells_of_8[name]} full adders at 8 "
            f"bit, {law} (assumed)",
        )
        for name, count, events, scale, area, energy, law in plan
    ]


def dac_lines(work: Workload, area: float | None, energy: float | None) -> list[Line]:
    """The write-voltage DACs, where the user gives their figures."""
    if area is None and energy is None:
        return []
    if area is None or energy is None:
        raise InputError("--dac-area-um2", "and --dac-energy-pJ belong together; give both")
    if not all(math.isfinite(value) and value >= 0 for value in (area, energy)):
        raise InputError("--dac-area-um2", "and --dac-energy-pJ must be finite and not negative")
    kinds = ("parameter", "activation", "error")
    inference, training = (
        math.fsum(work.settings(kind, products) for kind in kinds)
        for products in (work.forward, work.products)
    )
    return [
        Line(
            item="Write-voltage DACs",
            group="DACs",
            cell="DAC option",
            count=math.fsum(n for kind in kinds for n in work.generators(kind).values()),
            unit_area=area,
            unit_leakage=0.0,
            events_inference=inference,
            events_training=training,
            energy_inference=inference * energy,
            energy_training=training * energy,
            stderr_inference=UNKNOWN,
            stderr_training=UNKNOWN,
            count_source=f"{TABLES}; one DAC an SNG, one conversion a stream (a bit where weights "
            "take turns)",
            area_source="assumed: given by the user with --dac-area-um2",
            energy_source="assumed: given by the user with --dac-energy-pJ",
            leakage_source="assumed: none counted",
        )
    ]
