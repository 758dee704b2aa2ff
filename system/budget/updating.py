"""The lines of the update's binary part: adding to registers, rounding, and what a binary rule
multiplies. Products of an update on streams run on SNGs and MACs and stand in their lines."""

from __future__ import annotations

from system.architecture import Architecture, Figure
from system.budget.lines import Line, unit_line
from system.budget.units import Unit
from system.budget.workload import Workload

GROUP = "Update"
ROUNDING_BITS = 16
"""Random bits of one rounding, as the training has them."""
FEEDBACK = 3
"""XOR gates of a maximal-length LFSR of 16 bits, which needs four taps."""
_CELLS_OF_8 = {"adders": 8, "multipliers": 64}


def update_width(work: Workload) -> int:
    """Bits of the update unit: the widest register that it reads or writes."""
    widths = [work.widths.weight]
    if work.rule.state_words:
        widths.append(work.widths.state)
    if work.batch_size > 1:
        widths.append(work.widths.gradient)
    return max(widths)


def update_lines(
    work: Workload, architecture: Architecture, full_adder: Unit, register: Unit, xor: Unit
) -> list[Line]:
    """The unit that writes parameters and state; widths scale the published 8-bit figures.

    An update on streams takes one count after the other into its register, a binary one all words
    of a parameter at once.
    """
    rule, width, units = work.rule, update_width(work), architecture.update_units
    figures = architecture.figures
    streamed, binary = (
        parameters / work.batch_size
        for parameters in (work.streamed_parameters, work.binary_parameters)
    )
    gradient_sums = float(work.parameters) if work.batch_size > 1 else 0.0
    rounded = (streamed + binary) * rule.roundings
    at_once = rule.roundings if binary else 1
    added = streamed * rule.stream_additions + binary * rule.additions + gradient_sums
    # After a product at most two numbers join its count: m - l m + g.
    adders = rule.additions if binary else min(2, rule.stream_additions)
    said = f"derived: {rule.name} update {rule.formula}; " + _where(work)
    ratio = width / 8
    lines = [
        _arithmetic_line(
            f"Update unit adders ({width} bit)",
            "adders",
            units * adders,
            added,
            (figures.adder8_area, figures.adder8_energy),
            (ratio, "x width / 8"),
            full_adder,
            said,
        )
    ]
    if binary and rule.multiplications:
        lines.append(
            _arithmetic_line(
                f"Update unit multipliers ({width} bit)",
                "multipliers",
                units * rule.multiplications,
                binary * rule.multiplications,
                (figures.multiplier8_area, figures.multiplier8_energy),
                (ratio**2, "x (width / 8)^2"),
                full_adder,
                said,
            )
        )
    rounding = f"{said}; {rule.roundings} roundings a parameter"
    return [
        *lines,
        _arithmetic_line(
            f"Rounding adders ({width} bit)",
            "adders",
            units * at_once,
            rounded,
            (figures.adder8_area, figures.adder8_energy),
            (ratio + ROUNDING_BITS / 8, "x (width + random bits) / 8"),
            full_adder,
            rounding,
        ),
        unit_line(
            "Rounding LFSR registers",
            GROUP,
            "dff",
            register,
            float(units * at_once * ROUNDING_BITS),
            (0.0, rounded * ROUNDING_BITS),
            rounding,
        ),
        unit_line(
            "Rounding LFSR feedback",
            GROUP,
            "xor2",
            xor,
            float(units * at_once * FEEDBACK),
            (0.0, rounded * FEEDBACK),
            f"{rounding}; {FEEDBACK} gates an LFSR of {ROUNDING_BITS} bits",
        ),
    ]


def _where(work: Workload) -> str:
    if not work.updates:
        return "in binary arithmetic"
    if work.binary_parameters:
        return (
            f"on streams for {work.streamed_parameters:.0f} parameters, in binary arithmetic for "
            f"{work.binary_parameters:.0f}"
        )
    return "its products on streams, its sums binary"


def _arithmetic_line(
    item: str,
    kind: str,
    count: float,
    events: float,
    figures: tuple[Figure, Figure],
    scaling: tuple[float, str],
    full_adder: Unit,
    count_source: str,
) -> Line:
    (area, energy), (scale, law) = figures, scaling
    unit = Unit(
        area=area.value * scale,
        energy=energy.value * scale,
        stderr=float("nan"),
        leakage=full_adder.leakage * _CELLS_OF_8[kind] * scale,
        delay=0.0,
        area_source=f"{area.source}, {law} (assumed)",
        energy_source=f"{energy.source}, {law} (assumed)",
        leakage_source=f"{full_adder.leakage_source}, x {_CELLS_OF_8[kind]} full adders at 8 bit, "
        f"{law} (assumed)",
    )
    cell = "published binary arithmetic"
    return unit_line(item, GROUP, cell, unit, float(count), (0.0, events), count_source)
