"""Walks over the states of a gate that hold each wanted transition once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from characterization.extract.logic.results import Path3

CHUNK = 40
"""Transitions of one deck; ngspice takes time that grows faster than the deck's length."""


def direct(inputs: int, order: int = 2) -> list[Path3]:
    """A walk over the states in which each sequence of ``order`` of them occurs once.

    With order 2 every ordered pair of states; with order 3 each pair after every other state. From
    a de Bruijn sequence (Fredricksen, Kessler, Maiorana; recalled).
    """
    symbols = 2**inputs
    found: list[int] = []
    word = [0] * (symbols * order)

    def extend(length: int, period: int) -> None:
        if length > order:
            if order % period == 0:
                found.extend(word[1 : period + 1])
            return
        word[length] = word[length - period]
        extend(length + 1, period)
        for symbol in range(word[length - period] + 1, symbols):
            word[length] = symbol
            extend(length + 1, length)

    extend(1, 1)
    return [(a, b, b) for a, b in zip(found, [*found[1:], found[0]], strict=True)]


def split(inputs: int) -> list[Path3]:
    """Every change of two or more inputs in two parts, and every pulse of one input."""
    states = range(2**inputs)
    return [
        (a, b, c)
        for a in states
        for b in states
        for c in states
        if a != b != c and ((a ^ b) & (b ^ c) == 0 or (a == c and (a ^ b).bit_count() == 1))
    ]


def walk(paths: Iterable[Path3]) -> list[Path3]:
    """The paths in an order in which each begins where the one before ended (Hierholzer).

    Single changes are added where the paths do not hang together. Raises ValueError where more
    paths leave a state than reach it.
    """
    paths = list(paths)
    states = 1 + max(max(path) for path in paths)
    linked = _component(paths, paths[0][0])
    for state in range(states):
        if state not in linked and any(state in (path[0], path[2]) for path in paths):
            paths += [(paths[0][0], state, state), (state, paths[0][0], paths[0][0])]
            linked = _component(paths, paths[0][0])
    unused: dict[int, list[Path3]] = {}
    for path in paths:
        unused.setdefault(path[0], []).append(path)
    stack: list[tuple[int, Path3 | None]] = [(paths[0][0], None)]
    found: list[Path3] = []
    while stack:
        state, arrived = stack[-1]
        if unused.get(state):
            path = unused[state].pop()
            stack.append((path[2], path))
        else:
            stack.pop()
            if arrived is not None:
                found.append(arrived)
    found.reverse()
    if len(found) != len(paths):
        raise ValueError("the paths cannot be walked in one go")
    return found


def chunks(path: Sequence[Path3]) -> list[Sequence[Path3]]:
    """A walk cut into parts of at most ``CHUNK``."""
    return [path[k : k + CHUNK] for k in range(0, len(path), CHUNK)]


def bits(state: int, inputs: int) -> tuple[int, ...]:
    """A state as levels of the inputs, first pin first."""
    return tuple((state >> (inputs - 1 - k)) & 1 for k in range(inputs))


def _component(paths: Sequence[Path3], start: int) -> set[int]:
    reached, more = {start}, True
    while more:
        more = False
        for a, _, c in paths:
            if (a in reached) != (c in reached):
                reached |= {a, c}
                more = True
    return reached
