"""What the resistance threshold does to a fit: the same law at other thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.inference.candidate import Candidate, refitted
from characterization.fit.observations.base import pooled
from characterization.fit.observations.directions import Part, with_threshold
from characterization.fit.observations.kinds import observe
from formats.errors import InputError

_FACTOR = 1.5


@dataclass(frozen=True)
class ThresholdFit:
    """The chosen law at one threshold (ohm): ``tau`` (s) at ``voltage`` (V), V0 (V) and shape.

    Values are NaN, and ``problem`` says why, where no fit was possible.
    """

    threshold: float
    switched: int
    outcomes: int
    voltage: float
    tau: float
    v0: float
    shape: float
    problem: str = ""


def threshold_fits(
    part: Part, chosen: Candidate, thresholds: tuple[float, ...], where: str
) -> tuple[ThresholdFit, ...]:
    """Refit at ``thresholds``, by default 2/3, 1 and 3/2 of the one used; none without one."""
    if part.threshold is None:
        return ()
    wanted = thresholds or (part.threshold / _FACTOR, part.threshold, part.threshold * _FACTOR)
    return tuple(_one(part, chosen, float(threshold), where) for threshold in sorted(wanted))


def sentences(fits: tuple[ThresholdFit, ...]) -> tuple[str, ...]:
    """The three fits in one sentence."""
    if not fits:
        return ()
    told = [
        f"{fit.threshold:.4g} ohm: {fit.switched:,} of {fit.outcomes:,} switched, "
        + (fit.problem or f"tau {fit.tau:.3g} s at {fit.voltage:g} V, V0 {fit.v0:.3g} V")
        for fit in fits
    ]
    return (f"the same law at other resistance thresholds: {'; '.join(told)}",)


def _one(part: Part, chosen: Candidate, threshold: float, where: str) -> ThresholdFit:
    table = with_threshold(part, threshold)
    data = pooled(observe(table, part.kind))
    counts = int(data.switched.sum()), int(data.size)
    law = chosen.likelihood
    place = law.reference
    try:
        found = refitted(chosen, where, data=data)
    except InputError as error:
        nothing = float("nan")
        return ThresholdFit(
            threshold, *counts, place, nothing, nothing, nothing, f"no fit: {error.problem}"
        )
    ln_tau = found.likelihood.ln_tau(
        found.theta, np.array([place]), np.array([law.reference_temperature])
    )[0]
    shape = found.value("shape") if "shape" in found.names else float("nan")
    return ThresholdFit(
        threshold, *counts, place, float(np.exp(ln_tau[0])), found.value("V0"), shape
    )
