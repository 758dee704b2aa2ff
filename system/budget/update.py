"""What one parameter update costs in binary arithmetic, by optimiser."""

from __future__ import annotations

from dataclasses import dataclass

from formats.errors import InputError
from formats.training import Training


@dataclass(frozen=True)
class UpdateRule:
    """State words per parameter, and operations per parameter update."""

    name: str
    state_words: int
    multiplications: int
    additions: int
    formula: str


UPDATE_RULES = (
    UpdateRule(
        "adam",
        2,
        8,
        4,
        "m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w - r m / (sqrt(v) + e); the root and "
        "the quotient are counted as one multiplication each (assumed), bias correction in r",
    ),
    UpdateRule("momentum", 1, 2, 2, "m = b m + g, w = w - r m"),
    UpdateRule("sgd", 0, 1, 1, "w = w - r g"),
)
"""In the order in which their names are looked for in the optimiser's description."""


def update_rule(training: Training) -> UpdateRule:
    """The rule named in the training's ``optimiser``; raises :class:`InputError` for others."""
    described = str(training.attributes["optimiser"]).lower()
    for rule in UPDATE_RULES:
        if rule.name in described:
            return rule
    raise InputError(
        training.path,
        f"optimiser is {training.attributes['optimiser']!r}; the budget knows "
        f"{', '.join(rule.name for rule in UPDATE_RULES)}",
    )
