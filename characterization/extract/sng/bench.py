"""What every transient of the SNG needs; each one it runs is held against the ratings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from PySpice.Spice.Netlist import Circuit

from characterization.extract.faults import attempt
from circuits.ratings import Stress, stresses
from circuits.simulator import SimulationError, Simulator, Waveforms
from circuits.sng.cell import sng_circuit, sng_deck
from circuits.sng.design import SngDesign
from devices.cbram import CBRAM
from devices.technology import Technology

Found = TypeVar("Found")
QUICK_STEPS = 10
"""Fewest time steps of a write pulse where only exposures or bits are wanted: the exposure is
integrated exactly while the voltage stands still, and the device's node ``near`` shortens steps
before a switch."""
QUICK_OPTIONS = "bypass=1"
"""Numerics for the same. A higher trtol would spare another fifth of the points, but with thick-
oxide transistors of low drive ngspice then steps over the edges and ends in a wrong state."""


@dataclass(frozen=True)
class Bench:
    """Simulator, device, technology and design at one condition (corner, temperature, width).

    ``stresses`` collects the worst stress of every transient of :meth:`run` and :meth:`run_all`;
    ``cycles`` counts the device-cycles simulated. ``faults`` holds what ended the extraction here;
    an ``essential`` bench (the nominal one) has none, its failures are raised.
    """

    simulator: Simulator
    device: CBRAM
    technology: Technology
    design: SngDesign
    stresses: list[Stress] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    faults: list[SimulationError] = field(default_factory=list)
    essential: bool = True

    @property
    def where(self) -> str:
        """The condition in words."""
        return (
            f"{self.technology.corner}, {self.technology.temperature:g} K, "
            f"{self.design.write_time:g} s"
        )

    def attempt(self, work: Callable[[], Found]) -> Found | None:
        """What ``work`` gives, or None where ngspice failed at this condition."""
        return attempt(work, f"SNG at {self.where}", self.faults, self.essential)

    def circuit(
        self,
        voltages: np.ndarray,
        set_thresholds: np.ndarray,
        initial_state: int = 0,
        reset_thresholds: np.ndarray | float = 1.0,
        r_lrs: float | None = None,
        r_hrs: float | None = None,
        vt_shifts: Mapping[str, float] | None = None,
    ) -> Circuit:
        """The cell over ``voltages`` (V), with a SET and a RESET threshold for each cycle.

        A cycle like the first goes before them, so that each one starts from the rest of another;
        ``first=1`` skips it where results are taken. ``vt_shifts`` (V) moves the threshold
        voltages of transistors by name.
        """
        resets = np.broadcast_to(reset_thresholds, voltages.shape)
        return sng_circuit(
            self.device,
            self.technology,
            self.design,
            [voltages[0], *voltages],
            [set_thresholds[0], *set_thresholds],
            [resets[0], *resets],
            initial_state,
            r_lrs,
            r_hrs,
            **({} if vt_shifts is None else {"vt_shifts": vt_shifts}),
        )

    def probe(self, circuit: Circuit, cycles: int) -> Waveforms:
        """A transient of a state the cell never gets into; not held against the ratings."""
        self.cycles.append(cycles + 1)
        return self.simulator.run(sng_deck(circuit, self.design, cycles + 1))

    def run(self, circuit: Circuit, cycles: int) -> Waveforms:
        """The transient of a circuit over ``cycles`` and the leading one."""
        return self.run_all([circuit], cycles)[0]

    def run_all(
        self, circuits: Sequence[Circuit], cycles: int, quick: bool = False
    ) -> list[Waveforms]:
        """Transients of several circuits, in parallel.

        ``quick``: with few time steps, good for exposures and bits but not for energies.
        """
        decks = [self._deck(circuit, cycles + 1, quick) for circuit in circuits]
        self.cycles.extend([cycles + 1] * len(decks))
        results = self.simulator.map(decks)
        for circuit, waveforms in zip(circuits, results, strict=True):
            self.stresses.append(stresses(circuit, waveforms, self.technology)[0])
        return results

    def _deck(self, circuit: Circuit, cycles: int, quick: bool) -> str:
        if not quick:
            return sng_deck(circuit, self.design, cycles)
        circuit.raw_spice += f"\n.options {QUICK_OPTIONS}\n"
        return sng_deck(circuit, self.design, cycles, write_steps=QUICK_STEPS)


def sampled_bits(
    waveforms: Waveforms, technology: Technology, design: SngDesign, cycles: int
) -> np.ndarray:
    """The bits at the sense stage's output, one a cycle."""
    times = [design.sample_time(cycle) for cycle in range(cycles)]
    output = np.interp(times, waveforms.time, waveforms["v(q)"])
    return (output > technology.supply / 2).astype(int)
