"""Fits one candidate law: the maximum, the reference voltage, standard errors and intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum, maximise
from characterization.fit.inference.profile import BetterMaximum, profile_end
from characterization.fit.inference.start import bounds, informative_voltage, logit, start
from characterization.fit.observations.base import Observations
from devices.accelerations import Acceleration
from devices.families import Family
from devices.law import Spread, SwitchingLaw
from devices.parameter import Parameter
from formats.errors import InputError

UNITS = {"tau_ref": "s", "V0": "V", "shape": "1", "floor": "1"}
_GRID = 0.01
"""Reference voltages are rounded to this (V)."""


@dataclass(frozen=True)
class Candidate:
    """A fitted law and what the data say about it.

    ``theta`` is the estimate: the maximum, unless V0 is open below (``bracketed``), where it is the
    end of V0's 68 % interval with the rest at its best.
    ``covariance`` is that of theta, NaN for parameters the data do not hold (``free`` False);
    ``intervals`` are 95 % profile intervals of theta, an end None where it is open.
    """

    likelihood: Likelihood
    theta: np.ndarray
    maximum: np.ndarray
    loglik: float
    free: np.ndarray
    covariance: np.ndarray
    intervals: tuple[tuple[float | None, float | None], ...]
    bracketed: tuple[str, ...]
    evaluations: int

    @property
    def family(self) -> Family:
        """The family of the law."""
        return self.likelihood.family

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of theta."""
        return self.likelihood.names

    @property
    def count(self) -> int:
        """Number of fitted parameters."""
        return len(self.names)

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2 * self.count - 2 * self.loglik

    @property
    def aicc(self) -> float:
        """AIC with the small-sample term; n is the number of outcomes."""
        k, n = self.count, self.likelihood.data.size
        return self.aic + (2 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf)

    @property
    def bic(self) -> float:
        """Schwarz's criterion; n is the number of outcomes (trials, or rows of waits)."""
        return float(self.count * np.log(self.likelihood.data.size) - 2 * self.loglik)

    def value(self, name: str) -> float:
        """A parameter in its own unit."""
        index = self.names.index(name)
        if name == "floor" and not self.free[index]:
            return 0.0  # driven to the edge of its range
        return float(natural(name, self.theta[index]))

    def parameter(self, name: str, note: str) -> Parameter:
        """The parameter with its standard error and interval."""
        index = self.names.index(name)
        variance = self.covariance[index, index]
        value = self.value(name)
        slope = value * (1 - value) if name == "floor" else value
        low, high = self.intervals[index]
        return Parameter(
            value,
            UNITS[name],
            "fitted",
            note,
            float(slope * np.sqrt(variance)) if np.isfinite(variance) else None,
            (
                None if low is None else float(natural(name, low)),
                None if high is None else float(natural(name, high)),
            ),
        )

    def law(
        self,
        note: str,
        spread: Spread,
        valid: tuple[tuple[float, float], tuple[float, float], tuple[float, float]],
    ) -> SwitchingLaw:
        """The law for device.json; ``valid`` holds the ranges of voltage, width, temperature."""
        order = [i for i, name in enumerate(self.names) if name != "floor"]
        held = [i for i in order if np.isfinite(self.covariance[i, i])]
        matrix = self.covariance[np.ix_(held, held)]
        return SwitchingLaw(
            family=self.family,
            acceleration=self.likelihood.acceleration,
            reference_voltage=self.likelihood.reference,
            tau_ref=self.parameter("tau_ref", self._note("tau_ref", note)),
            v0=self.parameter("V0", self._note("V0", note)),
            shape=self.parameter("shape", note) if self.family.has_shape else None,
            spread=spread,
            valid_voltage=valid[0],
            valid_width=valid[1],
            valid_temperature=valid[2],
            covariance_order=tuple(self.names[i] for i in held),
            covariance=tuple(tuple(float(x) for x in row) for row in matrix),
        )

    def _note(self, name: str, note: str) -> str:
        if name not in self.bracketed:
            return note
        return f"{note}; only bracketed: the end of the 68 % interval stands for it"


def natural(name: str, theta: float) -> float:
    """From theta to the parameter's own unit."""
    return float(1 / (1 + np.exp(-theta))) if name == "floor" else float(np.exp(theta))


