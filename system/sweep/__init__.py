"""Trainings over a grid of any options: the command ``stochram sweep``.

``grid`` reads what is varied, ``cell`` is one training of the grid and its folder, ``worker`` runs
one, ``backends`` many, ``collect`` and ``picture`` put the results together, ``stage`` joins them.
"""

from typing import TYPE_CHECKING

from formats.lazy import names_from

if TYPE_CHECKING:
    from system.sweep.stage import SweepOptions, run

__all__ = ["SweepOptions", "run"]

_PLACES = {"stage": ("SweepOptions", "run")}
__getattr__ = names_from(__name__, _PLACES)
