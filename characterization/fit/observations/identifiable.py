"""What the data can hold at all, whatever the fit says: refused, or fitted with parts left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.observations.base import Observations
from formats.errors import InputError


@dataclass(frozen=True)
class Identified:
    """Whether V0 and a family's shape can be found; ``reasons`` say why not."""

    v0: bool
    shape: bool
    reasons: tuple[str, ...]


def check_identifiable(data: Observations, where: str) -> Identified:
    """Raises :class:`InputError` where not even tau can be found."""
    total, switched = data.size, float(data.switched.sum())
    if switched == 0:
        raise InputError(
            where,
            f"none of the {total:g} outcomes switched: tau cannot be found; add higher voltages or "
            "longer times, or check what counts as switched",
        )
    told = np.any(data.exact) or data.chained
    if not told and switched == total:
        raise InputError(
            where,
            f"all {total:g} pulses switched: tau cannot be found; add lower voltages or "
            "shorter pulses",
        )
    if not told and not _overlap(data):
        raise InputError(
            where,
            "pulses switched always or never, without overlap of the two: tau and V0 are "
            "only bracketed; add voltages or widths between, with several trials each",
        )
    if data.kind == "ramps":
        return _ramps(data)
    voltages = np.unique(data.voltage)
    widths = np.unique(data.duration)
    if voltages.size == 1:
        one = f"one voltage only ({voltages[0]:g} V): tau there is fitted, V0 is refused, as it "
        reasons = [one + "needs at least two voltages"]
        shape = not (data.kind == "pulses" and widths.size == 1 and not data.chained)
        if not shape:
            reasons.append("one voltage and one pulse width: a shape cannot be found either")
        return Identified(False, shape, tuple(reasons))
    if data.kind == "pulses" and widths.size == 1 and not data.chained:
        reason = (
            "one pulse width only: a shape and V0 are not separable (only shape/V0 is); the "
            "exponential law is taken, so V0 stands for V0/shape"
        )
        return Identified(True, False, (reason,))
    return Identified(True, True, ())


def _overlap(data: Observations) -> bool:
    """Whether some pulse did not switch although one no longer and no higher did."""
    order = np.lexsort((data.within == 0, data.duration, data.voltage))
    widths = np.where(data.within > 0, data.duration, np.inf)[order]
    shortest = np.minimum.accumulate(widths)
    return bool(np.any((data.waiting[order] > 0) & (data.duration[order] >= shortest)))


def _ramps(data: Observations) -> Identified:
    rates = ramp_rates(data)
    if rates.size > 1 and rates.max() > 1.05 * rates.min():
        return Identified(True, True, ())
    reason = (
        f"one ramp rate only ({rates[0]:.3g} V/s): a shape and V0 are not separable (only "
        "shape/V0 is); the exponential law is taken, so V0 stands for V0/shape; add a ramp rate "
        "ten times slower or faster"
    )
    return Identified(True, False, (reason,))


def ramp_rates(data: Observations) -> np.ndarray:
    """The ramp rates (V/s) of the data, one each; of staircases, step over dwell."""
    if data.chained:
        child = np.flatnonzero(data.parent >= 0)
        rise = data.voltage[child] - data.voltage[data.parent[child]]
        return np.unique(np.round(rise / data.duration[child], 9))
    return np.unique(np.round((data.voltage - data.start) / data.duration, 9))