def fit_candidate(
    data: Observations,
    family: Family,
    acceleration: Acceleration,
    *,
    floor: bool,
    where: str,
    intervals: bool = True,
) -> Candidate:
    """Maximise the likelihood of one law.

    Raises :class:`InputError` where switching does not become faster with the voltage.
    """
    likelihood = Likelihood(data, family, acceleration, informative_voltage(data), floor)
    best = _climb(likelihood)
    box = bounds(data, likelihood.names)
    if not best.converged:
        raise InputError(where, f"the {family.name} law has no maximum of the likelihood here")
    if best.theta[1] >= box[1][1]:
        raise InputError(
            f"{where}, column voltage_V",
            "switching does not become faster with the voltage: tau = tau_ref exp(-(V-Vref)/V0) "
            "does not hold, or the sign of the voltage is reversed",
        )
    if np.all(best.free[:2]):
        likelihood, best = _at_centre(likelihood, best)
    for _ in range(4):
        try:
            return _describe(likelihood, best, intervals)
        except BetterMaximum as better:
            best = maximise(likelihood.evaluate, better.theta, *box)
    return _describe(likelihood, best, intervals=False)


def _climb(likelihood: Likelihood) -> Maximum:
    data = likelihood.data
    box = bounds(data, likelihood.names)
    first = start(data, likelihood.names, likelihood.reference)
    starts = [first]
    if likelihood.floor:
        # With a floor the likelihood can have two maxima: start from hardly any as well.
        starts.append(np.append(first[:-1], logit(np.array(1e-4))))
        bare = replace(likelihood, floor=False)
        low, high = bounds(data, bare.names)
        without = maximise(bare.evaluate, first[:-1], low, high)
        starts.append(np.append(without.theta, first[-1]))
    found = [maximise(likelihood.evaluate, theta, *box) for theta in starts]
    return max(found, key=lambda m: m.value if np.isfinite(m.value) else -np.inf)


def covariance(best: Maximum) -> np.ndarray:
    """Inverse of the observed information over the free parameters, NaN elsewhere."""
    result = np.full(best.hessian.shape, np.nan)
    free = np.flatnonzero(best.free)
    matrix = -best.hessian[np.ix_(free, free)]
    if free.size and np.all(np.isfinite(matrix)):
        eigenvalues, vectors = np.linalg.eigh(matrix)
        if eigenvalues.min() > 1e-12 * eigenvalues.max():
            inverse = (vectors / eigenvalues) @ vectors.T
            result[np.ix_(free, free)] = (inverse + inverse.T) / 2
    return result


def _at_centre(likelihood: Likelihood, best: Maximum) -> tuple[Likelihood, Maximum]:
    """Move tau_ref to the voltage, rounded to 0.01 V, where it and V0 are nearly uncorrelated."""
    c = covariance(best)
    if not np.all(np.isfinite(c[:2, :2])):
        return likelihood, best
    voltages = likelihood.data.voltage
    grid = np.round(np.arange(voltages.min(), voltages.max() + _GRID / 2, _GRID) / _GRID) * _GRID
    where = (grid, likelihood.reference, best.theta[0], best.theta[1])
    gradient = likelihood.acceleration.gradient(*where)
    shared = gradient[0] * c[0, 1] + gradient[1] * c[1, 1]
    centre = int(np.argmin(np.abs(shared)))
    theta = best.theta.copy()
    theta[0] = likelihood.acceleration.evaluate(*where)[centre]
    moved = likelihood.at_reference(round(float(grid[centre]), 2))
    box = bounds(moved.data, moved.names)
    return moved, maximise(moved.evaluate, theta, *box)


def _describe(likelihood: Likelihood, best: Maximum, intervals: bool) -> Candidate:
    box = bounds(likelihood.data, likelihood.names)
    c = covariance(best)
    theta, bracketed = best.theta, []
    ends: list[tuple[float | None, float | None]] = []
    for index, name in enumerate(likelihood.names):
        variance = c[index, index]
        scale = float(np.sqrt(variance)) if np.isfinite(variance) else 0.3
        pair: list[float | None] = []
        for side in (-1, 1):
            end = (
                profile_end(likelihood, best, box, index=index, side=side, scale=scale)
                if intervals
                else None
            )
            pair.append(None if end is None else end[0])
        ends.append((pair[0], pair[1]))
        if intervals and name == "V0" and pair[0] is None:
            # Any smaller V0 fits as well, so the maximum means nothing: see _note.
            stands = profile_end(likelihood, best, box, index=index, side=1, scale=scale, level=1.0)
            if stands is not None:
                theta, bracketed = stands[1], [name]
                c = covariance(replace(best, free=best.free & (np.arange(theta.size) != index)))
    return Candidate(
        likelihood,
        theta,
        best.theta,
        best.value,
        best.free,
        c,
        tuple(ends),
        tuple(bracketed),
        best.evaluations,
    )
