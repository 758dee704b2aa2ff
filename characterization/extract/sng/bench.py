"""What every transient of the SNG needs; each one it runs is held against the ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.ratings import Stress, stresses
from circuits.simulator import Simulator, Waveforms
from circuits.sng.cell import SngDesign, sng_circuit, sng_deck
from devices.cbram import CBRAM
from devices.technology import Technology


@dataclass(frozen=True)
class Bench:
    """Simulator, device, technology and design of one extraction.

    ``stresses`` collects the worst stress of every transient of :meth:`run` and :meth:`run_all`.
    """

    simulator: Simulator
    device: CBRAM
    technology: Technology
    design: SngDesign
    stresses: list[Stress] = field(default_factory=list)

    def circuit(
        self,
        voltages: np.ndarray,
        set_thresholds: np.ndarray,
        initial_state: int = 0,
        reset_threshold: float = 1.0,
        r_lrs: float | None = None,
        r_hrs: float | None = None,
    ) -> Circuit:
        """The cell over ``voltages`` (V), with one RESET threshold for all cycles.

        A cycle at the first voltage goes before them, so that each one starts from the rest of
        another; ``first=1`` skips it where results are taken.
        """
        return sng_circuit(
            self.device,
            self.technology,
            self.design,
            [voltages[0], *voltages],
            [set_thresholds[0], *set_thresholds],
            [reset_threshold] * (len(voltages) + 1),
            initial_state,
            r_lrs,
            r_hrs,
        )

    def probe(self, circuit: Circuit, cycles: int) -> Waveforms:
        """A transient of a state the cell never gets into; not held against the ratings."""
        return self.simulator.run(sng_deck(circuit, self.design, cycles + 1))

    def run(self, circuit: Circuit, cycles: int) -> Waveforms:
        """The transient of a circuit over ``cycles`` and the leading one."""
        return self.run_all([circuit], cycles)[0]

    def run_all(self, circuits: Sequence[Circuit], cycles: int) -> list[Waveforms]:
        """Transients of several circuits, in parallel."""
        decks = [sng_deck(circuit, self.design, cycles + 1) for circuit in circuits]
        results = self.simulator.map(decks)
        for circuit, waveforms in zip(circuits, results, strict=True):
            self.stresses.append(stresses(circuit, waveforms, self.technology)[0])
        return results
