"""The conventional stochastic number generator: a linear-feedback shift register and a comparator.

The register steps through all states but one; the bit is 1 where its number is below the threshold,
so a period holds as many ones as the threshold says.
"""

from __future__ import annotations

from circuits.logic.cell import Instance, LogicCell

TAPS = {4: (4, 3), 8: (8, 6, 5, 4), 16: (16, 15, 13, 4)}
"""Stages whose XNOR feeds the first one for the maximal period 2^w - 1, numbered from 1; from the
Xilinx application note XAPP 052 (recalled; the periods of 4 and 8 stages are tested)."""


def lfsr_sng(width: int = 8) -> LogicCell:
    """Shift register, XNOR feedback and a ripple comparator of ``width`` bits (4, 8 or 16).

    Feedback by XNOR starts from 0 and leaves out the state of all ones. ``run`` at 0 shifts zeros
    in: ``width`` clocks clear the register. Inputs: ``x0`` ... the threshold (least significant
    first), ``clk``, ``run``; output ``y``: number < threshold. Raises ValueError for another width.
    """
    if width not in TAPS:
        raise ValueError(f"width {width}: taps are known for {', '.join(map(str, TAPS))}")
    stages = [f"r{k}" for k in range(width)]
    thresholds = [f"x{k}" for k in range(width)]
    taps = [stages[tap - 1] for tap in TAPS[width]]
    instances: list[Instance] = []
    node = taps[0]
    for index, tap in enumerate(taps[1:]):
        last = index == len(taps) - 2
        instances.append(("xnor2" if last else "xor2", (node, tap, f"f{index}")))
        node = f"f{index}"
    instances.append(("and2", (node, "run", "next")))
    previous = "next"
    for stage in stages:
        instances.append(("dff", (previous, "clk", stage)))
        previous = stage
    instances += [("inv", (stages[0], "n0")), ("and2", (thresholds[0], "n0", "lt0"))]
    for k in range(1, width):
        out = "y" if k == width - 1 else f"lt{k}"
        instances.append(("xnor2", (stages[k], thresholds[k], f"same{k}")))
        instances.append(("mux2", (thresholds[k], f"lt{k - 1}", f"same{k}", out)))
    return LogicCell(
        name=f"lfsr_sng{width}",
        inputs=(*thresholds, "clk", "run"),
        outputs=("y",),
        instances=tuple(instances),
        description=f"{width}-bit LFSR (taps {', '.join(map(str, TAPS[width]))}) and comparator",
        clock="clk",
    )
