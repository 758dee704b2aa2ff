"""The truth of a gate as text that Liberty and Verilog both read, and what follows from it.

A gate states its truth once, as a Python function (``circuits.logic.gates``); every expression
here is derived from it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from sympy import Symbol
from sympy.logic import SOPform
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue, Not, Or

from circuits.logic.gates import Gate

POSITIVE, NEGATIVE, BOTH = "positive_unate", "negative_unate", "non_unate"


def states(inputs: int) -> list[tuple[int, ...]]:
    """All input states in counting order, the first pin the most significant bit."""
    return list(itertools.product((0, 1), repeat=inputs))


def bits_of(state: Sequence[int]) -> str:
    """An input state as cells.nc names it, for example "011"."""
    return "".join(str(bit) for bit in state)


def outputs_of(gate: Gate, state: Sequence[int]) -> tuple[int, ...]:
    """Output bits of a combinational gate; raises ValueError for one without a truth."""
    if gate.function is None:
        raise ValueError(f"{gate.name} holds a state, so it has no truth table")
    return gate.function(*state)


def expression(gate: Gate, output: str) -> str:
    """The function of an output with ``!``, ``&``, ``|``, ``^``: a parity or a sum of products."""
    place = gate.outputs.index(output)
    every = states(len(gate.inputs))
    values = [outputs_of(gate, state)[place] for state in every]
    parity = [sum(state) % 2 for state in every]
    if len(gate.inputs) > 1 and values == parity:
        return " ^ ".join(gate.inputs)
    if len(gate.inputs) > 1 and values == [1 - bit for bit in parity]:
        return f"!({' ^ '.join(gate.inputs)})"
    ones = [list(state) for state, value in zip(every, values, strict=True) if value]
    zeros = [list(state) for state, value in zip(every, values, strict=True) if not value]
    symbols = [Symbol(pin) for pin in gate.inputs]
    direct, inverse = SOPform(symbols, ones), SOPform(symbols, zeros)
    if _cost(inverse) + 1 < _cost(direct):
        return f"!({_text(inverse, gate.inputs)})"
    return _text(direct, gate.inputs)


def condition(pins: Sequence[str], values: Sequence[int]) -> str:
    """The product that is true in one state of ``pins``, for example ``a & !b``."""
    return " & ".join(pin if value else f"!{pin}" for pin, value in zip(pins, values, strict=True))


def sense(gate: Gate, pin: str, output: str) -> str | None:
    """How an output follows an input: a word of Liberty, or None where it never does."""
    at, place = gate.inputs.index(pin), gate.outputs.index(output)
    found = set()
    for low in states(len(gate.inputs)):
        if low[at] == 0:
            high = tuple(1 if i == at else bit for i, bit in enumerate(low))
            found.add(outputs_of(gate, high)[place] - outputs_of(gate, low)[place])
    found.discard(0)
    if not found:
        return None
    return BOTH if len(found) == 2 else {1: POSITIVE, -1: NEGATIVE}[found.pop()]


def _cost(term: Boolean) -> int:
    """Literals and inversions."""
    if isinstance(term, Not):
        return 1 + _cost(term.args[0])
    return sum(_cost(argument) for argument in term.args) if term.args else 1


def _text(term: Boolean, pins: Sequence[str]) -> str:
    if isinstance(term, (BooleanTrue, BooleanFalse)):
        return "1" if isinstance(term, BooleanTrue) else "0"
    if isinstance(term, Not):
        return f"!{_text(term.args[0], pins)}"
    if isinstance(term, And):
        return " & ".join(_text(argument, pins) for argument in _ordered(term, pins))
    if isinstance(term, Or):
        parts = [
            f"({_text(argument, pins)})" if isinstance(argument, And) else _text(argument, pins)
            for argument in _ordered(term, pins)
        ]
        return " | ".join(parts)
    return str(term)


def _ordered(term: Boolean, pins: Sequence[str]) -> list[Boolean]:
    """The arguments in the order of the pins they hold, so that the text is always the same."""

    def key(argument: Boolean) -> tuple[list[int], str]:
        held = sorted(pins.index(str(symbol)) for symbol in argument.free_symbols)
        return held, str(argument)

    return sorted(term.args, key=key)
