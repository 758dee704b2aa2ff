"""What a simulator has done so far, so that a benchmark can count every transient."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counters:
    """Sums over all decks a simulator was asked for.

    ``decks`` = ``cached`` + ``failed`` + results run anew. ``transients`` counts the runs that
    ngspice finished, ``rescued`` those of them with other options, ``attempts`` also those that
    failed. ``time_points`` are the accepted ones of the finished runs, ``seconds`` the wall time
    spent waiting for ngspice, summed over workers.
    """

    decks: int = 0
    cached: int = 0
    attempts: int = 0
    transients: int = 0
    rescued: int = 0
    failed: int = 0
    time_points: int = 0
    seconds: float = 0.0
