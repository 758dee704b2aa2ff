"""The latch that holds a decision of the comparator from one clock to the next.

Two NOR gates of core transistors; bit and complement are valid after the read.
"""

from __future__ import annotations

from circuits.part import Part


def latch_parts() -> tuple[Part, ...]:
    """Two NOR2: ``q`` is set by ``op`` and reset by ``on``; ``qn`` is its complement."""

    def nor(tag: str, output: str, first: str, second: str) -> tuple[Part, ...]:
        return (
            Part(f"{tag}n1", "nmos", (output, first, "0", "0")),
            Part(f"{tag}n2", "nmos", (output, second, "0", "0")),
            Part(f"{tag}p1", "pmos", (f"{tag}x", first, "vdd", "vdd")),
            Part(f"{tag}p2", "pmos", (output, second, f"{tag}x", "vdd")),
        )

    return (*nor("l1", "q", "on", "qn"), *nor("l2", "qn", "op", "q"))
