"""Nouns beside a number."""

from __future__ import annotations


def plural(number: float, noun: str) -> str:
    """The noun for so many: ``row`` for 1, ``rows`` for 0, 2 and 1.5."""
    return noun if number == 1 else f"{noun}s"
