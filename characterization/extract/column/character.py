"""Everything about an in-memory column: counts and their errors, writing, energy, area."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.constants import Boltzmann

from characterization.extract.column.access import Access, access_curves, compliance_gate
from characterization.extract.column.counts import (
    CellSpread,
    Counts,
    Sense,
    count_statistics,
    mean_current,
)
from characterization.extract.column.group_write import GroupWrite
from characterization.extract.column.ladder import solve_ladder
from characterization.extract.column.read import Read, characterise_read, pattern
from characterization.extract.column.usable import Curve, usable_curve, usable_map
from characterization.extract.column.write import (
    PROBABILITIES,
    ColumnReset,
    WriteScheme,
    characterise_reset,
    characterise_write,
    group_table,
)
from circuits.mac.column import (
    ColumnDesign,
    column_design,
    sense_parts,
    sense_resistance,
    write_voltage,
)
from circuits.mac.column_write import SCHEMES
from circuits.part import areas
from circuits.ratings import Stress
from circuits.simulator import Simulator
from devices.cbram import CBRAM
from devices.technology import Technology
from formats.errors import InputError

OPERANDS = np.linspace(0.0, 1.0, 11)
"""Grid of operand probabilities of the energy."""
WORD_PROBABILITIES = (0.0, 0.5, 1.0)
"""P(word-line bit = 1) at which the counts are given, stored bits 1 with 1/2: none, some and all
cells that are no product bit are selected (HRS shares 0, 1/3 and 1)."""
OFFSET_SHARES = (1.0, 0.1, 0.0)
"""Shares of the comparator's offset left for which the usable n is given."""
GROUP_PROBABILITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""P of a cell written alone, whose voltages the group writes are made at."""
GROUP_RESISTANCES = (0.0, 1e3, 1e4, 1e5, 1e6)
"""ohm; shared by the cells of a group write."""
RESISTOR_SHEET = 1e3
RESISTOR_WIDTH = 0.2e-6
RESISTOR_SPACING = 0.2e-6
"""ohm per square, m, m: high-resistance poly; assumed."""


@dataclass(frozen=True)
class ColumnCharacter:
    """Result of :func:`characterise_column`.

    ``counts`` by P(word-line bit) of ``WORD_PROBABILITIES``; ``curves`` by the share of the
    comparator's offset left; ``usable_map[ratio, sigma]``: usable n against R_HRS/R_LRS
    (``RATIOS``) and sigma of ln R_LRS (``SIGMAS``) at the design's share. ``energy[a, b]`` (J) is
    that of a read per product bit, over ``OPERANDS`` (a: P(stored 1), b: P(word-line 1), each
    word-line 1 one rise and fall). ``leakage`` (W), ``area`` (m2) and ``energy`` are per cell with
    its share of what the column shares; ``delay`` (s) is that of one read, which gives the count of
    the whole column.

    ``offset_sigma``, ``noise_sigma`` (V) are those of the comparator; ``line_drop[i]``: share of
    the bit line's voltage lost at position i with all bits 1; ``model_error``: largest distance of
    the predicted from the simulated sense node, in steps from count to count.
    ``group_writes[r][p]`` follow ``GROUP_RESISTANCES`` and ``GROUP_PROBABILITIES``.
    ``logic_gates``: gates of the successive approximation, whose energy is not in ``energy``.
    ``energy_parts`` (J) at a = b = 1/2 sum up to ``energy`` there.
    """

    design: ColumnDesign
    access: Access
    cells: CellSpread
    sense: Sense
    counts: Mapping[float, Counts]
    curves: Mapping[float, Curve]
    usable_map: np.ndarray
    schemes: Mapping[str, WriteScheme]
    reset: ColumnReset
    group_voltages: np.ndarray
    group_writes: list[list[GroupWrite]]
    read: Read
    energy: np.ndarray
    energy_parts: Mapping[str, float]
    leakage: float
    delay: float
    area: float
    cell_area: float
    area_source: str
    logic_gates: Mapping[str, int]
    offset_sigma: float
    noise_sigma: float
    line_drop: np.ndarray
    model_error: float
    worst: Stress

    @property
    def fan_in(self) -> int:
        """Cells of the column."""
        return self.design.cells

    @property
    def usable(self) -> int:
        """Largest usable n at the design's own share of the offset."""
        return self.curves[self.design.offset_left].usable


