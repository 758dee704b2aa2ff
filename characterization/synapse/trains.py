"""The table as pairs of conductances: before and after each pulse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from characterization.fit.observations.columns import cycle_order, device_index
from characterization.fit.table.base import Table
from characterization.fit.table.validation import numbers
from formats.errors import InputError

NEEDED = ("voltage_V", "r_after_ohm")


@dataclass(frozen=True)
class Trains:
    """One entry for each pulse whose state before is known, run after run.

    ``run`` numbers the series of pulses of one sign on one device without a break, ``last`` marks
    the last pulse of each; ``sign`` is 1 or -1, conductances are in S.
    """

    device: np.ndarray
    run: np.ndarray
    last: np.ndarray
    sign: np.ndarray
    before: np.ndarray
    after: np.ndarray
    devices: int
    without_before: int


def trains_of(table: Table) -> Trains:
    """Rows are pulses in time: ``voltage_V`` > 0 potentiates, < 0 depresses, 0 only reads.

    ``r_after_ohm`` is the resistance after the pulse. The state before is ``r_before_ohm`` where
    the table has it, else that after the row before of the same device (and cycle, if given).
    Raises :class:`InputError`.
    """
    for name in NEEDED:
        if name not in table.frame:
            raise InputError(
                table.where,
                f"has no column {name}; expected {', '.join(NEEDED)}, and optionally device, "
                f"cycle, r_before_ohm (name foreign columns with --map {name}=NAME[:UNIT])",
            )
    voltage = numbers(table, "voltage_V")
    after = 1 / numbers(table, "r_after_ohm", above=0.0)
    device, labels = device_index(table)
    cycle = cycle_order(table)
    frame = pd.DataFrame(
        {
            "device": device,
            "cycle": np.zeros(len(device)) if cycle is None else cycle,
            "sign": np.sign(voltage),
            "after": after,
        }
    )
    before = frame.groupby(["device", "cycle"])["after"].shift().to_numpy()
    if "r_before_ohm" in table.frame:
        before = 1 / numbers(table, "r_before_ohm", above=0.0)
    pulsed = frame["sign"].to_numpy() != 0
    known = np.isfinite(before)
    use = pulsed & known
    if not use.any():
        raise InputError(
            table.where,
            "holds no pulse whose resistance before is known; expected trains of several rows for "
            "each device and cycle, or a column r_before_ohm",
        )
    # A run ends where the device, the cycle or the sign changes, reads without a pulse included.
    groups = frame.groupby(["device", "cycle"])["sign"]
    broken = (frame["sign"] != groups.shift()) | ~pulsed
    run = broken.groupby([frame["device"], frame["cycle"]]).cumsum()
    code = frame.assign(run=run).groupby(["device", "cycle", "run"], sort=False).ngroup().to_numpy()
    order = np.flatnonzero(use)[np.argsort(code[use], kind="stable")]
    chosen = code[order]
    return Trains(
        device[order],
        chosen,
        np.append(chosen[1:] != chosen[:-1], True),
        frame["sign"].to_numpy()[order],
        before[order],
        after[order],
        max(1, len(labels)),
        int((pulsed & ~known).sum()),
    )
