"""Binary arithmetic from gates: adders, columns of equal weight, accumulators.

Functions return instances in an order in which drivers come first, and the nodes of the result,
least significant first.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.logic.cell import Instance


def half_adder(a: str, b: str, total: str, carry: str) -> list[Instance]:
    """XOR2 and AND2; the area is that of a library's half adder."""
    return [("xor2", (a, b, total)), ("and2", (a, b, carry))]


def summed_columns(
    tag: str, columns: Sequence[Sequence[str]], width: int | None = None
) -> tuple[list[Instance], list[str]]:
    """The sum of bits of weight 2^k in ``columns[k]``, as a binary number.

    Every column is compressed by full adders, oldest bits first, and a half adder where two are
    left; carries join the next column. This is a parallel counter for one column, an array
    multiplier for the columns of partial products. ``width`` drops carries beyond so many bits.
    """
    left = [list(column) for column in columns]
    instances: list[Instance] = []
    result = []
    weight = 0
    while weight < len(left):
        column = left[weight]
        last = width is not None and weight == width - 1
        count = 0
        while len(column) > 1:
            total, carry = f"{tag}s{weight}_{count}", f"{tag}c{weight}_{count}"
            count += 1
            if last and len(column) == 2:
                instances.append(("xor2", (column[0], column[1], total)))
                column[:2] = [total]
                continue
            if len(column) == 2:
                instances += half_adder(column[0], column[1], total, carry)
                column[:2] = [total]
            else:
                instances.append(("full_adder", (*column[:3], total, carry)))
                column[:3] = []
                column.append(total)
            if not last:
                if weight + 1 == len(left):
                    left.append([])
                left[weight + 1].append(carry)
        result += column
        weight += 1
    return instances, result


def accumulator(
    tag: str, addend: Sequence[str], clear: str, clock: str, width: int
) -> tuple[list[Instance], list[str]]:
    """A register that adds ``addend`` at each rising clock, and its stored bits.

    ``clear`` at 0 makes the next stored number 0 (an AND2 a bit before the register).
    """
    stored = [f"{tag}q{k}" for k in range(width)]
    columns = [[addend[k], q] if k < len(addend) else [q] for k, q in enumerate(stored)]
    instances, total = summed_columns(tag, columns, width)
    for k, node in enumerate(total):
        instances.append(("and2", (node, clear, f"{tag}d{k}")))
        instances.append(("dff", (f"{tag}d{k}", clock, stored[k])))
    return instances, stored
