"""What must be said beside the numbers of an exploration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from system.explore.judge import front_of
from system.explore.points import Prices

if TYPE_CHECKING:
    from system.explore.stage import Explored

SURE = 0.95
_LISTED = 12


def sentences(explored: Explored, prices: Prices) -> Iterator[str]:
    """One thing each."""
    yield _search(explored)
    points = [each.point for each in explored.points]
    if not points:
        return
    seeds = {len(point.estimate.by_seed) for point in points}
    images = sorted({point.estimate.images for point in points})
    of = f"{images[0]:,}" if len(images) == 1 else f"{images[0]:,} to {images[-1]:,}"
    what = (
        "one training each, whose spread from seed to seed is not in their standard errors"
        if seeds == {1}
        else "mean over the seeds, whose spread is in their standard errors"
    )
    yield (
        f"Accuracies are simulated: networks on streams, after the last epoch, on {of} test "
        f"images; {what}."
    )
    yield (
        "Energies and areas are derived, the totals of `stochram report`. What is uncertain about "
        "them is the same cells for all points and is not in the probabilities; energy is that of "
        "switching, leakage has a column of its own."
    )
    yield (
        "P(front) is the probability that no other point dominates one, the errors of accuracies "
        "being normal and independent (assumed; on the same test images they go together, so that "
        "more can be told apart than is said here)."
    )
    yield from _dacs(explored, prices)
    yield from _front(explored)
    slow = sum(each.too_slow for each in explored.points)
    if slow:
        yield f"{slow} points take longer than --max-latency-s and are not compared."
    if explored.failed:
        yield f"{len(explored.failed)} without a point: " + "; ".join(
            f"{each.training} ({each.reason})" for each in explored.failed
        )


def _search(explored: Explored) -> str:
    if explored.done == explored.possible:
        return f"All {explored.possible} trainings of the grid were done: the front is the grid's."
    return (
        f"{explored.done} of {explored.possible} trainings of the grid are there "
        f"({explored.method}): the front is that of these."
    )


def _dacs(explored: Explored, prices: Prices) -> Iterator[str]:
    bits = {each.point.varied["dac_bits"] for each in explored.points}
    if prices.level is None and len(bits) > 1:
        if any(each.architecture.dac is None for each in explored.layouts):
            yield (
                "DACs are not counted, so that their bits cost nothing here; "
                "--dac-level-area-um2 and --dac-level-energy-fJ count them."
            )
        else:
            yield "A DAC costs what the architecture says, however many bits it has."


def _front(explored: Explored) -> Iterator[str]:
    front = front_of(explored.points)
    alike = sum(bool(each.like) for each in front)
    if alike:
        yield (
            f"{alike} of the {len(front)} points of the front are not distinguishable at 95 % from "
            'others of it that cost no more ("like", not_distinguishable_from): that they do '
            "better is not proven."
        )
    unsure = [each for each in explored.points if not each.on_front and each.probability > 1 - SURE]
    if unsure:
        listed = ", ".join(f"{each.number} ({each.probability:.2f})" for each in unsure[:_LISTED])
        more = f" and {len(unsure) - _LISTED} more" if len(unsure) > _LISTED else ""
        yield f"Dominated, but not surely, with P(front) above 0.05: {listed}{more}."
