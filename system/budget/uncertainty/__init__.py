"""Uncertainty carried through the bill: an interval on every total, and what makes it.

``inputs`` say what is uncertain and how it is distributed; ``stated`` holds the figures that others
published or we assumed, ``figures`` finds them in the sources of the lines; ``generator``,
``corners`` and ``simulation`` make those of the simulated cells. ``model`` joins inputs and lines,
``spread`` draws from it and turns each input alone.
"""

from system.budget.uncertainty.inputs import Input
from system.budget.uncertainty.model import Model
from system.budget.uncertainty.spread import Bar, Spread, Uncertainty, spread, uncertainty

__all__ = ["Bar", "Input", "Model", "Spread", "Uncertainty", "spread", "uncertainty"]
