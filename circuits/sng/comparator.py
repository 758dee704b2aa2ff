"""Sense stage: a StrongARM comparator with PMOS inputs and the latch that holds its decision.

Before the clock's falling edge both outputs are held at ground. Then the tail conducts, the side
whose gate is lower rises faster, and cross-coupled inverters bring it to the supply (Kobayashi et
al., IEEE JSSC 28, 523 (1993); Razavi, IEEE Solid-State Circuits Mag. 7 (2), 12 (2015), recalled).
PMOS inputs let it compare near ground, well below a read voltage that must not disturb the device.
Two NOR gates hold the decision from one clock to the next, so that bit and complement are valid
after the read. All transistors are core ones; sizes are choices of ours (assumed).
"""

from __future__ import annotations

from circuits.sng.part import Part

TAIL_WIDTH = 0.5e-6
"""m."""
RESET_WIDTH = 0.2e-6
"""m; width of the transistors that hold the inner nodes at ground before the clock."""


def comparator_parts(
    plus: str, minus: str, clock: str, width: float, length: float
) -> tuple[Part, ...]:
    """Eleven transistors; ``op`` rises where ``plus`` is above ``minus``, else ``on``.

    ``clock`` is active low. The input transistors have the width and length given (m).
    """
    resets = tuple(
        Part(f"cr{index}", "nmos", (node, clock, "0", "0"), RESET_WIDTH)
        for index, node in enumerate(("on", "op", "xn", "xp"), start=1)
    )
    return (
        Part("ct", "pmos", ("ctail", clock, "vdd", "vdd"), TAIL_WIDTH),
        # The side of `plus` is slowed down by a high `plus`: its output is the complement.
        Part("ci1", "pmos", ("xn", plus, "ctail", "vdd"), width, length),
        Part("ci2", "pmos", ("xp", minus, "ctail", "vdd"), width, length),
        Part("cp1", "pmos", ("on", "op", "xn", "vdd")),
        Part("cp2", "pmos", ("op", "on", "xp", "vdd")),
        Part("cn1", "nmos", ("on", "op", "0", "0")),
        Part("cn2", "nmos", ("op", "on", "0", "0")),
        *resets,
    )


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
