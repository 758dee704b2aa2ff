"""The process corner: one standard normal number for all transistors, fast at +, slow at -."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from formats.cells import NOMINAL_CORNER, Cells
from system.budget.lines import Budget, Line, Timing
from system.budget.uncertainty.figures import IN_CELLS
from system.budget.uncertainty.inputs import Curve, Input, curve

SIGMAS = 3.0
"""Standard deviations from typical to slow and to fast."""
SLOW, FAST = "ss", "ff"
ENERGIES = ("energy_inference", "energy_training")
TIMES = ("inference", "training_step")

# ss and ff of the built-in 40-nm cards over tt at 300 K: leakage 0.53 and 1.91, the LRS current of
# the SNG 0.78 and 1.26, logic 0.986 and 1.015.
_LEAKAGE, WRITE_CURRENT, _LOGIC = 0.64 / SIGMAS, 0.235 / SIGMAS, 0.014 / SIGMAS
"""ln per sigma where cells.nc has one corner."""


def corner(
    cells: Cells, bill: Budget, price: Callable[[Cells], Budget]
) -> tuple[Input, dict[tuple[str, str], Curve], dict[str, Curve]]:
    """The input, its curves by (item, quantity), and those of times.

    Slow and fast corners of cells.nc are priced as a bill of their own; where there are none, the
    built-in technology's stand for them, of which the SNG's part, its ``WRITE_CURRENT``, is left to
    ``generator``. Figures that are not of cells.nc stay.
    """
    wanted = {NOMINAL_CORNER, SLOW, FAST}
    if all(wanted <= set(_corners(data.corner)) for data in cells.groups.values()):
        bills = {z: price(at_corner(cells, name)) for z, name in ((-SIGMAS, SLOW), (SIGMAS, FAST))}
        said = "simulated: corners ss and ff of cells.nc, taken as -3 and +3 sigma; log-linear"
        known = Input("process corner", "normal; ss at -3 sigma, ff at +3 sigma", 1.0, said)
        return known, _of_lines(bill, bills), _of_times(bill, bills)
    assumed = Input(
        "process corner",
        "normal; leakage, the SNG's write current in LRS and the energy of logic move together by "
        f"{_LEAKAGE:.2g}, {WRITE_CURRENT:.2g} and {_LOGIC:.2g} in ln per sigma",
        1.0,
        f"assumed: cells.nc has one corner ({', '.join(_corners(cells.sng.corner))}); slow and "
        "fast of the built-in 40-nm technology, taken as 3 sigma, stand for its spread",
    )
    return assumed, {key: Curve((-1.0, 1.0), (-s, s)) for key, s in _assumed(bill)}, {}


def at_corner(cells: Cells, name: str) -> Cells:
    """The cells with that corner only."""
    groups = {
        group: data.isel(corner=[_corners(data.corner).index(name)])
        for group, data in cells.groups.items()
    }
    return replace(cells, groups=groups)


def _corners(found: object) -> list[str]:
    return [str(name) for name in np.atleast_1d(np.asarray(found))]


def _assumed(bill: Budget) -> list[tuple[tuple[str, str], float]]:
    moved = []
    for line in bill.lines:
        if line.parts:
            continue
        if IN_CELLS.search(line.leakage_source):
            moved.append(((line.item, "leakage"), _LEAKAGE))
        if line.cell != "sng" and IN_CELLS.search(line.energy_source):
            moved += [((line.item, name), _LOGIC) for name in ENERGIES]
    return moved


def _of_lines(nominal: Budget, bills: dict[float, Budget]) -> dict[tuple[str, str], Curve]:
    lines = {z: {line.item: line for line in bill.lines} for z, bill in bills.items()}
    found = {}
    for line in nominal.lines:
        for quantity in ("leakage", *ENERGIES):
            value = getattr(line, quantity)
            if value > 0 and not line.parts:
                found[line.item, quantity] = _bend(
                    value, {z: _moved(by_item[line.item], quantity) for z, by_item in lines.items()}
                )
    return {key: bend for key, bend in found.items() if not bend.still}


def _of_times(nominal: Budget, bills: dict[float, Budget]) -> dict[str, Curve]:
    def times(of: Budget) -> dict[str, float]:
        timing: Timing = of.timing
        found = {name: float(getattr(timing, name)) for name in TIMES}
        return found | ({} if of.progressive is None else {"progressive": of.progressive.latency})

    moved = {z: times(bill) for z, bill in bills.items()}
    found = {
        name: _bend(value, {z: of[name] for z, of in moved.items()})
        for name, value in times(nominal).items()
    }
    return {name: bend for name, bend in found.items() if not bend.still}


def _moved(line: Line, quantity: str) -> float:
    return float(getattr(line, quantity))


def _bend(nominal: float, values: dict[float, float]) -> Curve:
    (low, slow), (high, fast) = sorted(values.items())
    return curve((low, 0.0, high), (slow, nominal, fast), nominal)
