"""Which layouts reach the published totals: every candidate is a bill, none is fitted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED
from system.budget import BudgetOptions, budget
from system.budget.gap import MACS, Candidate, shares, steps, verdict

Pair = tuple[Cells, Training]


@pytest.fixture(scope="module")
def frugal(pair: Pair) -> Pair:
    """The tests' cells with a pump, as the last candidate has one."""
    from formats.cells import variable

    cells, training = pair
    sng = cells.sng.assign(
        charge_pump_area=variable((), 80e-12, "m2", "derived: test"),
        charge_pump_efficiency=variable((), 0.5, "1", "derived: test"),
    )
    return replace(cells, groups={**cells.groups, "sng": sng}), training


@pytest.fixture(scope="module")
def candidates(frugal: Pair) -> tuple[Candidate, ...]:
    return steps(*frugal, accept_edited_cells=False)


def test_shares_are_of_the_published_area_and_power(pair: Pair) -> None:
    bill = budget(*pair, UNROLLED, BudgetOptions())
    found = shares(bill)
    assert len(found) == len(bill.lines)
    assert sum(share.area for share in found) * 1.55e-6 == pytest.approx(bill.area)
    assert sum(share.power for share in found) * 167e-6 == pytest.approx(bill.power)


def test_each_assumption_is_smaller_and_slower(candidates: tuple[Candidate, ...]) -> None:
    names = [candidate.name for candidate in candidates]
    assert names[:4] == ["unrolled", "layers share", "row by row", "output by output"]
    plain = candidates[:4]
    for before, after in itertools.pairwise(plain):
        assert after.bill.area < before.bill.area
        assert after.bill.timing.training_step >= before.bill.timing.training_step
    for candidate in candidates:
        timing = candidate.bill.timing
        assert timing.rate == pytest.approx(1 / timing.training_step), "at full speed"


def test_the_most_macs_that_keep_the_power_are_found(
    frugal: Pair, candidates: tuple[Candidate, ...]
) -> None:
    """The next power of two would not: the bisection finds what trying all of them finds."""
    few = candidates[4]
    macs = int(few.name.split()[0])
    assert few.power_ratio <= 1 < _power(frugal, MACS[MACS.index(macs) + 1])
    tried = [count for count in MACS if _power(frugal, count) <= 1]
    assert macs == max(tried)
    around = candidates[5]
    assert around.bill.layout.macs() == few.bill.layout.macs()
    assert around.bill.area > few.bill.area


def test_the_verdict_says_whether_one_keeps_both(candidates: tuple[Candidate, ...]) -> None:
    kept = [candidate for candidate in candidates if candidate.reaches]
    assert kept
    assert f"'{kept[0].name}' keeps both published totals" in verdict(kept[:1])
    others = [candidate for candidate in candidates if not candidate.reaches]
    assert verdict(others).startswith("None of these layouts keeps both")


def _power(pair: Pair, macs: int) -> float:
    layout = replace(UNROLLED, parallelism=macs, order="outputs")
    return budget(*pair, layout, BudgetOptions(frame_rate=1e9)).power / 167e-6
