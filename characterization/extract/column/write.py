"""The write schemes of a column: what each costs, how well it sets p, what it does to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySpice.Spice.Netlist import Circuit

from characterization.extract.column.access import Access
from characterization.extract.column.group_write import GroupWrite, group_write
from circuits.mac.column import ColumnDesign, write_voltage
from circuits.mac.column_write import (
    Levels,
    Variant,
    half_select_circuit,
    half_select_deck,
    ramp_circuit,
    ramp_deck,
    reset_circuit,
    scheme_levels,
)
from circuits.ratings import Stress, stresses
from circuits.simulator import Simulator, Waveforms
from devices.cbram import CBRAM
from devices.law import normal_quadrature
from devices.technology import Technology

PROBABILITIES = np.array([0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
"""Bit probabilities at which a scheme is described."""
_TIME_NODES, _TIME_WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True)
class WriteScheme:
    """One way to give each of n cells its own p.

    Arrays are over ``PROBABILITIES``; ``control`` (V) is NaN where the scheme does not get there.
    ``time`` (s) is that of the whole column, ``energy`` (J) that of one cell with its share of the
    bit line, ``slope`` dP/d(control) (1/V). ``sigma_threshold`` and ``sigma_r_hrs``: standard
    deviation of P from the access transistor's threshold and from the spread of R_HRS.
    ``disturb_voltage`` (V) is the largest on a half-selected cell, ``disturb_set`` and
    ``disturb_reset`` the probabilities that the worst placed one switches while the whole column
    is written; ``disturbed`` says which cells these are. ``borne``: the access transistor and the
    drivers stand it; ``stress`` names the worst of them, ``word_line`` (V) is the highest level of
    a word line, which cells of other columns see at grounded lines.
    """

    name: str
    control: np.ndarray
    time: float
    energy: np.ndarray
    slope: np.ndarray
    sigma_threshold: np.ndarray
    sigma_r_hrs: np.ndarray
    disturbed: str
    disturb_voltage: float
    disturb_set: float
    disturb_reset: float
    stress: str
    word_line: float
    borne: bool


@dataclass(frozen=True)
class ColumnReset:
    """RESET of the whole column at once, all cells in LRS.

    ``cell_voltage`` (V) of the worst placed cell (negative), ``probability`` of its RESET, ``time``
    (s), ``energy`` (J) per cell.
    """

    cell_voltage: float
    probability: float
    time: float
    energy: float


def characterise_write(
    simulator: Simulator, device: CBRAM, technology: Technology, design: ColumnDesign, scheme: str
) -> WriteScheme:
    """One scheme from operating points over its control voltage."""
    law, conduction = device.set, device.conduction
    needed = np.array([write_voltage(device, float(p), design.write_time) for p in PROBABILITIES])
    levels = scheme_levels(scheme, design, technology, float(needed[0]), float(needed[-1]))
    length = technology.transistors[design.access_role].length
    sigma_vt = technology.sigma_vt(design.access_role, design.access_width, length)
    z, weights = normal_quadrature(3)
    spread = conduction.r_hrs.value * np.exp(conduction.sigma_ln_r_hrs.value * z)
    variants = [
        Variant(conduction.r_hrs.value),
        Variant(conduction.r_hrs.value, sigma_vt),
        Variant(conduction.r_lrs.value),
        *(Variant(float(r)) for r in spread),
    ]
    circuit = ramp_circuit(technology, design, levels, variants)
    waveforms = simulator.run(ramp_deck(circuit))
    x = np.interp(waveforms.time, [0.0, waveforms.time[-1]], levels.control_span)
    cell = np.array([waveforms[f"v(te{i})"] - waveforms[f"v(be{i})"] for i in range(len(variants))])
    rising = np.maximum.accumulate(cell[0]) + 1e-12 * np.arange(x.size)
    control = np.where(needed <= rising[-1], np.interp(needed, rising, x), np.nan)
    reached = np.isfinite(control)
    at = np.where(reached, control, x[-1])
    voltages = np.array([np.interp(at, x, values) for values in cell])
    p = law.probability_of_exposure(law.rate(voltages) * design.write_time)
    p_slope = np.array(
        law.probability_of_exposure(
            law.rate(np.array([np.interp(at + s, x, cell[0]) for s in (-1e-4, 1e-4)]))
            * design.write_time
        )
    )
    mean = weights @ p[3:]
    end = float(np.max(at))
    stress = _worst(circuit, waveforms, technology, x <= end)
    highest_gate = max(levels.at(end)[1], levels.at(float(np.min(at)))[1])
    bearable = technology.transistors[design.access_role].ratings.lowest
    disturbed = _disturb(simulator, device, technology, design, scheme, levels, at)
    parallel = scheme != "sequential"
    return WriteScheme(
        name=scheme,
        control=control,
        time=design.write_cycle * (1 if parallel else design.cells),
        energy=_energy(device, design, levels, waveforms, x, at, p[0], parallel),
        slope=(p_slope[1] - p_slope[0]) / 2e-4,
        sigma_threshold=np.abs(p[1] - p[0]),
        sigma_r_hrs=np.sqrt(weights @ (p[3:] - mean) ** 2),
        disturbed=disturbed[0],
        disturb_voltage=disturbed[1],
        disturb_set=disturbed[2],
        disturb_reset=disturbed[3],
        stress=str(stress),
        word_line=highest_gate,
        borne=not stress.violated and highest_gate <= bearable and bool(np.all(reached)),
    )


def characterise_reset(
    simulator: Simulator, device: CBRAM, technology: Technology, design: ColumnDesign
) -> tuple[ColumnReset, Stress]:
    """RESET of the column with all cells in LRS, whose drivers then carry the most current."""
    circuit = reset_circuit(technology, design, device.conduction.r_lrs.value)
    waveforms = simulator.run(ramp_deck(circuit))
    across = np.array(
        [waveforms[f"v(te{i})"][-1] - waveforms[f"v(be{i})"][-1] for i in range(design.cells)]
    )
    weakest = float(np.max(across))
    exposure = float(device.reset_rate(np.array([-weakest]))[0]) * design.reset_time
    power = design.reset_voltage * float(-waveforms["i(vvrs)"][-1])
    return ColumnReset(
        cell_voltage=weakest,
        probability=reset_probability(device, exposure),
        time=design.reset_cycle,
        energy=power * design.reset_time / design.cells,
    ), stresses(circuit, waveforms, technology)[0]


def reset_probability(device: CBRAM, exposure: float) -> float:
    """P(RESET) of an exposure; an ideal RESET succeeds from exposure 1 on."""
    if device.reset is None:
        return float(exposure >= 1.0)
    return float(device.reset.probability_of_exposure(np.array(exposure)))


def group_rates(
    device: CBRAM, access: Access, cells: int, write_voltage: float, shared: float
) -> np.ndarray:
    """SET rates (1/s) of the cells still in HRS with j = 0 .. n-1 in LRS.

    All hang on one driver of ``shared`` (ohm) at ``write_voltage`` (V), word lines at the write
    level, source lines grounded.
    """
    line = np.linspace(0.0, write_voltage, 4001)
    hrs = access.cell_current(line, device.conduction.r_hrs.value, write=True)
    lrs = access.cell_current(line, device.conduction.r_lrs.value, write=True)
    rates = np.empty(cells)
    for j in range(cells):
        needed = line + shared * (j * lrs + (cells - j) * hrs)
        at = np.interp(write_voltage, needed, line)
        current = np.interp(at, line, hrs)
        rates[j] = float(device.set.rate(np.array([current * device.conduction.r_hrs.value]))[0])
    return rates


def group_table(
    device: CBRAM,
    access: Access,
    design: ColumnDesign,
    voltages: Sequence[float],
    shared: Sequence[float],
) -> list[list[GroupWrite]]:
    """Group writes of the column by write voltage (V) and shared resistance (ohm)."""
    return [
        [
            group_write(
                device.set, group_rates(device, access, design.cells, v, r), design.write_time
            )
            for r in shared
        ]
        for v in voltages
    ]


def _energy(
    device: CBRAM,
    design: ColumnDesign,
    levels: Levels,
    waveforms: Waveforms,
    x: np.ndarray,
    control: np.ndarray,
    p: np.ndarray,
    parallel: bool,
) -> np.ndarray:
    """Energy (J) of a cell: current of HRS and of LRS over the shares of the pulse in each.

    The feeding line pays; what a raised source line takes back is lost.
    """
    feed = "s" if levels.turned else "b"
    offset, slope = levels.source_line if levels.turned else levels.bit_line
    supply = offset + slope * control
    hrs, lrs = (np.interp(control, x, -waveforms[f"i(v{feed}{variant})"]) for variant in (0, 2))
    u = device.set.exposure_of_probability(np.minimum(p, 1 - 1e-12))
    share = (_TIME_NODES + 1) / 2
    switched = device.set.probability_of_exposure(u[:, None] * share) @ (_TIME_WEIGHTS / 2)
    charge = design.write_time * (hrs * (1 - switched) + lrs * switched)
    line = design.cells * design.wire_capacitance * supply**2
    return np.asarray(supply * charge + line / (design.cells if parallel else 1))


def _disturb(
    simulator: Simulator,
    device: CBRAM,
    technology: Technology,
    design: ColumnDesign,
    scheme: str,
    levels: Levels,
    control: np.ndarray,
) -> tuple[str, float, float, float]:
    """Who is half-selected, at which voltage, and with what P it is SET or RESET."""
    if scheme == "sequential":
        highest = float(np.max(control))
        circuit = half_select_circuit(device, technology, design, highest)
        waveforms = simulator.run(half_select_deck(circuit, design))
        hrs, lrs = (waveforms["v(bl)"] - waveforms[f"v(be{name})"] for name in "bc")
        exposure = float(np.sum(device.exposures(waveforms.time, hrs)[0]))
        once = float(device.set.probability_of_exposure(np.array(exposure)))
        reset = float(np.sum(device.exposures(waveforms.time, lrs)[1]))
        others = design.cells - 1
        return (
            f"cells of the column with their word line off, {others} writes at the highest voltage",
            float(np.max(np.abs(hrs))),
            -float(np.expm1(others * np.log1p(-once))),
            -float(np.expm1(others * np.log1p(-min(reset_probability(device, reset), 1 - 1e-15)))),
        )
    if scheme == "source-line":
        raised = float(np.max(levels.source_line[0] - control))
        exposure = float(device.reset_rate(np.array([raised]))[0]) * design.write_time
        return (
            "cells of other columns on a row whose source line is raised, their bit line at 0",
            -raised,
            0.0,
            reset_probability(device, exposure),
        )
    return "cells of other columns on the row: both lines at 0", 0.0, 0.0, 0.0


def _worst(
    circuit: Circuit, waveforms: Waveforms, technology: Technology, kept: np.ndarray
) -> Stress:
    """The worst stress over the part of a ramp that the scheme uses."""
    cut = replace(
        waveforms,
        time=waveforms.time[kept],
        vectors={name: values[kept] for name, values in waveforms.vectors.items()},
    )
    return stresses(circuit, cut, technology)[0]
