"""Samples of the posterior of a law's parameters, by emcee's affine-invariant ensemble.

The prior is flat in theta (logarithms; Ea itself; logits of floor and lapse) within the box of the
fit: an assumption, and said so wherever the samples are shown. emcee: Foreman-Mackey et al., PASP
125, 306 (2013); the move: Goodman, Weare (2010).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from characterization.fit.inference.candidate import Candidate, natural
from characterization.fit.inference.limits import limited
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import condensed
from formats.atomic import write_bytes
from formats.seeds import integer_seed

PRIOR = "flat in the logarithms of the parameters (Ea: itself; floor, lapse: logit) in a wide box"
WALKERS = 32
STEPS = 2000
_CELL = 0.01
_INDEPENDENT = 50
"""Autocorrelation times a chain should hold, by emcee's own advice."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """``samples`` (draws, parameters) in the parameters' own units, after burn-in and thinning.

    ``autocorrelation`` is emcee's integrated time in steps, ``acceptance`` the mean share of moves
    taken.
    """

    names: tuple[str, ...]
    samples: np.ndarray
    autocorrelation: np.ndarray
    acceptance: float
    steps: int

    @property
    def converged(self) -> bool:
        """Whether the chain is long enough to trust its quantiles."""
        return bool(self.steps > _INDEPENDENT * np.max(self.autocorrelation))

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed credible interval."""
        tail = (1 - level) / 2
        low, high = np.quantile(self.samples[:, self.names.index(name)], [tail, 1 - tail])
        return float(low), float(high)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the samples say, in plain words."""
        told = []
        for name in self.names:
            low, high = self.interval(name)
            middle = float(np.median(self.samples[:, self.names.index(name)]))
            told.append(f"{name} {middle:.4g} ({low:.4g} to {high:.4g})")
        trust = (
            f"the chain holds {self.steps / np.max(self.autocorrelation):.0f} autocorrelation times"
            if self.converged
            else "the chain is too short to trust the tails"
        )
        return (f"posterior medians and 95 % intervals, prior {PRIOR}: {', '.join(told)}; {trust}",)


def sample_posterior(
    candidate: Candidate,
    seed: int,
    *,
    steps: int = STEPS,
    progress: Callable[[str], None] | None = None,
) -> Posterior:
    """Draw from the posterior, started around the maximum; long tables are condensed in time."""
    import emcee

    free = np.array([name not in candidate.fixed for name in candidate.names])
    likelihood = candidate.likelihood.on(condensed(candidate.likelihood.data, _CELL))
    box = bounds(likelihood.data, likelihood.names)
    lower, upper = limited(box, likelihood.names, candidate.limits)
    centre = np.clip(candidate.maximum, lower + 1e-6, upper - 1e-6)
    scale = np.sqrt(np.diag(candidate.covariance))
    scale = np.where(np.isfinite(scale), scale, 0.1)[free]

    def log_probability(points: np.ndarray) -> np.ndarray:
        values = np.full(len(points), -np.inf)
        for i, point in enumerate(points):
            theta = centre.copy()
            theta[free] = point
            if np.all(theta[free] > lower[free]) and np.all(theta[free] < upper[free]):
                value = likelihood.value(theta)
                values[i] = value if np.isfinite(value) else -np.inf
        return values

    state = np.random.RandomState(integer_seed(seed, "fit", "posterior"))
    size = int(free.sum())
    starts = centre[free] + 0.5 * scale * state.standard_normal((max(WALKERS, 2 * size + 2), size))
    starts = np.clip(starts, lower[free] + 1e-6, upper[free] - 1e-6)
    sampler = emcee.EnsembleSampler(len(starts), size, log_probability, vectorize=True)
    sampler.random_state = state.get_state()
    for count, _ in enumerate(sampler.sample(starts, iterations=steps)):
        if progress is not None and count % (steps // 20) == 0:
            progress(f"posterior, step {count} of {steps}")
    time = sampler.get_autocorr_time(quiet=True, tol=0)
    burn = min(steps // 2, int(5 * np.max(time)))
    thin = max(1, int(np.min(time) / 2))
    drawn = sampler.get_chain(discard=burn, thin=thin, flat=True)
    names = tuple(n for n, kept in zip(candidate.names, free, strict=True) if kept)
    columns = [[natural(name, value) for value in drawn[:, i]] for i, name in enumerate(names)]
    return Posterior(
        names,
        np.array(columns).T,
        np.asarray(time),
        float(np.mean(sampler.acceptance_fraction)),
        steps,
    )


def write_posteriors(path: Path, posteriors: dict[str, Posterior]) -> None:
    """posterior.npz: per direction the parameter names and the samples (draws, parameters)."""
    arrays: dict[str, np.ndarray] = {}
    for direction, one in posteriors.items():
        arrays[f"{direction}_names"] = np.array(one.names)
        arrays[f"{direction}_samples"] = one.samples
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes(path, buffer.getvalue())
