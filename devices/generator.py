"""A seeded random generator in plain arithmetic, the same in numpy and in a netlist.

A counter-based hash: the word of (seed, direction, k) needs no earlier word, so a simulator that
rejects a time step, or takes other ones, cannot disturb it; k, the number of renewals, is the only
thing a netlist has to remember. One round is y = x + key, q = y (2 y + 1) mod 2^25, then the halves
of q change places. x -> x (2 x + 1) mod 2^w is one to one and its upper bits depend on all lower
ones (the round function of RC6: Rivest, Robshaw, Sidney, Yin, 1998, section 3; recalled); changing
the halves carries that on. Words have 25 bits so that every product is below 2^53 and doubles,
which is all that ngspice's expressions offer, hold it exactly.

Good for up to 2^24 renewals of a direction; seeds are whole numbers from 0 to 2^25 - 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

WORD = 2.0**25
"""Words are whole numbers from 0 to WORD - 1."""
LOWER_HALF = 2.0**12
ROUNDS = 4
"""With 2 rounds the pairs (U_k, U_k+1) fail a chi-square test on 1e5 draws; 3 rounds pass."""
CHAINS = {"threshold": 0, "cycle": 1, "device": 2}
"""Independent words: of a renewal, for its threshold and its C2C spread, and of the device, for its
D2D spread."""
_SEED_KEYS = (9205543.0, 20170331.0, 30812867.0)
_CHAIN_KEYS = (14142135.0, 27182818.0, 17320508.0)


def mixed(x: Any, key: Any, floor: Callable[[Any], Any]) -> Any:
    """One round of the hash, on numbers, on arrays or on :class:`Text`."""
    y = x + key
    product = y * (y + y + 1)
    halves = (product / WORD - floor(product / WORD)) * (WORD / LOWER_HALF)
    return (halves - floor(halves)) * WORD + floor(halves)


def key_schedule(
    seed: Any, chain: str, floor: Callable[[Any], Any], held: Callable[[Any], Any] = lambda x: x
) -> list[Any]:
    """The keys of the rounds of a chain, themselves words of the seed.

    ``held`` gets the result of each round and returns it, or its name in a netlist.
    """
    constants = [*_SEED_KEYS, *(_CHAIN_KEYS[CHAINS[chain]] + i for i in range(ROUNDS))]
    keys = []
    x = seed
    for constant in constants:
        x = held(mixed(x, constant, floor))
        keys.append(x)
    return keys[len(_SEED_KEYS) :]


def words(seed: int, direction: int, count: int, chain: str) -> tuple[np.ndarray, np.ndarray]:
    """The last two words of the renewals 0 to ``count`` - 1 (direction 0 SET, 1 RESET).

    Raises ValueError where the seed is not a whole number from 0 to 2^25 - 1, or ``count`` above
    2^24.
    """
    if not 0 <= seed < WORD or seed != int(seed):
        raise ValueError(f"seed {seed!r}: expected a whole number from 0 to {int(WORD) - 1}")
    if count > WORD / 2:
        raise ValueError(f"{count} renewals: the generator is good for {int(WORD / 2)} at most")
    x = 2.0 * np.arange(count) + direction
    before = x
    for key in key_schedule(float(seed), chain, math.floor):
        before, x = x, mixed(x, key, np.floor)
    return x, before


def uniform(last: Any, before: Any) -> Any:
    """A variate strictly between 0 and 1 of the last two words, on numbers or :class:`Text`."""
    return (last + (before + 0.5) / WORD) / WORD


def normal_parts(last: Any, before: Any) -> tuple[Any, Any]:
    """Variate and angle (rad) of Box and Muller (1958): sqrt(-2 ln u) cos(angle) is normal."""
    return (last + 0.5) / WORD, (before + 0.5) * (2 * math.pi / WORD)


class Text:
    """An expression as text in parentheses, so that :func:`mixed` writes itself into a netlist."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __add__(self, other: object) -> Text:
        return Text(f"({self.text}+{_written(other)})")

    def __sub__(self, other: object) -> Text:
        return Text(f"({self.text}-{_written(other)})")

    def __mul__(self, other: object) -> Text:
        return Text(f"({self.text}*{_written(other)})")

    def __truediv__(self, other: object) -> Text:
        return Text(f"({self.text}/{_written(other)})")

    def __str__(self) -> str:
        return self.text


def floor_text(x: Text) -> Text:
    """The whole part, in a netlist."""
    return Text(f"floor({x.text})")


def _written(value: object) -> str:
    return f"{value:.17g}" if isinstance(value, int | float) else str(value)
