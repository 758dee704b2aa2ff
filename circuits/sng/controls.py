"""Control lines and sources of the SNG: the same in every cycle, or changed from cycle to cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySpice.Spice.Netlist import Circuit

from circuits.sng.design import EDGE, SENSE_EDGE, SngDesign
from circuits.sources import pwl

MARK_SPACING = 0.25e-9
"""s; spacing of the times at which the simulator must stop while the comparator decides."""
MARKS_AFTER = 0.35e-9
"""s; from the sense clock's edge to the first of them."""
_MARKS_A_PULSE = 4
_MARK_PULSES = 2
STEP_OF_CHANGE = 1e-9
"""s; a threshold or a write voltage changes within it."""


@dataclass(frozen=True)
class ControlLine:
    """A line that rests at ``rest`` (V) and leaves it in pulses of (start, width in s, level in V).

    ``width`` is that of the top; the edges of ``edge`` (s) come on either side of it.
    """

    rest: float
    pulses: tuple[tuple[float, float, float], ...]
    edge: float = EDGE


def control_lines(design: SngDesign, supply: float, highest: float) -> dict[str, ControlLine]:
    """Lines by node, for a resolved design; ``supply`` (V) is the core's.

    ``wrb``, ``upb`` and the sense clock ``clkb`` are active low; ``wrb`` rests at the highest
    write voltage, ``highest`` (V).
    """
    d = design
    assert d.gate_on is not None
    on = d.gate_on
    reset, write, read = (window[0] for window in d.windows())
    # The access path stays open while the bit line discharges after the write: a floating electrode
    # would follow the bit line and put the device under the opposite polarity.
    open_time = d.write_time + d.gap
    discharge = d.gap - 3 * EDGE
    after_write, after_read = write + 2 * EDGE + d.write_time, read + 2 * EDGE + d.read_time
    # The word line falls while the lines are still held, or it would take them below ground.
    reading = d.read_time + (d.gap - 6 * EDGE if d.conditional_reset else 0.0)
    writing = d.compliance_gate if d.terminal == "inert" else on
    late = EDGE if d.conditional_reset else 0.0  # the source line is held first
    word = (
        (reset + late, d.reset_time - late, on),
        (write, open_time, writing),
        (read, reading, on),
    )
    bit_line = [(reset, d.reset_time, on), (after_write, discharge, on)]
    source_line = [(write, open_time, on)]
    if d.conditional_reset:
        # Charge left by the read would flow through a device that is spared the RESET, and clear
        # its SET exposure.
        bit_line.append((after_read, discharge, on))
        source_line.append((after_read, discharge, on))
    return {
        "wl": ControlLine(0.0, word),
        "upb": ControlLine(d.reset_voltage, ((reset, d.reset_time, 0.0),)),
        "dn": ControlLine(0.0, tuple(source_line)),
        "wrb": ControlLine(highest, ((write, d.write_time, 0.0),)),
        "bz": ControlLine(0.0, tuple(bit_line)),
        "rd": ControlLine(0.0, ((read, d.read_time, on),)),
        "clkb": ControlLine(
            supply, ((d.sense_start(), d.sense_time - 2 * SENSE_EDGE, 0.0),), SENSE_EDGE
        ),
    }


def add_control_lines(circuit: Circuit, lines: dict[str, ControlLine], period: float) -> None:
    """Place the lines, each as one periodic source a pulse, in series.

    Long PWL lists make ngspice slow. The topmost source is called like the line.
    """
    for name, line in lines.items():
        node = name
        for index, (start, width, level) in enumerate(line.pulses):
            last = index == len(line.pulses) - 1
            below = "0" if last else f"{name}_{index}"
            base = line.rest if last else 0.0
            source = "" if index == 0 else f"_{index}"
            circuit.V(
                f"{name}{source}",
                node,
                below,
                f"PULSE({base:.10g} {base + level - line.rest:.10g} {start:.12g} {line.edge:g} "
                f"{line.edge:g} {width:.12g} {period:.12g})",
            )
            node = below


def add_marks(circuit: Circuit, start: float, period: float) -> None:
    """Sources without effect whose corners keep the steps short from a sense clock's edge on (s).

    ngspice does not see the charges of the comparator's nodes (fC against its chgtol of 10 fC), and
    implicit integration over steps longer than the time constant of the regeneration (0.1 ns) ends
    on the wrong side: without the marks the trip resistance is off by up to 55 %, with them by
    less than 0.2 %, at a tenth of the points a lower chgtol takes.
    """
    spacing = MARK_SPACING
    for index in range(_MARK_PULSES):
        begin = start + MARKS_AFTER + index * _MARKS_A_PULSE * spacing
        circuit.V(
            f"mark{index}",
            f"mark{index}",
            circuit.gnd,
            f"PULSE(0 1m {begin:.12g} {spacing:g} {spacing:g} {spacing:g} {period:.12g})",
        )


def per_cycle(design: SngDesign, values: Sequence[float], offset: float) -> str:
    """A value a cycle as a PWL source, changed ``offset`` (s) after the cycle's start."""
    points = [(0.0, float(values[0]))]
    for cycle in range(1, len(values)):
        if values[cycle] != values[cycle - 1]:
            start = cycle * design.cycle_time + offset
            points += [
                (start, float(values[cycle - 1])),
                (start + STEP_OF_CHANGE, float(values[cycle])),
            ]
    return pwl(points)
