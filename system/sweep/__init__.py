"""Trainings over a grid of any options: the command ``stochram sweep``.

``grid`` reads what is varied, ``cell`` is one training of the grid and its folder, ``worker`` runs
one, ``backends`` many, ``collect`` and ``picture`` put the results together, ``stage`` joins them.
"""

from system.sweep.stage import SweepOptions, run

__all__ = ["SweepOptions", "run"]
