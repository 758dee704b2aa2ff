"""The SNG of the benchmarks without sampling, with every simulated device-cycle counted."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import xarray as xr

from characterization.extract.conditions import Conditions
from characterization.extract.gather import RATING_MARGIN, in_parallel
from characterization.extract.options import ExtractOptions
from characterization.extract.sng.bench import Bench
from characterization.extract.sng.character import SngCharacter, characterise
from characterization.extract.sng.exposure import interpolated_exposure, write_window
from characterization.extract.tables.sng import Converter, sng_group
from circuits.simulator import Simulator, Waveforms
from circuits.sng.design import SngDesign
from devices.presets import knag2014
from devices.technology import CMOS40LP

PULSE_WIDTH = 120e-6
"""s; with the default of 100 us P = 0.9 is just beyond what the ratings allow."""
PROBABILITIES = tuple(round(0.1 * k, 1) for k in range(1, 10))
_STOP = re.compile(r"^\.tran \S+ ([\d.eE+-]+)\s", re.MULTILINE)
_PERIOD = re.compile(r"^Vwl \S+ \S+ PULSE\(.* (\S+)\)", re.MULTILINE | re.IGNORECASE)


class CountingSimulator(Simulator):
    """A simulator that counts the device-cycles of every deck it is asked for, cached or not.

    A deck without the SNG's word line (the sense stage alone, an operating point) counts as one.
    """

    def __init__(self, jobs: int = 1, cache: Path | str | None = None) -> None:
        super().__init__(jobs, cache=cache)
        self.device_cycles = 0
        self._counting = threading.Lock()

    def run(self, deck: str) -> Waveforms:
        """Run a deck and count it."""
        with self._counting:
            self.device_cycles += device_cycles(deck)
        return super().run(deck)


def device_cycles(deck: str) -> int:
    """Cycles of a deck, begun ones included; at least 1."""
    stop, period = _STOP.search(deck), _PERIOD.search(deck)
    if stop is None or period is None:
        return 1
    return max(1, int(np.ceil(float(stop[1]) / float(period[1]) - 1e-6)))


@dataclass(frozen=True)
class ExactSng:
    """Character and ``sng`` group of the benchmarks' device and cell.

    ``cycles`` counts all that was simulated for it: curve, refinement, spread, energies, RESET,
    read errors.
    """

    character: SngCharacter
    sng: xr.Dataset
    cycles: int

    def exposure(self, voltages: np.ndarray) -> np.ndarray:
        """Exposure at write voltages (V), from the table."""
        return interpolated_exposure(self.character.voltages, self.character.exposure, voltages)

    def voltages(self) -> np.ndarray:
        """Write voltages (V) at which the table says P = 0.1 ... 0.9."""
        grid = np.linspace(self.character.voltages[0], self.character.voltages[-1], 100_001)
        p = self.character.bench.device.set.probability_of_exposure(self.exposure(grid))
        if p[-1] < PROBABILITIES[-1]:
            raise ValueError(f"the curve ends at P = {p[-1]:.3f}")
        return np.interp(PROBABILITIES, p, grid)


def exact_sng(simulator: CountingSimulator, jobs: int) -> ExactSng:
    """Extract the SNG of the published law, as the default extraction does."""
    before = simulator.device_cycles
    device, design = knag2014(), replace(SngDesign(), write_time=PULSE_WIDTH)
    bench = Bench(simulator, device, CMOS40LP, design)
    highest = CMOS40LP.transistors["pmos_io"].ratings.lowest - RATING_MARGIN
    found, error = characterise(
        [bench],
        write_window(device, design, highest),
        highest,
        ExtractOptions.points,
        in_parallel(jobs),
        lambda _: None,
    )
    characters = [character for character in found if character is not None]
    conditions = Conditions((PULSE_WIDTH,), (CMOS40LP.temperature,), (CMOS40LP.corner,))
    converter = Converter(ExtractOptions.dac_bits, ExtractOptions.supply_noise)
    group = sng_group(characters, conditions, error, converter)
    sng = group.isel(pulse_width=0, temperature=0, corner=0)
    return ExactSng(characters[0], sng, simulator.device_cycles - before)
