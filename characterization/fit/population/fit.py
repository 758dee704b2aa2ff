"""Fits a population of devices: which spreads, how large, with intervals, tests and reasons.

The models none, sigma_ln_tau, + sigma_ln_V0, + correlation are fitted as far as the data can tell
them apart, and chosen by BIC; intervals are ends of profile likelihoods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum
from characterization.fit.inference.start import bounds
from characterization.fit.population.climb import LARGEST_ERROR, Climb, climb, moment_sigma
from characterization.fit.population.effects import (
    CORRELATION,
    NONE,
    SIGMA_TAU,
    SIGMA_V0,
    SMALLEST_SIGMA,
    SPREADS,
    TAU,
    Effects,
)
from characterization.fit.population.intervals import Interval, with_ends
from characterization.fit.population.model import Posterior
from characterization.fit.population.spread import (
    Identified,
    SpreadTest,
    bic,
    identified,
    ratio_test,
)

FEW_DEVICES = 20


@dataclass(frozen=True)
class SpreadEstimate:
    """One spread over devices.

    ``status``: "fitted" (in the chosen model), "not needed" (identified, but BIC does without it;
    value 0, the interval from the model that has it) or "refused" (not identified; all None).
    ``interval`` is the 95 % profile-likelihood interval; its low end is 0.0 where 0 is inside, and
    an end is None where the data put no bound.
    """

    name: str
    value: float | None
    stderr: float | None
    interval: Interval
    status: str
    sentence: str


@dataclass(frozen=True, eq=False)
class PopulationFit:
    """A fitted population.

    ``theta`` holds the law's parameters of the median device (as in ``likelihood.names``) and
    ``psi`` the chosen model's spreads (``effects.names``; the correlation as artanh).
    ``covariance`` is that of (theta, ln sigma..., artanh correlation), NaN for what is held or 0;
    ``intervals`` are 95 % profile intervals of theta. ``posterior`` holds each device's own
    deviations, in the order of ``devices``.
    """

    likelihood: Likelihood
    effects: Effects
    theta: np.ndarray
    psi: np.ndarray
    loglik: float
    covariance: np.ndarray
    intervals: tuple[Interval, ...]
    spreads: dict[str, SpreadEstimate]
    models: dict[str, dict[str, float]]
    tests: tuple[SpreadTest, ...]
    identified: Identified
    posterior: Posterior | None
    devices: tuple[str, ...]
    nodes: int
    quadrature_error: float
    converged: bool
    evaluations: int
    sentences: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of phi: the law's parameters, then the spreads."""
        return (*self.likelihood.names, *self.effects.names)

    @property
    def phi(self) -> np.ndarray:
        """theta and psi together, as the marginal likelihood takes them."""
        return np.concatenate([self.theta, self.psi])

    @property
    def bic(self) -> float:
        """Schwarz's criterion of the chosen model (see ``spread.bic``)."""
        return self.models[describe(self.effects)]["bic"]


