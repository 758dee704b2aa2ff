"""One direction (SET or RESET): candidates, choice, tests, populations and dependence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from characterization.fit.choices import Choices
from characterization.fit.competition import candidates_of, choose_population
from characterization.fit.dependence.analysis import Dependence, dependence_of
from characterization.fit.goodness.tests import (
    Test,
    floor_test,
    lapse_test,
    likelihood_ratio,
    tests_of,
)
from characterization.fit.inference.candidate import Candidate, refitted
from characterization.fit.inference.identifiability import (
    Bracket,
    bracket,
    informative_voltages,
)
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from characterization.fit.observations.base import Observations, count_summary, pooled
from characterization.fit.observations.columns import one_temperature
from characterization.fit.observations.directions import Part
from characterization.fit.observations.identifiable import Identified, check_identifiable
from characterization.fit.observations.kinds import observe
from characterization.fit.population.check import check_population
from characterization.fit.population.effects import SIGMA_TAU
from characterization.fit.population.fit import PopulationFit
from characterization.fit.population.simulate import own_theta
from characterization.fit.population.spread import identified
from characterization.fit.thresholds import ThresholdFit, threshold_fits
from devices.defaults import ASSUMED_TEMPERATURE
from formats.errors import InputError
from formats.seeds import generator

FLOOR_LEVEL = 0.01
"""p-value below which a false-switch floor is suggested."""
INDISTINCT = 2.0
"""Difference of BIC (or of -2 log L at equal counts) below which laws are not told apart."""
NESTED = {"weibull": "exponential", "gamma": "exponential", "exponential + spread": "exponential"}
"""Families that hold another at an end or at shape 1."""
_LONG_POPULATION = 20_000
"""Segments beyond which the population's goodness of fit takes fewer refits."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LawFit:
    """A fitted switching law of one direction and everything that was learned on the way.

    ``data`` are the outcomes with devices pooled, ``by_device`` with their devices. ``chosen`` is
    the law of the pooled outcomes; ``population`` the same family with devices told apart, None
    where the table does not hold that (``spread_reasons`` say why), and then what device.json
    takes; ``population_bic`` compares all laws so. ``dependence`` is None where the order of
    outcomes is not known.
    """

    direction: str
    data: Observations
    by_device: Observations
    identified: Identified
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    population: PopulationFit | None
    population_bic: dict[str, float]
    spread_reasons: tuple[str, ...]
    dependence: Dependence | None
    tests: tuple[Test, ...]
    informative: np.ndarray
    floor: float
    bracket: Bracket | None
    failed: tuple[str, ...]
    thresholds: tuple[ThresholdFit, ...] = ()

    @property
    def counts(self) -> dict[str, Any]:
        """The counts shown to the user."""
        return count_summary(self.data)

    @property
    def median(self) -> Candidate:
        """The law of the median device: that of the population where there is one."""
        fit = self.population
        if fit is None:
            return self.chosen
        p = fit.theta.size
        return replace(
            self.chosen,
            theta=fit.theta,
            maximum=fit.theta,
            loglik=fit.loglik,
            covariance=fit.covariance[:p, :p],
            intervals=fit.intervals,
            bracketed=(),
        )


def fit_direction(part: Part, choices: Choices, progress: Progress = lambda _: None) -> LawFit:
    """Fit the rows of one direction; raises :class:`InputError`."""
    where = part.table.where
    by_device = observe(part.table, part.kind)
    one = one_temperature(part.table)
    temperature = one if one is not None else ASSUMED_TEMPERATURE
    data = pooled(by_device)
    known = check_identifiable(data, where)
    if (choices.floor or choices.lapse) and (data.kind != "pulses" or data.chained):
        raise InputError(
            "--floor" if choices.floor else "--lapse",
            "applies to single pulses only: waits, ramps and trains have no false switches of "
            "their own",
        )
    progress("candidate laws")
    candidates, failed = candidates_of(
        data, choices, known, where, temperature, single_outcomes(by_device)
    )
    chosen = min(candidates, key=lambda c: c.bic)
    population, population_bic = None, {}
    reasons = spread_reasons(chosen, by_device, choices)
    if not reasons:
        winner = choose_population(candidates, by_device, progress)
        chosen, population, population_bic = winner.candidate, winner.population, winner.bic
        failed = [*failed, *winner.left_out]
    progress("order of the outcomes")
    dependence = _dependence(chosen, population, by_device)
    if population is None and dependence is not None and dependence.robust is not None:
        robust = _robust(chosen, dependence)
        candidates = [robust if c is chosen else c for c in candidates]
        chosen = robust
    progress("goodness of fit")
    tests, floor = _tests(candidates, chosen, population, where, choices.seed, progress)
    informative = informative_voltages(data, floor)
    found = (
        bracket(chosen, float(informative[0]), floor)
        if data.kind == "pulses" and informative.size == 1 and known.v0 and population is None
        else None
    )
    return LawFit(
        part.direction,
        data,
        by_device,
        known,
        tuple(candidates),
        chosen,
        population,
        population_bic,
        reasons,
        dependence,
        tests,
        informative,
        floor,
        found,
        tuple(failed),
        threshold_fits(part, chosen, choices.thresholds, where),
    )


def single_outcomes(data: Observations) -> bool:
    """Whether the table names devices, and each has one outcome."""
    if len(data.devices) < 2:
        return False
    return bool(np.bincount(data.device, data.trials).max() == 1)


