"""The conventional multiply-accumulate unit: binary multiplier, adder and register."""

from __future__ import annotations

from circuits.logic.arithmetic import accumulator, summed_columns
from circuits.logic.cell import Instance, LogicCell


def multiplier(width: int = 8) -> LogicCell:
    """Unsigned array multiplier of two ``width``-bit numbers (``a``, ``b``) into ``p``.

    width^2 AND2 for the partial products; carry-save rows of full and half adders.
    """
    instances, product = _product(width)
    instances, product = _renamed(instances, product, "p")
    return LogicCell(
        name=f"multiplier{width}",
        inputs=_operands(width),
        outputs=tuple(product),
        instances=tuple(instances),
        description=f"unsigned {width} x {width} array multiplier",
    )


def adder(width: int = 8) -> LogicCell:
    """Ripple-carry adder of two ``width``-bit numbers into ``width`` + 1 bits ``s``."""
    columns = [[f"a{k}", f"b{k}"] for k in range(width)]
    instances, total = _renamed(*summed_columns("n", columns), "s")
    return LogicCell(
        name=f"adder{width}",
        inputs=_operands(width),
        outputs=tuple(total),
        instances=tuple(instances),
        description=f"{width}-bit ripple-carry adder",
    )


def binary_mac(width: int = 8, terms: int = 256) -> LogicCell:
    """Multiplier, ripple-carry adder and accumulator register, wide enough for ``terms`` products.

    ``run`` at 0 makes the next stored number 0. Raises ValueError for no terms.
    """
    if terms < 1:
        raise ValueError(f"terms {terms}: expected 1 or more")
    instances, product = _product(width)
    bits = (terms * (2**width - 1) ** 2).bit_length()
    more, stored = accumulator("acc_", product, "run", "clk", bits)
    return LogicCell(
        name=f"binary_mac{width}",
        inputs=(*_operands(width), "clk", "run"),
        outputs=tuple(stored),
        instances=(*instances, *more),
        description=f"unsigned {width} x {width} multiplier, {bits}-bit ripple-carry adder and "
        "register",
        clock="clk",
    )


def _operands(width: int) -> tuple[str, ...]:
    return (*(f"a{k}" for k in range(width)), *(f"b{k}" for k in range(width)))


def _product(width: int) -> tuple[list[Instance], list[str]]:
    instances: list[Instance] = []
    columns: list[list[str]] = [[] for _ in range(2 * width - 1)]
    for i in range(width):
        for j in range(width):
            instances.append(("and2", (f"a{i}", f"b{j}", f"pp{i}_{j}")))
            columns[i + j].append(f"pp{i}_{j}")
    gates, product = summed_columns("n", columns)
    return instances + gates, product


def _renamed(
    instances: list[Instance], result: list[str], pin: str
) -> tuple[list[Instance], list[str]]:
    """The same gates with their result on ``pin``0, ``pin``1, ..."""
    names = {node: f"{pin}{k}" for k, node in enumerate(result)}
    changed = [(gate, tuple(names.get(node, node) for node in nodes)) for gate, nodes in instances]
    return changed, list(names.values())
