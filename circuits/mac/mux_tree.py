"""MAC kind (a): products of n bit pairs, scaled-added by a tree of multiplexers.

Each clock lets one product through, chosen with equal probability by select bits of P(1) = 1/2, so
the output stream has the mean (1/n) sum of the products (Gaines 1967; recalled).
"""

from __future__ import annotations

from circuits.logic.cell import Instance
from circuits.mac.base import Mac, power_of_two, product


def mux_tree(encoding: str, fan_in: int, shared_select: bool) -> Mac:
    """AND (unipolar) or XNOR (bipolar) and fan_in - 1 multiplexers.

    ``shared_select``: the multiplexers of a level share one select bit (log2 n of them); otherwise
    each has its own (n - 1), which makes no difference to the mean or variance of one sum. Raises
    ValueError for another encoding, or a fan-in that is no power of two.
    """
    if encoding not in ("unipolar", "bipolar"):
        raise ValueError(f"encoding {encoding!r}: a MUX tree adds unipolar or bipolar streams")
    levels = power_of_two(fan_in)
    instances: list[Instance] = []
    operands: list[str] = []
    nodes: list[str] = []
    for index in range(fan_in):
        gates, pins, node = product(encoding, index)
        instances += gates
        operands += pins
        nodes.append(node)
    products, selects = tuple(nodes), []
    for level in range(levels):
        above = []
        for index in range(len(nodes) // 2):
            select = f"sel{level}" if shared_select else f"sel{level}_{index}"
            if select not in selects:
                selects.append(select)
            out = "y" if level == levels - 1 else f"m{level}_{index}"
            instances.append(("mux2", (nodes[2 * index], nodes[2 * index + 1], select, out)))
            above.append(out)
        nodes = above
    gate = {"unipolar": "AND2", "bipolar": "XNOR2"}[encoding]
    return Mac(
        name=f"{encoding}_mux{fan_in}" + ("_shared" if shared_select else ""),
        encoding=encoding,
        adder="mux",
        inputs=(*operands, *selects),
        outputs=("y",),
        instances=tuple(instances),
        description=f"{fan_in} {gate}, MUX2 tree with "
        + ("one select bit a level" if shared_select else "a select bit each"),
        fan_in=fan_in,
        products=products,
    )