def spread_reasons(chosen: Candidate, by_device: Observations, choices: Choices) -> tuple[str, ...]:
    """Why no spread over devices is fitted, by name; empty where it can be."""
    if not by_device.devices and chosen.family is SPREAD_EXPONENTIAL:
        return (
            "no device column: D2D, C2C and stretching of the law are not separable; their sum is "
            "fitted as one spread",
        )
    if not by_device.devices:
        return (
            "no device column: D2D, C2C and stretching of the law are not separable; spreads are "
            "assumed, not fitted",
        )
    if len(by_device.devices) == 1:
        return ("one device: nothing is known of the spread between devices (D2D)",)
    if not choices.spread:
        return ("devices are pooled as asked: their spread (D2D) is inside the fitted law",)
    refused = identified(chosen.likelihood.on(by_device), chosen.theta).refused
    if SIGMA_TAU not in refused:
        return ()
    return (
        f"{refused[SIGMA_TAU]}. So D2D is 0 and cells built on this law look more alike than these "
        "devices are",
    )


def _dependence(
    chosen: Candidate, population: PopulationFit | None, by_device: Observations
) -> Dependence | None:
    if population is None or population.posterior is None:
        return dependence_of(chosen.likelihood, chosen.theta, chosen.covariance)
    likelihood = population.likelihood
    b = np.zeros((2, int(by_device.device.max()) + 1))
    b[:, np.unique(by_device.device)] = population.posterior.mean
    own = own_theta(likelihood, population.theta, b)
    return dependence_of(likelihood, own, np.full(chosen.covariance.shape, np.nan))


def _robust(chosen: Candidate, dependence: Dependence) -> Candidate:
    """The candidate with standard errors that allow for dependent outcomes."""
    assert dependence.robust is not None
    held = np.flatnonzero(np.isfinite(np.diag(chosen.covariance)))
    covariance = np.full(chosen.covariance.shape, np.nan)
    covariance[np.ix_(held, held)] = dependence.robust.covariance
    low, high = dependence.robust.interval95(chosen.theta[held])
    ends = list(chosen.intervals)
    for index, a, b in zip(held, low, high, strict=True):
        ends[index] = (float(a), float(b))
    return replace(chosen, covariance=covariance, intervals=tuple(ends))


def _tests(
    candidates: list[Candidate],
    chosen: Candidate,
    population: PopulationFit | None,
    where: str,
    seed: int,
    progress: Progress,
) -> tuple[tuple[Test, ...], float]:
    """All tests, and the floor the data show (fitted, or found by its test; else 0)."""
    tests = [] if population is not None else _nested_tests(candidates, chosen)
    tests += _temperature_test(chosen, where)
    random = generator(seed, "fit", "goodness")
    if population is None:
        tests += tests_of(chosen, random, progress=_counting(progress))
    else:
        tests += [Test(t.name, t.statistic, t.p_value, t.note) for t in population.tests]
        refits = 99 if population.likelihood.data.voltage.size < _LONG_POPULATION else 19
        tests += [
            Test(t.name, t.statistic, t.p_value, t.note)
            for t in check_population(population, random, refits=refits, progress=progress)
        ]
    floor = chosen.share("floor")
    law = chosen.likelihood
    if law.data.kind != "pulses" or law.data.chained or population is not None:
        return tuple(tests), floor  # what devices differ by looks like a floor
    try:
        other = refitted(chosen, where, floor=not law.floor)
    except InputError:  # the law with or without floor has no maximum: nothing to compare
        return tuple(tests), floor
    pair = (other, chosen) if law.floor else (chosen, other)
    tests.append(floor_test(*pair))
    p = tests[-1].p_value
    if not law.floor and p is not None and p < FLOOR_LEVEL:
        floor = other.share("floor")
    return (*tests, *_lapse_test(chosen, where)), floor


def _lapse_test(chosen: Candidate, where: str) -> list[Test]:
    law = chosen.likelihood
    try:
        other = refitted(chosen, where, lapse=not law.lapse)
    except InputError:
        return []
    return [lapse_test(*((other, chosen) if law.lapse else (chosen, other)))]


def _counting(progress: Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress(f"goodness of fit: refit {done} of {total}")


def _nested_tests(candidates: list[Candidate], chosen: Candidate) -> list[Test]:
    tests = []
    for large in candidates:
        inside = NESTED.get(large.family.name)
        for small in candidates:
            if small.family.name == inside and (
                small.acceleration is large.acceleration is chosen.acceleration
            ):
                tests.append(likelihood_ratio(small, large))
    return tests


def _temperature_test(chosen: Candidate, where: str) -> list[Test]:
    """V0 proportional to T against V0 fixed: two laws with as many parameters."""
    law = chosen.likelihood
    if not law.thermal or not law.acceleration.field_assisted or "V0" in chosen.fixed:
        return []
    other = refitted(chosen, where, proportional=not law.proportional)
    names = ("V0 proportional to T", "V0 fixed")
    taken, left = names if law.proportional else names[::-1]
    return [
        Test(
            f"temperature: {taken} against {left}",
            2 * (chosen.loglik - other.loglik),
            None,
            f"twice the difference of log-likelihoods; {INDISTINCT:g} or more tells them apart",
        )
    ]
