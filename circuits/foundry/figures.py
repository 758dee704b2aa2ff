"""Figures of merit of a technology's transistors, simulated: currents, threshold, swing, delay.

Quasi-static sweeps are slow ramps of a transient, so that displacement currents stay below those
of the weakest leakage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.simulator import Simulator, Waveforms
from circuits.sources import pwl
from circuits.transistors import add_mosfet
from devices.technology import Technology

WIDTH = 1e-6
"""m; of the transistor measured."""
RAMP = 10.0
"""s; of a sweep: 1 fF x 1 V / 10 s is 0.1 fA."""
THRESHOLD_CURRENT = 1e-7
"""A x W/L; the constant current that defines the threshold (a usual choice)."""
LINEAR = 0.05
"""V; drain voltage of the linear region."""
RESOLVED = 1e-13
"""A; smaller currents are left out of the swing: ngspice's own conductances tell there."""
STAGES = 5
"""Inverters of the chain; the delay is taken over the two in the middle."""
FANOUT = 4


@dataclass(frozen=True)
class TransistorFigures:
    """Magnitudes for one transistor at its supply.

    ``ion``, ``ioff`` (A/m of width; off: gate at source), ``vt_linear``, ``vt_saturation`` (V, by
    constant current), ``dibl`` (V/V), ``swing`` (V/decade, the steepest, in saturation).
    """

    ion: float
    ioff: float
    vt_linear: float
    vt_saturation: float
    dibl: float
    swing: float


def transistor_figures(
    simulator: Simulator, technology: Technology, role: str
) -> TransistorFigures:
    """Simulate one transistor at the corner and temperature of the technology.

    I/O roles are swept to the supply of their class. Raises ``SimulationError``.
    """
    supply = technology.io_supply if role.endswith("_io") else technology.supply
    waveforms = simulator.run(_sweep_deck(technology, role, supply))
    gate = np.abs(waveforms["v(g)"])
    order = slice(1, None)
    saturated = np.abs(waveforms["i(vsat)"])[order]
    linear = np.abs(waveforms["i(vlin)"])[order]
    gate = gate[order]
    level = THRESHOLD_CURRENT * WIDTH / technology.transistors[role].length
    vt_linear, vt_saturation = (_reaches(gate, i, level) for i in (linear, saturated))
    resolved = saturated > RESOLVED
    slope = np.diff(np.log10(saturated[resolved])) / np.diff(gate[resolved])
    return TransistorFigures(
        ion=float(saturated[-1]) / WIDTH,
        ioff=float(np.interp(0.0, gate, saturated)) / WIDTH,
        vt_linear=vt_linear,
        vt_saturation=vt_saturation,
        dibl=(vt_linear - vt_saturation) / (supply - LINEAR),
        swing=1.0 / float(np.max(slope)),
    )


def _sweep_deck(technology: Technology, role: str, supply: float) -> str:
    sign = 1 if technology.transistors[role].polarity == "nmos" else -1
    circuit = Circuit(f"{role} of {technology.name}")
    circuit.raw_spice = technology.models_text() + "\n"
    circuit.V("g", "g", circuit.gnd, pwl([(0.0, 0.0), (RAMP, sign * supply)]))
    for name, drain in (("lin", LINEAR), ("sat", supply)):
        circuit.V(name, f"d{name}", circuit.gnd, sign * drain)
        add_mosfet(circuit, technology, role, name, (f"d{name}", "g", "0", "0"), WIDTH)
    return (
        f"{circuit}\n.options gmin=1e-18 abstol=1e-18\n.save v(g) i(vlin) i(vsat)\n"
        f".tran {RAMP / 400:g} {RAMP:g} 0 {RAMP / 400:g}\n.end\n"
    )


def _reaches(gate: np.ndarray, current: np.ndarray, level: float) -> float:
    """Gate voltage at which the current, rising, reaches a level."""
    return float(np.interp(np.log(level), np.log(np.maximum(current, 1e-30)), gate))


def fo4_delay(simulator: Simulator, technology: Technology) -> float:
    """Mean of the rising and falling delay (s) of an inverter that drives four like it.

    The inverter has the technology's widths and stands in the middle of a chain, each stage
    loaded with three more inverters.
    """
    waveforms = simulator.run(_chain_deck(technology))
    half = technology.supply / 2
    before, after = (_crossings(waveforms, f"v(n{i})", half) for i in (2, 4))
    return float(np.mean([b - a for a, b in zip(before, after, strict=True)])) / 2


def _chain_deck(technology: Technology) -> str:
    circuit = Circuit(f"inverters of {technology.name}, each driving {FANOUT}")
    circuit.raw_spice = technology.models_text() + "\n"
    circuit.V("dd", "vdd", circuit.gnd, technology.supply)
    v, slope, hold = technology.supply, 40e-12, 2e-9
    points = [(0.0, 0.0), (hold, 0.0), (hold + slope, v), (2 * hold, v), (2 * hold + slope, 0.0)]
    circuit.V("in", "n0", circuit.gnd, pwl(points))

    def inverter(name: str, a: str, y: str, copies: int) -> None:
        for kind, rail in (("nmos", "0"), ("pmos", "vdd")):
            width = technology.nmos_width if kind == "nmos" else technology.pmos_width
            for copy in range(copies):
                add_mosfet(
                    circuit, technology, kind, f"{name}{kind[0]}{copy}", (y, a, rail, rail), width
                )

    for stage in range(STAGES):
        inverter(f"s{stage}", f"n{stage}", f"n{stage + 1}", 1)
        inverter(f"l{stage}", f"n{stage}", f"x{stage}", FANOUT - 1)
    inverter("end", f"n{STAGES}", "xe", FANOUT)
    return f"{circuit}\n.save all\n.tran 1p {3 * hold:g} 0 1p\n.end\n"


def _crossings(waveforms: Waveforms, node: str, level: float) -> np.ndarray:
    time, values = waveforms.time, waveforms[node] - level
    places = np.flatnonzero(values[:-1] * values[1:] < 0)
    share = values[places] / (values[places] - values[places + 1])
    return np.asarray(time[places] + share * (time[places + 1] - time[places]))
