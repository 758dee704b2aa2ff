"""MAC kind (b): products of n bit pairs, a parallel counter and an accumulator register.

The exact counter compresses the n products with full adders. The approximate one (APC; after Kim,
Lee, Choi, ISOCC 2015, recalled; this is our reading of it) first replaces each pair of products by
one bit of weight 2, alternately their AND and their OR: 2 (x AND y) = x + y - (x XOR y) and
2 (x OR y) = x + y + (x XOR y), so the errors cancel on average where products are alike. That
saves one full adder a pair.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.logic.arithmetic import accumulator, summed_columns
from circuits.logic.cell import Instance
from circuits.mac.base import Mac, power_of_two, product

ADDERS = ("exact-counter", "approximate-counter")


def counter_mac(encoding: str, fan_in: int, adder: str, stream_length: int) -> Mac:
    """Multipliers, counter and accumulator for ``fan_in`` streams of ``stream_length`` bits.

    The accumulator is wide enough for fan_in x stream_length. Inputs: the operands, ``clk``, and
    ``run``, which at 0 makes the next stored number 0. Outputs: the stored number, least
    significant bit first. Raises ValueError for an unknown encoding or adder, a fan-in that is no
    power of two (2 or more; 4 or more for the approximate counter), or an empty stream.
    """
    power_of_two(fan_in)
    if adder not in ADDERS:
        raise ValueError(f"adder {adder!r}: expected one of {', '.join(ADDERS)}")
    if adder == "approximate-counter" and fan_in < 4:
        raise ValueError(f"fan-in {fan_in}: an approximate counter pairs AND with OR, so 4 or more")
    if stream_length < 1:
        raise ValueError(f"stream length {stream_length}: expected 1 or more")
    instances: list[Instance] = []
    operands: list[str] = []
    bits: list[str] = []
    for index in range(fan_in):
        gates, pins, node = product(encoding, index)
        instances += gates
        operands += pins
        bits.append(node)
    products = tuple(bits)
    if adder == "approximate-counter":
        pairs = [f"u{k}" for k in range(fan_in // 2)]
        for k, node in enumerate(pairs):
            gate = "or2" if k % 2 else "and2"
            instances.append((gate, (bits[2 * k], bits[2 * k + 1], node)))
        gates, count = summed_columns("k", [[], pairs])
    else:
        gates, count = summed_columns("k", [bits])
    instances += gates
    width = (fan_in * stream_length).bit_length()
    addend = count if adder == "exact-counter" else ["", *count]
    gates, stored = _accumulated(addend, width)
    instances += gates
    return Mac(
        name=f"{encoding.replace('-', '_')}_{adder.split('-', maxsplit=1)[0]}{fan_in}",
        encoding=encoding,
        adder=adder,
        inputs=(*operands, "clk", "run"),
        outputs=tuple(stored),
        instances=tuple(instances),
        description=f"{fan_in} {encoding} products, {adder.replace('-', ' ')}, "
        f"accumulator of {width} bits",
        clock="clk",
        fan_in=fan_in,
        width=width,
        products=products,
    )


def approximate_error(probabilities: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Law of the approximate count's error in one clock: values (counts) and probabilities.

    ``probabilities`` are those of a 1 at each product, which are independent; exact, by convolving
    the pairs. Raises ValueError for an odd number of them.
    """
    p = np.asarray(probabilities, dtype=float)
    if p.size % 2:
        raise ValueError(f"{p.size} products: expected an even number of them")
    differ = p[0::2] * (1 - p[1::2]) + p[1::2] * (1 - p[0::2])
    law, lowest = np.array([1.0]), 0
    for k, q in enumerate(differ):
        law = np.convolve(law, [1 - q, q] if k % 2 else [q, 1 - q])
        lowest -= 1 - k % 2
    return np.arange(law.size) + lowest, law


def _accumulated(addend: Sequence[str], width: int) -> tuple[list[Instance], list[str]]:
    """The accumulator; an addend of even numbers only ("" first) leaves out the lowest bit."""
    if addend[0]:
        return accumulator("acc_", addend, "run", "clk", width)
    return accumulator("acc_", addend[1:], "run", "clk", width - 1)
