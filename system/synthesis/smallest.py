"""The smallest mapping of a design, checked against what it must compute, as a record to keep."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from formats.errors import InputError
from formats.seeds import generator
from system.synthesis import floats
from system.synthesis.activity import activity
from system.synthesis.designs import Design, Words
from system.synthesis.netlist import Netlist, parse
from system.synthesis.yosys import COVERS, mapped

VECTORS = 20_000
FORMATS = {"fp32_mac": (8, 23), "bf16_mac": (8, 7)}


def smallest(yosys: str, design: Design, liberty: Path, area: Mapping[str, float]) -> Netlist:
    """The mapping of least area (m2 by gate) over ABC's scripts."""
    found = [parse(mapped(yosys, design.name, liberty, cover), design.name) for cover in COVERS]
    return min(found, key=lambda netlist: cell_area(netlist.counts, area))


def cell_area(counts: Mapping[str, int], area: Mapping[str, float]) -> float:
    """Area (m2) of gates without wires."""
    return float(sum(area[gate] * count for gate, count in counts.items()))


def disagreements(netlist: Netlist, design: Design, vectors: int, seed: int) -> int:
    """In how many of ``vectors`` random clocks the netlist's result is not the expected one.

    Words and present states are random bits, so every kind of number occurs; half of the
    floating-point states lie within four binades of the product, where sums cancel and round.
    """
    state, words = random_clock(netlist, design, vectors, seed)
    values = netlist.start(vectors)
    if design.clocked:
        netlist.drive(values, design.result, state)
    for port, numbers in words.items():
        netlist.drive(values, port, numbers)
    netlist.settle(values)
    if design.clocked:
        netlist.clock(values)
    found = netlist.read(values, design.result)
    return int(np.sum(found != design.expected(state, words)))


def random_clock(
    netlist: Netlist, design: Design, vectors: int, seed: int
) -> tuple[np.ndarray, Words]:
    """Present states and input words; ``run`` is 0 in one of sixteen clocks."""
    rng = generator(seed, "synthesis", "vectors", design.name)
    words = {
        port: rng.integers(0, 2**bits, vectors, np.uint64) for port, bits in design.widths.items()
    }
    if "run" in words:
        words["run"] = (rng.integers(0, 16, vectors) > 0).astype(np.uint64)
    state = rng.integers(0, 2 ** int(netlist.ports[design.result].size), vectors, np.uint64)
    if design.name in FORMATS:
        exponent, mantissa = FORMATS[design.name]
        product = floats.multiply(words["a"], words["b"], exponent, mantissa)
        top = 2**exponent - 1
        power = ((product >> np.uint64(mantissa)) & np.uint64(top)).astype(int)
        near = np.clip(power + rng.integers(-4, 5, vectors), 0, top).astype(np.uint64)
        others = np.uint64(~(top << mantissa) & (2 ** (1 + exponent + mantissa) - 1))
        moved = (state & others) | (near << np.uint64(mantissa))
        state = np.where(np.arange(vectors) % 2 == 0, moved, state)
    return state, words


def record(
    netlist: Netlist, design: Design, delay: Mapping[str, float], seed: int
) -> dict[str, Any]:
    """What to keep of a mapping: gates, the longest path by ``delay`` (s), events of a clock.

    Raises :class:`InputError` where the netlist does not compute what it must.
    """
    wrong = disagreements(netlist, design, VECTORS, seed)
    if wrong:
        raise InputError(design.name, f"is wrong in {wrong} of {VECTORS} random clocks")
    seen = activity(netlist, design, seed)
    return {
        "kind": design.kind,
        "description": design.description,
        "products": design.products,
        "stream": design.stream,
        "operands": design.operands,
        "checked_vectors": VECTORS,
        "gates": netlist.counts,
        "longest_path": netlist.longest_path(delay),
        "toggling": float(f"{seen.toggling:.4g}"),
        "transitions": seen.transitions,
    }
