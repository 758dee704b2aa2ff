"""What closes the gap between a bill and the published totals: other layouts of the same training,
and the line by line account of each.

The published system discloses neither its layout nor its rate, so the question is which assumptions
would reach its totals at all. The answer is searched, not fitted: every candidate is an
architecture whose bill is made by the same code, and "none does" is an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from formats.cells import Cells
from formats.training import Training
from system.architecture import Architecture, architecture
from system.budget import published
from system.budget.bill import checked, priced
from system.budget.lines import Budget
from system.budget.surroundings import has_pump

FULL_SPEED = 1e9
"""Training steps per second to ask for, so that the schedule alone sets the rate."""
MACS = tuple(2**k for k in range(4, 19))
"""Numbers of MACs tried."""


@dataclass(frozen=True)
class Candidate:
    """One layout: its bill at ``rate`` training steps per second, and over the published totals."""

    name: str
    said: str
    bill: Budget

    @property
    def area_ratio(self) -> float:
        """Area over the published one."""
        return self.bill.area / published.PUBLISHED_AREA.value

    @property
    def power_ratio(self) -> float:
        """Average power over the published one."""
        return self.bill.power / published.PUBLISHED_POWER.value

    @property
    def reaches(self) -> bool:
        """Whether neither total exceeds the published one."""
        return self.area_ratio <= 1 and self.power_ratio <= 1


@dataclass(frozen=True)
class Share:
    """What one line alone takes of the published totals (1: all of it)."""

    item: str
    area: float
    power: float


def shares(bill: Budget) -> tuple[Share, ...]:
    """Every line beside the published totals, the largest first."""
    rate = bill.timing.rate
    found = [
        Share(
            line.item,
            line.area / published.PUBLISHED_AREA.value,
            (line.energy_training * rate + line.leakage) / published.PUBLISHED_POWER.value,
        )
        for line in bill.lines
    ]
    return tuple(sorted(found, key=lambda share: -max(share.area, share.power)))


def steps(cells: Cells, training: Training, accept_edited_cells: bool) -> tuple[Candidate, ...]:
    """From every product on a MAC of its own to few shared ones, an assumption at a time, at full
    speed; the last with what stands around the cells."""
    pair = checked(cells, training, accept_edited_cells)

    def made(name: str, said: str, layout: Architecture) -> Candidate:
        return Candidate(name, said, priced(pair, replace(layout, name=name), FULL_SPEED))

    bare = Architecture()
    row = replace(bare, parallelism="row")
    outputs = replace(row, order="outputs")
    found = [
        made("unrolled", "a MAC for every product of every layer", bare),
        made(
            "layers share",
            "a MAC for every product of the largest layer",
            replace(bare, parallelism="layer"),
        ),
        made("row by row", "a MAC for every product of one input", row),
        made("output by output", "as many MACs, for all products of an output first", outputs),
    ]
    frugal = _frugal(
        lambda macs: made(
            f"{macs} MACs",
            "the most of them (of powers of two) that keep the published power",
            replace(outputs, parallelism=macs),
        )
    )
    if frugal is None:
        return tuple(found)
    real = replace(
        architecture("row-parallel"),
        order="outputs",
        parallelism=frugal.bill.layout.architecture.parallelism,
    )
    said = "the same with charge pumps, gaps, clock tree, SRAM periphery and control (assumed)"
    if not has_pump(cells):  # its write voltages stay below the core supply
        real = replace(real, write_supply="external")
        said = said.replace("charge pumps, ", "")
    return (*found, frugal, made(f"{frugal.name}, and around them", said, real))


def _frugal(made: Callable[[int], Candidate]) -> Candidate | None:
    """The fastest of ``MACS`` that keeps the published power, by bisection; None if none does."""
    found: Candidate | None = None
    low, high = 0, len(MACS)
    while low < high:
        middle = (low + high) // 2
        candidate = made(MACS[middle])
        if candidate.power_ratio <= 1:
            found, low = candidate, middle + 1
        else:
            high = middle
    return found


def verdict(candidates: Sequence[Candidate]) -> str:
    """Whether one of them keeps both totals, and at what price."""
    kept = [candidate for candidate in candidates if candidate.reaches]
    if not kept:
        best = min(candidates, key=lambda one: max(one.area_ratio, one.power_ratio))
        return (
            f"None of these layouts keeps both published totals; nearest is '{best.name}', at "
            f"{best.area_ratio:.2g} times the area and {best.power_ratio:.2g} times the power."
        )
    best = max(kept, key=lambda one: one.bill.timing.rate)
    step = best.bill.timing.training_step
    return (
        f"'{best.name}' keeps both published totals ({best.bill.area * 1e6:.3g} mm2, "
        f"{best.bill.power * 1e6:.3g} uW): one candidate among others, and slow, since a training "
        f"step of one image takes {step:.3g} s and an epoch of 60,000 images "
        f"{60_000 * step / 86_400:.3g} days."
    )
