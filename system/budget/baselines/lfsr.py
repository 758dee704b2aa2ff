"""The same stochastic computer in CMOS alone: every memristive SNG becomes an LFSR and comparator.

The bill is written by the same code from the same cells.nc, whose sng group is replaced by its
reference ``lfsr_sng8``; what only a write voltage needs goes.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import xarray as xr

from formats.cells import PHASES, Cells, at_nominal
from formats.training import Training
from system.architecture import Architecture
from system.budget.bill import BudgetOptions, budget
from system.budget.lines import Budget

REFERENCE = "lfsr_sng8"
DIFFERENCE = (
    "An LFSR repeats after 255 clocks and its bits are not independent: SNGs that share one, or "
    "start alike, multiply wrongly (docs/streams.md); the accuracy of training.nc is that of "
    "independent bits. Each SNG here has an LFSR of its own."
)


def with_lfsr(cells: Cells, clock: float) -> Cells | None:
    """The cells with the LFSR in place of the SNG, a bit in every period of ``clock`` (Hz), or as
    fast as its longest path allows; None where cells.nc has no such reference."""
    if REFERENCE not in cells.groups:
        return None
    found = cells.groups[REFERENCE]
    reference = at_nominal(found)
    sng = cells.sng.copy()
    error = float(reference["energy_stderr"]) if "energy_stderr" in reference else float("nan")
    for name, value, unknown in (
        ("energy", float(reference["energy"]), 0.0),
        ("energy_stderr", error, 0.0),
    ):
        sng[name] = _in_one_phase(cells.sng[name], value, unknown, found["energy"].attrs)
    for name, other in (("leakage_power", "leakage_power"), ("area", "area")):
        old = cells.sng[name]
        sng[name] = xr.Variable(
            old.dims, np.full(old.shape, float(reference[other])), found[other].attrs
        )
    period = max(1 / clock, float(reference["delay"]))
    times = np.where(sng["phase"].to_numpy().astype(str) == PHASES[-1], period, 0.0)
    sng["phase_time"] = xr.Variable(("phase",), times, found["delay"].attrs)
    sng["Ps_stderr"] = xr.zeros_like(cells.sng["Ps_stderr"])
    return replace(cells, groups={**cells.groups, "sng": sng})


def lfsr_budget(
    cells: Cells, training: Training, architecture: Architecture, options: BudgetOptions
) -> Budget | None:
    """The bill of the CMOS computer at the architecture's binary clock; None without a reference,
    or where memory columns compute.

    DACs, write supply and the registers of the devices' calibration are left out.
    """
    changed = with_lfsr(cells, architecture.binary_clock)
    if changed is None or architecture.columns is not None:  # memristors cannot be left out there
        return None
    conditions = {k: v for k, v in training.conditions.items() if k != "calibration"}
    plain = {**training.attributes, "conditions": json.dumps(conditions)}
    return budget(
        changed,
        replace(training, attributes=plain),
        replace(architecture, dac=None, write_supply="external"),
        options,
    )


def _in_one_phase(
    old: xr.DataArray, value: float, other: float, attributes: dict[str, object]
) -> xr.Variable:
    """``value`` in the last phase whatever the outcome, ``other`` in the phases before."""
    names = old["phase"].to_numpy().astype(str)
    levels = np.where(names == PHASES[-1], value, other)
    shape = [1] * old.ndim
    shape[old.dims.index("phase")] = levels.size
    return xr.Variable(
        old.dims, np.broadcast_to(levels.reshape(shape), old.shape).copy(), attributes
    )
