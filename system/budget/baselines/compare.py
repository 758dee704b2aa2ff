"""Everything a bill is set beside."""

from __future__ import annotations

from dataclasses import dataclass

from formats.cells import Cells
from formats.training import Training
from system.architecture import Architecture
from system.budget.baselines.arrays import Array, Work, arrays, work_of
from system.budget.baselines.figures import PUBLISHED
from system.budget.baselines.lfsr import lfsr_budget
from system.budget.baselines.orders import Row, orders
from system.budget.baselines.own import simulated_mac, synthesised_macs
from system.budget.baselines.stochastic import candidates
from system.budget.baselines.synthesised import Synthesised, synthesised
from system.budget.baselines.verdict import verdict
from system.budget.bill import BudgetOptions
from system.budget.lines import Budget


@dataclass(frozen=True)
class Baselines:
    """``stochastic_cmos`` is None where cells.nc has no LFSR, ``made`` (tool and preset) and
    ``designs`` are empty where it lacks a gate that the mapping uses."""

    work: Work
    arrays: tuple[Array, ...]
    orders: tuple[Row, ...]
    ours: Budget
    stochastic_cmos: Budget | None
    made: str
    designs: tuple[Synthesised, ...]
    verdict: tuple[str, ...]


def baselines(
    cells: Cells,
    training: Training,
    architecture: Architecture,
    options: BudgetOptions,
    bill: Budget,
) -> Baselines:
    """The baselines of a ``bill`` that was made from the other arguments."""
    made, designs = synthesised(cells) or ("", ())
    simulated = simulated_mac(cells)
    macs = [*PUBLISHED, *([simulated] if simulated else []), *synthesised_macs(designs)]
    rows = orders(candidates(cells, bill, designs), macs)
    built = tuple(one for mac in macs for one in arrays(mac, bill))
    cmos = lfsr_budget(cells, training, architecture, options)
    return Baselines(
        work=work_of(bill),
        arrays=built,
        orders=rows,
        ours=bill,
        stochastic_cmos=cmos,
        made=made,
        designs=designs,
        verdict=tuple(verdict(rows, built, bill, cmos)),
    )
