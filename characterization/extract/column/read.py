"""A read of the column in ngspice: settling, energies, the comparator's own shift, leakage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from circuits.mac.column import (
    ColumnDesign,
    column_circuit,
    column_deck,
    read_start,
    sample_times,
    word_line_edge,
)
from circuits.ratings import Stress, stresses
from circuits.simulator import Simulator, Waveforms
from devices.cbram import CBRAM
from devices.technology import Technology

QUIET = 200e-9
"""s after which a column with all word lines off has come to rest."""
SETTLED = 0.25
"""Share of a step between counts within which the sense node counts as settled."""
SHIFT_STEP = 1e-3
SHIFT_STEPS = 7
"""V and number of the references on either side of the sense node at which the comparator's
shift is looked for."""


@dataclass(frozen=True)
class Read:
    """Results of :func:`characterise_read`; arrays by the product counts simulated.

    ``counts`` products were read, with half of the other cells selected in HRS; ``voltage`` (V)
    the settled sense node, ``settling`` (s) from the word lines' edge, ``word_line_energy`` (J)
    per raised word line, ``decision_energy`` (J) per comparison, ``decision_delay`` (s) from the
    clock to the output at a quarter step, ``shift`` (V): how much lower than the sense node a
    reference the comparator takes for equal, at each of ``shift_counts``; ``leakage`` (W) at rest.
    """

    counts: np.ndarray
    voltage: np.ndarray
    settling: np.ndarray
    word_line_energy: float
    decision_energy: float
    decision_delay: float
    shift_counts: np.ndarray
    shift: np.ndarray
    leakage: float
    worst: Stress
    example: Waveforms


def pattern(cells: int, products: int) -> tuple[list[int], list[int]]:
    """Stored bits and word bits with that many products, spread evenly along the line.

    Of the other cells, every second one is an HRS on a selected word line, the rest are off with
    a 1 and a 0 stored in turn.
    """
    places = set(np.floor((np.arange(products) + 0.5) * cells / max(products, 1)).astype(int))
    states, words = [], []
    kinds = ((0, 1), (1, 0), (0, 1), (0, 0))
    other = 0
    for cell in range(cells):
        if cell in places:
            state, word = 1, 1
        else:
            state, word = kinds[other % 4]
            other += 1
        states.append(state)
        words.append(word)
    return states, words


def characterise_read(
    simulator: Simulator,
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign,
    step: np.ndarray,
) -> Read:
    """Simulate reads of 0, n/4, n/2 and n products; ``step`` (V) is that from count to count."""
    n = design.cells
    counts = np.unique([0, max(1, n // 4), n // 2, n])
    runs, circuits = [], []
    for count in counts:
        circuit = column_circuit(device, technology, design, *pattern(n, int(count)))
        circuits.append(circuit)
        runs.append(simulator.run(column_deck(circuit, design)))
    end = read_start(design)
    voltage = np.array([float(np.interp(end, run.time, run["v(sn)"])) for run in runs])
    local = SETTLED * np.array([step[min(count, n - 1)] for count in counts])
    settling = np.array(
        [_settled(run, design, width) for run, width in zip(runs, local, strict=True)]
    )
    worst = max(
        (stresses(c, run, technology)[0] for c, run in zip(circuits, runs, strict=True)),
        key=lambda stress: stress.voltage / stress.rating,
    )
    shift_counts = counts[[1, -1]]
    shifts, decided = [], runs[0]
    for count in shift_counts:
        found = voltage[np.flatnonzero(counts == count)[0]]
        shift, decided = _shift(simulator, device, technology, design, int(count), float(found))
        shifts.append(shift)
    return Read(
        counts=counts,
        voltage=voltage,
        settling=settling,
        word_line_energy=_word_lines(runs[-1], design),
        decision_energy=_decision_energy(decided, technology, design),
        decision_delay=_decision_delay(
            simulator, device, technology, design, float(voltage[-1] + shifts[-1] * -1), step
        ),
        shift_counts=shift_counts,
        shift=np.array(shifts),
        leakage=_leakage(simulator, device, technology, design),
        worst=worst,
        example=runs[1],
    )


def _settled(run: Waveforms, design: ColumnDesign, width: float) -> float:
    edge, end = word_line_edge(design), read_start(design)
    final = np.interp(end, run.time, run["v(sn)"])
    late = (np.abs(run["v(sn)"] - final) > width) & (run.time < end) & (run.time > edge)
    outside = np.flatnonzero(late)
    return float(run.time[outside[-1]] - edge) if outside.size else 0.0


def _shift(
    simulator: Simulator,
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign,
    count: int,
    voltage: float,
) -> tuple[float, Waveforms]:
    """Sense voltage less the reference at which the output flips, to half of ``SHIFT_STEP``."""
    offsets = SHIFT_STEP * np.arange(-SHIFT_STEPS, SHIFT_STEPS + 1)
    references = voltage + offsets
    circuit = column_circuit(
        device, technology, design, *pattern(design.cells, count), references=references.tolist()
    )
    run = simulator.run(column_deck(circuit, design, references.size))
    output = np.interp(sample_times(design, references.size), run.time, run["v(out)"])
    ones = int(np.sum(output > technology.supply / 2))
    # The output is 1 for references above the sense node: the last ``ones`` of them.
    edge = offsets[0] - SHIFT_STEP / 2 + (references.size - ones) * SHIFT_STEP
    return -float(edge), run


def _decision_delay(
    simulator: Simulator,
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign,
    equal: float,
    step: np.ndarray,
) -> float:
    """Clock to output at all bits 1, where the step is smallest, a quarter step from equality."""
    references: Sequence[float] = [equal + SETTLED * float(np.min(step))]
    circuit = column_circuit(
        device, technology, design, *pattern(design.cells, design.cells), references=references
    )
    run = simulator.run(column_deck(circuit, design, 1))
    start = read_start(design) + design.decision_time / 2
    end = float(sample_times(design, 1)[0])
    inside = (run.time > start) & (run.time <= end)
    apart = np.abs(run["v(out)"] - run["v(outb)"])[inside]
    late = np.flatnonzero(apart < technology.supply / 2)
    times = run.time[inside]
    if late.size == apart.size:
        return float("inf")
    return float(times[late[-1]] - start) if late.size else 0.0


def _word_lines(run: Waveforms, design: ColumnDesign) -> float:
    """Energy of one raised word line: V times the charge its driver delivers."""
    total = 0.0
    for index in range(design.cells):
        after = run.time >= word_line_edge(design)
        current = np.maximum(-run[f"i(vwl{index})"], 0.0)[after]
        total += design.gate_on * float(np.trapezoid(current, run.time[after]))
    return total / design.cells


def _decision_energy(run: Waveforms, technology: Technology, design: ColumnDesign) -> float:
    """Energy from the supply and the clock's driver per comparison."""
    count = 2 * SHIFT_STEPS + 1
    start = read_start(design)
    inside = (run.time >= start) & (run.time <= start + count * design.decision_time)
    drawn = np.maximum(-run["i(vckb)"], 0.0) - run["i(vvdd)"]
    return float(technology.supply * np.trapezoid(drawn[inside], run.time[inside]) / count)


def _leakage(
    simulator: Simulator, device: CBRAM, technology: Technology, design: ColumnDesign
) -> float:
    """Power of all sources with the word lines off, half of the cells in LRS."""
    states = [cell % 2 for cell in range(design.cells)]
    circuit = column_circuit(device, technology, design, states, [0] * design.cells)
    run = simulator.run(column_deck(circuit, replace(design, decision_time=1e-9), longer=QUIET))
    power = 0.0
    for name in ("vdd", "vrd", "vrs", "iso", "dn", "upb", "ckb", "wrg"):
        tail = run.time > run.time[-1] - QUIET / 4
        delivered = -run[f"v({name})"] * run[f"i(v{name})"]
        power += max(0.0, float(np.mean(delivered[tail])))
    return power
