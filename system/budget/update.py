"""What one parameter update computes, by rule: on streams, or in binary arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from formats.errors import InputError
from formats.training import Training


@dataclass(frozen=True)
class UpdateRule:
    """State words per parameter, and binary operations per parameter update.

    ``roundings`` are the words that enter their registers rounded at random. On streams,
    ``stream_products`` products with constants follow one another (0: the rule has no such form),
    and ``stream_additions`` take their counts into the registers.
    """

    name: str
    state_words: int
    multiplications: int
    additions: int
    roundings: int
    stream_products: int
    stream_additions: int
    formula: str


UPDATE_RULES = {
    rule.name: rule
    for rule in (
        UpdateRule(
            "adam",
            state_words=2,
            multiplications=8,
            additions=4,
            roundings=1,
            stream_products=0,
            stream_additions=0,
            formula="m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w - r m / (sqrt(v) + e); "
            "the root and the quotient are counted as one multiplication each (assumed), bias "
            "correction in r",
        ),
        UpdateRule(
            "momentum",
            state_words=1,
            multiplications=2,
            additions=3,
            roundings=2,
            stream_products=2,
            stream_additions=3,
            formula="m = m - l m + g with the leak l = 1 - momentum, w = w - r m",
        ),
        UpdateRule(
            "sgd",
            state_words=0,
            multiplications=1,
            additions=1,
            roundings=2,
            stream_products=1,
            stream_additions=1,
            formula="w = w - r g, g rounded to the width of the state",
        ),
    )
}


def update_rule(training: Training) -> UpdateRule:
    """The training's ``rule``; raises :class:`InputError` for others."""
    name = str(training.attributes["rule"])
    if name not in UPDATE_RULES:
        raise InputError(
            f"{training.path}, attribute rule",
            f"{name!r}; the budget knows {', '.join(UPDATE_RULES)}",
        )
    return UPDATE_RULES[name]
