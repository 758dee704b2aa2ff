"""StrongARM comparator of core transistors with PMOS inputs, for voltages near ground.

Before the clock's falling edge both outputs are held at ground. Then the tail conducts, the side
whose gate is lower rises faster, and cross-coupled inverters bring it to the supply (Kobayashi et
al., IEEE JSSC 28, 523 (1993); Razavi, IEEE Solid-State Circuits Mag. 7 (2), 12 (2015), recalled).
PMOS inputs let it compare near ground, well below a read voltage that must not disturb the device.
Sizes are choices of ours (assumed).
"""

from __future__ import annotations

from circuits.part import Part

TAIL_WIDTH = 0.5e-6
"""m."""
RESET_WIDTH = 0.2e-6
"""m; width of the transistors that hold the inner nodes at ground before the clock."""


def comparator_parts(
    plus: str,
    minus: str,
    clock: str,
    width: float,
    length: float,
    label: str = "",
    tail_width: float = TAIL_WIDTH,
    reset_width: float | None = RESET_WIDTH,
) -> tuple[Part, ...]:
    """Eleven transistors; ``op`` rises where ``plus`` is above ``minus``, else ``on``.

    ``clock`` is active low. The input transistors have the width and length given (m);
    ``reset_width`` None is the technology's own. ``label`` begins the names of transistors and
    inner nodes, the outputs' too.
    """
    tail, xn, xp, on, op = (f"{label}{node}" for node in ("ctail", "xn", "xp", "on", "op"))
    resets = tuple(
        Part(f"{label}cr{index}", "nmos", (node, clock, "0", "0"), reset_width)
        for index, node in enumerate((on, op, xn, xp), start=1)
    )
    return (
        Part(f"{label}ct", "pmos", (tail, clock, "vdd", "vdd"), tail_width),
        # The side of `plus` is slowed down by a high `plus`: its output is the complement.
        Part(f"{label}ci1", "pmos", (xn, plus, tail, "vdd"), width, length),
        Part(f"{label}ci2", "pmos", (xp, minus, tail, "vdd"), width, length),
        Part(f"{label}cp1", "pmos", (on, op, xn, "vdd")),
        Part(f"{label}cp2", "pmos", (op, on, xp, "vdd")),
        Part(f"{label}cn1", "nmos", (on, op, "0", "0")),
        Part(f"{label}cn2", "nmos", (op, on, "0", "0")),
        *resets,
    )


def inverter_parts(label: str, inside: str, outside: str) -> tuple[Part, ...]:
    """Two transistors that drive ``outside`` with the complement of ``inside``."""
    return (
        Part(f"{label}n", "nmos", (outside, inside, "0", "0")),
        Part(f"{label}p", "pmos", (outside, inside, "vdd", "vdd")),
    )