def fit_population(
    likelihood: Likelihood,
    start: np.ndarray,
    *,
    box: tuple[np.ndarray, np.ndarray] | None = None,
    fixed: np.ndarray | None = None,
    effects: Effects | None = None,
    intervals: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> PopulationFit:
    """Fit a population; the data's ``device`` index tells the devices apart.

    Parameters
    ----------
    likelihood
        Of the data with their devices (not pooled).
    start
        theta (p,) of the pooled fit, or near it.
    box, fixed
        Limits of theta, (p,) each (None: ``inference.start.bounds``), and parameters (bool)
        that stay at their start.
    effects
        A model of the spread to fit whatever BIC says; None: those identified, chosen by BIC.
    intervals
        False leaves all intervals open (None, None), as a bootstrap's refits want it.
    progress
        Told what is being done, in a few words.
    """
    start = np.asarray(start, float)
    held = np.zeros(start.size, bool) if fixed is None else fixed
    limits = bounds(likelihood.data, likelihood.names) if box is None else box
    progress("pooled fit")
    fits = {NONE: climb(likelihood, NONE, start, limits, held)}
    known = identified(likelihood, fits[NONE].best.theta)
    wanted = known.models if effects is None else _up_to(effects)
    for model in wanted[1:]:
        progress(f"population with {describe(model)}")
        fits[model] = _next(likelihood, model, fits, limits, held)
    scores = {model: _score(fit, known.devices) for model, fit in fits.items()}
    chosen = min(scores, key=lambda m: scores[m]) if effects is None else effects
    fits, ends = with_ends(fits, chosen, known, progress) if intervals else (fits, {})
    return _assembled(fits, chosen, known, ends, effects is None)


def describe(effects: Effects) -> str:
    """The model of the spread in words."""
    return " + ".join(effects.names) if effects.names else "no spread"


def _up_to(effects: Effects) -> tuple[Effects, ...]:
    """The models that lead to one given by name."""
    if effects.correlated:
        return NONE, TAU, replace(effects, correlated=False), effects
    if effects.tau and effects.v0:
        return NONE, TAU, effects
    return (NONE, effects) if effects.names else (NONE,)


def _next(
    likelihood: Likelihood,
    model: Effects,
    fits: dict[Effects, Climb],
    box: tuple[np.ndarray, np.ndarray],
    held: np.ndarray,
) -> Climb:
    """A larger model, begun where the one before it ended."""
    before = fits[max(fits, key=lambda m: len(m.names))]
    p = held.size
    known = dict(zip(before.effects.names, before.best.theta[p:], strict=True))
    pooled = fits[NONE].best.theta
    first = {CORRELATION: 0.0}
    for parameter, name in enumerate((SIGMA_TAU, SIGMA_V0)):
        first[name] = max(known.get(name, 0.0), moment_sigma(likelihood, pooled, parameter))
        if name in known:
            first[name] = known[name]
    psi = np.array([first[name] for name in model.names])
    nodes = before.marginal.nodes if before.effects.names else None
    return climb(likelihood, model, np.concatenate([before.best.theta[:p], psi]), box, held, nodes)


def _score(fit: Climb, devices: int) -> float:
    outcomes = fit.marginal.likelihood.data.size
    fixed = fit.marginal.fixed_effects
    return bic(fit.loglik, fit.effects, fixed, outcomes, devices)


def _covariance(best: Maximum, names: tuple[str, ...]) -> np.ndarray:
    """Inverse of the observed information, the sigmas in logarithms; NaN for what is held."""
    size = best.theta.size
    result = np.full((size, size), np.nan)
    sigma = np.array([name in (SIGMA_TAU, SIGMA_V0) for name in names])
    zero = sigma & (best.theta < 20 * SMALLEST_SIGMA)
    free = np.flatnonzero(best.free & ~zero)
    matrix = -best.hessian[np.ix_(free, free)]
    if free.size and np.all(np.isfinite(matrix)):
        values, vectors = np.linalg.eigh(matrix)
        if values.min() > 1e-12 * values.max():
            scale = np.where(sigma, 1 / np.maximum(best.theta, 1e-300), 1.0)[free]
            inverse = (vectors / values) @ vectors.T * np.outer(scale, scale)
            result[np.ix_(free, free)] = (inverse + inverse.T) / 2
    return result


def _assembled(
    fits: dict[Effects, Climb],
    chosen: Effects,
    known: Identified,
    ends: dict[str, Interval],
    by_bic: bool,
) -> PopulationFit:
    fit = fits[chosen]
    best, marginal = fit.best, fit.marginal
    p = marginal.fixed_effects
    likelihood = marginal.likelihood
    covariance = _covariance(best, marginal.names)
    phi = best.theta.copy()
    for i, name in enumerate(marginal.names):
        if name in SPREADS and fit.zero(name):
            phi[i] = 0.0
    ladder = [model for model in fits if model.names]
    tests = tuple(
        ratio_test(small, large, fits[large].loglik - fits[small].loglik)
        for small, large in zip([NONE, *ladder], ladder, strict=False)
    )
    spreads = {name: _estimate(name, fit, phi, covariance, ends, known, by_bic) for name in SPREADS}
    data = likelihood.data
    indices = marginal.devices
    names = tuple(data.devices[i] if data.devices else str(i) for i in indices.tolist())
    models = {
        describe(model): {"loglik": each.loglik, "bic": _score(each, known.devices)}
        for model, each in fits.items()
    }
    return PopulationFit(
        likelihood,
        chosen,
        phi[:p],
        phi[p:],
        fit.loglik,
        covariance,
        tuple(ends.get(name, (None, None)) for name in likelihood.names),
        spreads,
        models,
        tests,
        known,
        marginal.posterior(best.theta) if chosen.dimension else None,
        names,
        marginal.most_nodes,
        fit.quadrature_error,
        best.converged,
        sum(each.marginal.calls[0] for each in fits.values()),
        (*(spreads[name].sentence for name in SPREADS), *_doubts(fit, ends, known)),
    )


def _doubts(fit: Climb, ends: dict[str, Interval], known: Identified) -> list[str]:
    """What a reader must know before trusting the numbers."""
    doubts = []
    shape = ends.get("shape", (0.0, 0.0))
    if fit.effects.dimension and None in shape and not fit.held[fit.marginal.names.index("shape")]:
        doubts.append(
            "the shape and the spread over devices are not separable in these data: pulses that "
            "switch a device with unequal probabilities, or wait times, would tell them apart"
        )
    if fit.effects.dimension and known.informative[0] < FEW_DEVICES:
        doubts.append(
            f"{known.informative[0]} informative devices are few: intervals of the spreads lean "
            "on a normal distribution over devices that so few cannot test"
        )
    if not fit.quadrature_error < LARGEST_ERROR:
        doubts.append("log L may be off by more than 0.001 (quadrature over devices)")
    if not fit.best.converged:
        doubts.append("the maximum of the population's likelihood was not reached")
    return doubts


def _estimate(
    name: str,
    fit: Climb,
    phi: np.ndarray,
    covariance: np.ndarray,
    ends: dict[str, Interval],
    known: Identified,
    by_bic: bool,
) -> SpreadEstimate:
    names = fit.marginal.names
    low, high = ends.get(name, (None, None))
    if name in names:
        index = names.index(name)
        value, deviation = float(phi[index]), float(np.sqrt(covariance[index, index]))
        if name == CORRELATION:
            value = float(np.tanh(value))
            deviation *= 1 - value**2
            low, high = (None if end is None else float(np.tanh(end)) for end in (low, high))
        else:
            deviation *= value
        stderr = deviation if np.isfinite(deviation) else None
        sentence = f"{name} = {value:.3g} over {known.devices} devices, {_span(low, high)}"
        if name in known.refused:
            sentence += f"; asked for although {known.refused[name]}"
        return SpreadEstimate(name, value, stderr, (low, high), "fitted", sentence)
    if name in known.refused:
        return SpreadEstimate(name, None, None, (None, None), "refused", known.refused[name])
    why = "BIC does without it" if by_bic else "the model asked for has none"
    sentence = f"{name} is taken as 0: {why}"
    if (low, high) != (None, None):
        sentence += f"; {_span(low, high)}"
    return SpreadEstimate(name, 0.0, None, (low, high), "not needed", sentence)


def _span(low: float | None, high: float | None) -> str:
    texts = ["open" if end is None else f"{end:.3g}" for end in (low, high)]
    return f"95 % profile interval {texts[0]} to {texts[1]}"
