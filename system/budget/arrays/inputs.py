"""What is uncertain about the figures of an array, beside those of logic cells."""

from __future__ import annotations

import math

from system.budget.uncertainty.inputs import factor, within

CELL_AREA = factor(
    "1T1R cell area",
    1.5,
    "assumed: the area rule of its access transistor is ours, contacts and spacings are no "
    "foundry's",
)
LEAST_DRIVE = 0.1
"""Of the energy of a read with every row at the whole read voltage; assumed."""
DRIVEN = math.sqrt(LEAST_DRIVE)
"""What the bill takes: the middle, in logarithms, between the least and all."""
DRIVE = within(
    "drive of the rows",
    LEAST_DRIVE / DRIVEN,
    1 / DRIVEN,
    f"assumed: pixels and activations drive rows to {LEAST_DRIVE:g} to 1 of the energy of a read "
    f"with every row at the whole read voltage; the bill has {DRIVEN:.2g} of it",
)
CONDUCTANCE = factor(
    "mean conductance",
    1.2,
    "assumed: the mean of the devices is known without its error; other seeds and chips differ",
)
PULSE = factor(
    "programming pulse",
    3.0,
    "assumed: the highest write voltage and the pulse of the SNG stand for those that program a "
    "device of an array; drivers and lines are not in it",
)
CONVERTER_AREA = factor(
    "converter area", 2.0, "assumed: the user gives a figure without an uncertainty"
)
CONVERTER_ENERGY = factor(
    "converter energy", 2.0, "assumed: the user gives a figure without an uncertainty"
)
