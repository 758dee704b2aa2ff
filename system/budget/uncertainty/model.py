"""The bill as a function of its uncertain inputs: every line's amounts, times, and the totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from formats.cells import Cells
from formats.training import Training
from system.budget.lines import Amounts, Budget, Line
from system.budget.sng import sng_table
from system.budget.uncertainty.corners import TIMES, WRITE_CURRENT, corner
from system.budget.uncertainty.figures import Mixture, Part, mixtures
from system.budget.uncertainty.generator import Price, of_generator
from system.budget.uncertainty.inputs import Curve, Input
from system.budget.uncertainty.simulation import simulated

QUANTITIES = ("area", "leakage", "energy_inference", "energy_training")
Key = tuple[str, str]
"""A line's item and a quantity; the mean energy of an inference in stages is "progressive"."""
PROGRESSIVE = "progressive"


@dataclass(frozen=True)
class Amount:
    """One amount of one line: its value, what it is proportional to, the curves of other inputs by
    their names, and the items of the lines that it is a share of."""

    value: float
    mixtures: tuple[Mixture, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """Amounts by line and quantity, times (s) by name, and all inputs that move any of them.

    ``idle`` are inputs that are only said: nothing is known of their spread.
    """

    amounts: Mapping[Key, Amount]
    times: Mapping[str, Amount]
    requested_rate: float
    run: int
    inputs: tuple[Input, ...]
    idle: tuple[Input, ...] = ()

    def totals(self, z: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The totals of report.json with the inputs at ``z`` (equal shapes); the others stay."""
        known: dict[Key, np.ndarray] = {}

        def moved(key: Key) -> np.ndarray:
            if key not in known:
                amount = self.amounts[key]
                value = _moved(amount, z)
                if amount.parts:
                    of = [(item, key[1]) for item in amount.parts if (item, key[1]) in self.amounts]
                    nominal = sum(self.amounts[part].value for part in of)
                    if nominal:
                        value = value * (sum(moved(part) for part in of) / nominal)
                known[key] = value
            return known[key]

        def total(quantity: str) -> np.ndarray:
            found = [moved(key) for key in self.amounts if key[1] == quantity]
            return np.sum(np.broadcast_arrays(*found), axis=0) if found else np.zeros(())

        times = {name: _moved(amount, z) for name, amount in self.times.items()}
        step = times["training_step"]
        early = None if PROGRESSIVE not in times else (total(PROGRESSIVE), times[PROGRESSIVE])
        area, leakage, inference, training = (total(quantity) for quantity in QUANTITIES)
        return Amounts(
            area,
            leakage,
            inference,
            training,
            times["inference"],
            step,
            np.minimum(self.requested_rate, 1.0 / step),
            self.run,
            early,
        ).values()


def model(
    cells: Cells,
    training: Training,
    bill: Budget,
    price: Callable[[Cells], Budget],
    generators: Price,
) -> Model:
    """The model of a bill.

    ``price`` makes the same bill of other cells, ``generators`` the lines of a bill that an SNG's
    table makes. Raises :class:`InputError` for a device of cells.nc that is broken.
    """
    bends: dict[Key, dict[str, Curve]] = {}
    times: dict[str, dict[str, Curve]] = {}
    inputs: dict[str, Input] = {}
    idle: list[Input] = []

    def add(one: Input, curves: Mapping[Key, Curve]) -> None:
        if one.certain or not curves:
            return
        inputs[one.name] = one
        for key, bend in curves.items():
            bends.setdefault(key, {})[one.name] = bend

    process, of_lines, of_times = corner(cells, bill, price)
    parts: Mapping[Key, Mixture] = {}
    if any(line.cell == "sng" for line in bill.lines):
        current = None if process.kind == "simulated" else (process, WRITE_CURRENT)
        made = of_generator(cells, training, sng_table(cells), generators, current)
        parts = made.parts
        idle += made.idle
        for one, curves in made.curves:
            add(one, curves)
    add(process, of_lines)
    for name, bend in of_times.items():
        inputs[process.name] = process
        times.setdefault(name, {})[process.name] = bend
    for one, curves in simulated(bill.lines):
        add(one, curves)
    amounts = {
        key: replace(
            amount,
            curves=bends.get(_bent(key), {}),
            mixtures=(*amount.mixtures, *([parts[_bent(key)]] if _bent(key) in parts else [])),
        )
        for key, amount in _amounts(cells, bill)
    }
    for amount in amounts.values():
        for mixture in amount.mixtures:
            moved = (one for part in mixture for one, _ in part.moved)
            inputs |= {one.name: one for one in moved if not one.certain}
    values = {name: float(getattr(bill.timing, name)) for name in TIMES}
    if bill.progressive is not None:
        values[PROGRESSIVE] = bill.progressive.latency
    return Model(
        amounts,
        {name: Amount(value, curves=times.get(name, {})) for name, value in values.items()},
        bill.timing.requested_rate,
        bill.run,
        tuple(inputs.values()),
        tuple(idle),
    )


def _bent(key: Key) -> Key:
    """Whose curves an amount follows: a stage of an inference costs what an inference costs."""
    return (key[0], "energy_inference") if key[1] == PROGRESSIVE else key


def _amounts(cells: Cells, bill: Budget) -> Iterable[tuple[Key, Amount]]:
    names = [line.item for line in bill.lines]
    if len(set(names)) < len(names):
        raise ValueError(f"two lines of the bill have the same item: {sorted(names)}")
    early = () if bill.progressive is None else bill.progressive.lines
    for line in bill.lines:
        for quantity in QUANTITIES:
            yield from _amount(cells, line, quantity, quantity)
    for line in early:
        yield from _amount(cells, line, "energy_inference", PROGRESSIVE)


def _amount(cells: Cells, line: Line, quantity: str, name: str) -> Iterable[tuple[Key, Amount]]:
    value = float(getattr(line, quantity))
    if value:
        of = mixtures(cells, line, quantity.partition("_")[0])
        yield (line.item, name), Amount(value, of, parts=line.parts)


def _moved(amount: Amount, z: Mapping[str, np.ndarray]) -> np.ndarray:
    """The amount at ``z``, without what its parts do."""
    ln = np.zeros(())
    for name, bend in amount.curves.items():
        if name in z:
            ln = ln + bend(z[name])
    value = amount.value * np.exp(ln)
    for mixture in amount.mixtures:
        parts = [part.share * np.exp(_ln(part, z)) for part in mixture]
        value = value * np.sum(np.broadcast_arrays(*parts), axis=0)
    return np.asarray(value)


def _ln(part: Part, z: Mapping[str, np.ndarray]) -> np.ndarray:
    ln = np.zeros(())
    for one, effect in part.moved:
        if one.name in z:
            ln = ln + effect(z[one.name])
    return ln
