"""Accuracy, energy and area of many designs, and their Pareto front: ``stochram explore``.

``options`` is what the user chooses, ``layouts`` the architectures, ``search`` which trainings run
(:mod:`system.sweep` runs them), ``points`` what each design scores and costs, ``front`` which of
them no other one dominates and how sure that is. ``table``, ``picture``, ``sentences`` and
``screen`` say it; ``stage`` joins them.
"""

from typing import TYPE_CHECKING

from formats.lazy import names_from

if TYPE_CHECKING:
    from system.explore.options import ExploreOptions
    from system.explore.stage import run

__all__ = ["ExploreOptions", "run"]

_PLACES = {"options": ("ExploreOptions",), "stage": ("run",)}
__getattr__ = names_from(__name__, _PLACES)