def characterise_column(
    simulator: Simulator,
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> ColumnCharacter:
    """Simulate a column's parts, derive its counts, writing, energy and area.

    Raises :class:`InputError` for a device no transistor of the technology writes, and for a
    column that does not settle or decide in its time or exceeds a rating in a read or RESET.
    """
    if design is None:
        design = simulated_design(simulator, device, technology)
    progress("column: transistors, sense stage")
    access = access_curves(simulator, technology, design, _highest(device, design))
    cells = cell_spread(device, design, access)
    sense = sense_stage(device, technology, design, access)
    counts = {b: count_statistics(cells, sense, design.cells, 0.5, b) for b in WORD_PROBABILITIES}
    shares = dict.fromkeys((*OFFSET_SHARES, design.offset_left))
    curves = {s: usable_curve(cells, sense_at(device, design, sense, s)) for s in shares}
    step = -np.diff(counts[0.5].sense_voltage)
    progress("column: reads")
    read = characterise_read(simulator, device, technology, design, step)
    _refuse_slow(device, design, read)
    progress("column: write schemes")
    schemes = {s: characterise_write(simulator, device, technology, design, s) for s in SCHEMES}
    _refuse_weak_write(device, schemes["sequential"])
    reset, reset_stress = characterise_reset(simulator, device, technology, design)
    worst = max(read.worst, reset_stress, key=lambda stress: stress.voltage / stress.rating)
    if worst.violated:
        raise InputError(device.name, f"cell column, transistor {worst}; lower its voltages")
    voltages = [write_voltage(device, p, design.write_time) for p in GROUP_PROBABILITIES]
    cell_area, area_source = technology.one_t_one_r_area(
        _borne(schemes["sequential"], design), design.access_width
    )
    gates = sense_gates(design)
    shared = shared_area(technology, device, design, gates)
    parts = _energy_parts(cells, sense, design, read, 0.5, 0.5)
    return ColumnCharacter(
        design=design,
        access=access,
        cells=cells,
        sense=sense,
        counts=counts,
        curves=curves,
        usable_map=usable_map(cells, sense_at(device, design, sense, design.offset_left)),
        schemes=schemes,
        reset=reset,
        group_voltages=np.array(voltages),
        group_writes=list(
            map(
                list,
                zip(
                    *group_table(device, access, design, voltages, GROUP_RESISTANCES),
                    strict=True,
                ),
            )
        ),
        read=read,
        energy=np.array(
            [
                [sum(_energy_parts(cells, sense, design, read, a, b).values()) for b in OPERANDS]
                for a in OPERANDS
            ]
        ),
        energy_parts=parts,
        leakage=read.leakage / design.cells,
        delay=design.read_time,
        area=cell_area + shared / design.cells,
        cell_area=cell_area,
        area_source=area_source,
        logic_gates=gates,
        offset_sigma=sense.offset_sigma,
        noise_sigma=sense.noise_sigma,
        line_drop=1.0 - counts[0.5].cell_voltage[-1] / counts[0.5].cell_voltage[-1][0],
        model_error=_model_error(device, design, access, cells, sense, read, step),
        worst=worst,
    )


def simulated_design(
    simulator: Simulator, device: CBRAM, technology: Technology, cells: int = ColumnDesign.cells
) -> ColumnDesign:
    """The design of :func:`column_design`, an I/O word line's write level set by its current.

    Raises :class:`InputError` for a device that no transistor of the technology writes.
    """
    try:
        design = column_design(device, technology, cells)
        if design.access_role == "nmos_io":
            level = compliance_gate(simulator, technology, design)
            design = replace(design, compliance_gate=level)
    except ValueError as error:
        raise InputError(device.name, f"in-memory column: {error}") from error
    return design


def cell_spread(device: CBRAM, design: ColumnDesign, access: Access) -> CellSpread:
    """The cells at the bit line's voltage in the middle of its range."""
    c = device.conduction
    line = design.read_voltage / (1 + design.sense_ratio / 2)
    lrs, hrs = c.r_lrs.value, c.r_hrs.value
    return CellSpread(
        r_lrs=lrs,
        r_hrs=hrs,
        sigma_ln_r_lrs=c.sigma_ln_r_lrs.value,
        sigma_ln_r_hrs=c.sigma_ln_r_hrs.value,
        on_lrs=access.on_resistance(line, lrs),
        on_hrs=access.on_resistance(line, hrs),
        off_lrs=access.leakage(line, lrs),
        off_hrs=access.leakage(line, hrs),
    )


def sense_stage(
    device: CBRAM, technology: Technology, design: ColumnDesign, access: Access
) -> Sense:
    """Resistor, switches and wires of the design; offset and noise of its comparator.

    Offset: the threshold difference of the input pair (Pelgrom). Noise: that of the sense node's
    capacitance, kT/C, and 2 kT/C of the pair's own gates, as if it had no gain while it integrates
    (both derived, the second an upper bound by assumption).
    """
    w, length = design.comparator_width, design.comparator_length
    offset = math.sqrt(2.0) * technology.sigma_vt("pmos", w, length) * design.offset_left
    thermal = Boltzmann * technology.temperature
    gates = technology.transistors["pmos"].oxide_capacitance * w * length
    line = design.sense_capacitance + design.cells * design.wire_capacitance
    return Sense(
        read_voltage=design.read_voltage,
        resistance=sense_resistance(device, design),
        level=access.level,
        isolation=access.isolation,
        wire=design.wire_resistance,
        ground=access.ground,
        offset_sigma=offset,
        noise_sigma=math.sqrt(thermal / line + 2 * thermal / gates),
    )


def sense_at(
    device: CBRAM, design: ColumnDesign, sense: Sense, offset_left: float
) -> Callable[[int], Sense]:
    """The sense stage of a column of n cells: resistor and switches scale with n, wires do not."""

    def of(n: int) -> Sense:
        other = replace(design, cells=n)
        return replace(
            sense,
            resistance=sense_resistance(device, other),
            isolation=sense.isolation * design.cells / n,
            ground=sense.ground * design.ground_width / other.ground_width,
            offset_sigma=sense.offset_sigma * offset_left / design.offset_left,
        )

    return of


def sense_gates(design: ColumnDesign) -> dict[str, int]:
    """Gates of the successive approximation (a sequence and a result bit a decision) and trim."""
    decisions = design.decisions
    return {"dff": 2 * decisions + design.trim_bits, "nand2": 2 * decisions + design.trim_bits}


def shared_area(
    technology: Technology, device: CBRAM, design: ColumnDesign, gates: Mapping[str, int]
) -> float:
    """Area (m2) of what the cells of a column share.

    Comparator, isolation, write driver, ground and pull-up switches, a binary tree of 2(n - 1)
    transmission gates to the taps (an inverter's area each), the logic, the sense resistor and the
    column's share of the ladder.
    """
    io = technology.io_area
    isolation = design.isolation_width * design.cells
    if design.access_role == "nmos_io":
        switch = io(isolation)
    else:
        switch = isolation * technology.area_rules.gate_pitch
    drivers = io(design.driver_width) + 3 * io(design.ground_width)
    logic = sum(count * technology.gate_areas[gate] for gate, count in gates.items())
    taps = 2 * (design.cells - 1) * technology.gate_areas["inv"]
    resistors = (
        resistor_area(sense_resistance(device, design))
        + resistor_area(design.ladder_resistance) / design.columns_per_ladder
    )
    comparator = sum(areas(technology, sense_parts(design)).values())
    return switch + drivers + logic + taps + resistors + comparator


def resistor_area(resistance: float) -> float:
    """Area (m2) of a poly resistor (ohm) with its spacing."""
    length = max(1.0, resistance / RESISTOR_SHEET) * RESISTOR_WIDTH
    return (RESISTOR_WIDTH + RESISTOR_SPACING) * (length + RESISTOR_SPACING)


def _energy_parts(
    cells: CellSpread, sense: Sense, design: ColumnDesign, read: Read, a: float, b: float
) -> dict[str, float]:
    """Energy (J) per product bit of a read, by where it goes."""
    n = design.cells
    current, law = mean_current(cells, sense, n, a, b)
    ladder = design.read_voltage**2 / design.ladder_resistance / design.columns_per_ladder
    return {
        "bit line": design.read_voltage * float(law @ current) * design.read_time / n,
        "word line": b * read.word_line_energy,
        "comparator": design.decisions * read.decision_energy / n,
        "ladder": ladder * design.read_time / n,
    }


def _model_error(
    device: CBRAM,
    design: ColumnDesign,
    access: Access,
    cells: CellSpread,
    sense: Sense,
    read: Read,
    step: np.ndarray,
) -> float:
    """Simulated against predicted sense node for the very patterns and median resistances."""
    lrs = 1 / (cells.r_lrs + cells.on_lrs)
    hrs = 1 / (cells.r_hrs + cells.on_hrs)
    table = np.array([[cells.off_hrs, hrs], [cells.off_lrs, lrs]])
    worst = 0.0
    for count, voltage in zip(read.counts, read.voltage, strict=True):
        states, words = pattern(design.cells, int(count))
        seen, _ = solve_ladder(table[states, words], sense.wire, sense.ground)
        predicted = float(sense.voltage(seen[None])[0])
        worst = max(worst, abs(predicted - voltage) / step[min(count, design.cells - 1)])
    return worst


def _refuse_slow(device: CBRAM, design: ColumnDesign, read: Read) -> None:
    settling = float(np.max(read.settling))
    if settling > 0.9 * design.settle_time:
        raise InputError(
            device.name,
            f"in-memory column: the bit line settles in {settling:.3g} s, the design gives it "
            f"{design.settle_time:.3g} s; raise settle_time or take fewer cells",
        )
    if read.decision_delay > design.decision_time / 2:
        raise InputError(
            device.name,
            f"in-memory column: the comparator decides in {read.decision_delay:.3g} s of "
            f"{design.decision_time / 2:.3g} s; raise decision_time",
        )


def _refuse_weak_write(device: CBRAM, scheme: WriteScheme) -> None:
    if not np.all(np.isfinite(scheme.control)):
        raise InputError(
            device.name,
            "in-memory column: the write path takes so much of the voltage that P = "
            f"{PROBABILITIES[-1]:g} is not reached; raise compliance_gate or access_width",
        )


def _highest(device: CBRAM, design: ColumnDesign) -> float:
    """Largest voltage (V) across an access transistor: that of the highest write, with a margin."""
    return write_voltage(device, max(GROUP_PROBABILITIES), design.write_time) * 1.1 + 0.1


def _borne(scheme: WriteScheme, design: ColumnDesign) -> float:
    """Highest voltage (V) a cell's transistor meets: write, RESET or word line."""
    return max(float(np.max(scheme.control)), design.reset_voltage, design.gate_on)
