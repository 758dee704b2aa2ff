"""The laws that compete for a table: fitted to pooled outcomes, and as populations of devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from characterization.fit.choices import Choices
from characterization.fit.inference.candidate import Candidate, fit_candidate, refitted
from characterization.fit.inference.limits import limited
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import Observations
from characterization.fit.observations.identifiable import Identified
from characterization.fit.population.fit import PopulationFit, fit_population
from devices.families import FAMILIES, Family
from formats.errors import InputError

_LONG = 20_000
"""Segments beyond which only the two best pooled laws are fitted as populations."""


def candidates_of(
    data: Observations,
    choices: Choices,
    identified: Identified,
    where: str,
    temperature: float,
    single_outcomes: bool,
) -> tuple[list[Candidate], list[str]]:
    """The fitted laws, and why a law that was tried beside others could not be fitted.

    ``single_outcomes``: each device has one outcome, so its own tau is part of the law.
    """
    found: list[Candidate] = []
    failed: list[str] = []
    accelerations = choices.accelerations()
    if not identified.v0:
        accelerations = accelerations[:1]
    for family in _families(choices, identified, where, single_outcomes):
        for acceleration in accelerations:
            try:
                candidate = fit_candidate(
                    data,
                    family,
                    acceleration,
                    floor=choices.floor,
                    lapse=choices.lapse,
                    where=where,
                    temperature=temperature,
                    proportional=choices.v0_temperature != "fixed" and identified.v0,
                    limits=choices.limits,
                )
                if candidate.aicc == np.inf and found:
                    raise InputError(where, f"{data.size:g} outcomes are too few for it")
                found.append(_warm(candidate, choices, where))
            except InputError as error:
                if not found and len(accelerations) == 1:
                    raise
                failed.append(
                    f"{family.name}, {acceleration.name} was tried and left out: {error.problem}"
                )
    if not found:
        raise InputError(where, failed[0])
    return found, failed


@dataclass(frozen=True, eq=False)
class Winner:
    """The best law once devices are told apart: pooled, as a population, and every law's BIC."""

    candidate: Candidate
    population: PopulationFit
    bic: dict[str, float]
    left_out: tuple[str, ...]


def choose_population(
    candidates: list[Candidate], by_device: Observations, progress: Callable[[str], None]
) -> Winner:
    """The law with the lowest BIC as a population, with intervals."""
    ordered = sorted(candidates, key=lambda c: c.bic)
    left_out: tuple[str, ...] = ()
    if by_device.voltage.size > _LONG:
        # Pooled, devices that differ make the exponential look worst: it always takes part.
        kept = [c for i, c in enumerate(ordered) if i < 2 or not c.family.has_shape]
        names = ", ".join(c.label for c in ordered if c not in kept)
        left_out = (f"not tried as populations, as the table is long: {names}",) if names else ()
        ordered = kept
    bic = {c.label: _population(c, by_device, False, progress).bic for c in ordered}
    best = min(ordered, key=lambda c: bic[c.label])
    return Winner(best, _population(best, by_device, True, progress), bic, left_out)


def _population(
    candidate: Candidate,
    by_device: Observations,
    intervals: bool,
    progress: Callable[[str], None],
) -> PopulationFit:
    fixed = np.array([name in candidate.fixed for name in candidate.names])
    likelihood = candidate.likelihood.on(by_device)
    return fit_population(
        likelihood,
        candidate.maximum,
        box=limited(bounds(by_device, likelihood.names), likelihood.names, candidate.limits),
        fixed=fixed,
        intervals=intervals,
        progress=progress,
    )


def _warm(candidate: Candidate, choices: Choices, where: str) -> Candidate:
    """With several temperatures: the better of V0 proportional to T and V0 fixed."""
    law = candidate.likelihood
    auto = choices.v0_temperature == "auto" and law.acceleration.field_assisted
    if not law.thermal or not auto or "V0" in candidate.fixed:
        return candidate
    other = refitted(candidate, where, intervals=True, proportional=False)
    return other if other.loglik > candidate.loglik else candidate


def _families(
    choices: Choices, identified: Identified, where: str, single_outcomes: bool
) -> list[Family]:
    """The families to fit; raises :class:`InputError` for one the data cannot hold."""
    wanted = choices.families()
    if choices.c2c and choices.family not in ("auto", "exponential"):
        raise InputError("--c2c", "goes with the exponential family (or auto) only")
    if choices.c2c and not identified.shape:
        raise InputError("--c2c", f"cannot be told: {identified.reasons[-1]}")
    if choices.c2c or (single_outcomes and choices.family == "auto"):
        wanted.append(SPREAD_EXPONENTIAL)
    low, high = choices.limits.get("shape", (0.0, 1.0))
    if identified.shape or low == high:
        return wanted
    kept = [family for family in wanted if not family.has_shape]
    if not kept:
        raise InputError(
            where,
            f"the shape of a {wanted[0].name} law cannot be found: {identified.reasons[-1]}; use "
            f"--family {FAMILIES['exponential'].name}",
        )
    return kept
