"""Fits one candidate law: the maximum, the reference voltage, standard errors and intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.limits import Box, Limits, limited
from characterization.fit.inference.maximise import Maximum, maximise
from characterization.fit.inference.profile import BetterMaximum, profile_end
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from characterization.fit.inference.start import bounds, informative_voltage, logit, start
from characterization.fit.observations.base import Observations, condensed
from devices.accelerations import Acceleration
from devices.defaults import ASSUMED_TEMPERATURE, KNAG2014_V0
from devices.families import FAMILIES, Family
from devices.law import Spread, SwitchingLaw
from devices.parameter import Parameter
from formats.errors import InputError

UNITS = {"tau_ref": "s", "V0": "V", "Ea": "eV", "shape": "1", "floor": "1", "lapse": "1"}
MEASUREMENT = ("floor", "lapse")
"""Parameters of the measurement, not of the device."""
_GRID = 0.01
"""Reference voltages are rounded to this (V)."""
_ROUGH, _FINE = 0.02, 2e-3
"""Cells in ln t in which times are joined while climbing, and for intervals of long tables."""
_LONG = 20_000


@dataclass(frozen=True)
class Candidate:
    """A fitted law and what the data say about it.

    ``theta`` is the estimate: the maximum, unless V0 is open below (``bracketed``), where it is the
    end of V0's 68 % interval with the rest at its best.
    ``covariance`` is that of theta, NaN for parameters the data do not hold (``free`` False);
    ``intervals`` are 95 % profile intervals of theta, an end None where it is open. ``fixed``
    names parameters that were held at an assumed value, ``limits`` what the user fixed or bounded.
    """

    likelihood: Likelihood
    theta: np.ndarray
    maximum: np.ndarray
    loglik: float
    free: np.ndarray
    covariance: np.ndarray
    intervals: tuple[tuple[float | None, float | None], ...]
    bracketed: tuple[str, ...]
    fixed: tuple[str, ...]
    limits: Limits
    evaluations: int

    @property
    def family(self) -> Family:
        """The family of the law."""
        return self.likelihood.family

    @property
    def acceleration(self) -> Acceleration:
        """The voltage acceleration of the law."""
        return self.likelihood.acceleration

    @property
    def label(self) -> str:
        """The law in a few words."""
        return f"{self.family.name}, {self.acceleration.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names in the order of theta."""
        return self.likelihood.names

    @property
    def count(self) -> int:
        """Number of fitted parameters."""
        return len(self.names) - len(self.fixed)

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
        """Schwarz's criterion; n is the number of outcomes."""
        return float(self.count * np.log(self.likelihood.data.size) - 2 * self.loglik)

    def value(self, name: str) -> float:
        """A parameter in its own unit."""
        index = self.names.index(name)
        if name in MEASUREMENT and not self.free[index]:
            return 0.0  # driven to the edge of its range
        return float(natural(name, self.theta[index]))

    def share(self, name: str) -> float:
        """``floor`` or ``lapse``, 0 where it is not fitted."""
        return self.value(name) if name in self.names else 0.0

    def parameter(self, name: str, note: str) -> Parameter:
        """The parameter with its standard error and interval."""
        index = self.names.index(name)
        if name in self.fixed:
            return Parameter(self.value(name), UNITS[name], "assumed", note)
        variance = self.covariance[index, index]
        value = self.value(name)
        slope = {"Ea": 1.0}.get(name, value * (1 - value) if name in MEASUREMENT else value)
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
        spread_alone = self.family is SPREAD_EXPONENTIAL
        left_out = (*MEASUREMENT, "shape") if spread_alone else MEASUREMENT
        order = [i for i, name in enumerate(self.names) if name not in left_out]
        held = [i for i in order if np.isfinite(self.covariance[i, i])]
        matrix = self.covariance[np.ix_(held, held)]
        return SwitchingLaw(
            family=FAMILIES["exponential"] if spread_alone else self.family,
            acceleration=self.acceleration,
            reference_voltage=self.likelihood.reference,
            tau_ref=self.parameter("tau_ref", self._note("tau_ref", note)),
            v0=self.parameter("V0", self._note("V0", note)),
            shape=self.parameter("shape", self._note("shape", note))
            if self.family.has_shape and not spread_alone
            else None,
            spread=spread,
            valid_voltage=valid[0],
            valid_width=valid[1],
            valid_temperature=valid[2],
            covariance_order=tuple(self.names[i] for i in held),
            covariance=tuple(tuple(float(x) for x in row) for row in matrix),
            activation=self.parameter("Ea", self._note("Ea", note)) if "Ea" in self.names else None,
            reference_temperature=self.likelihood.reference_temperature,
            v0_follows_temperature=self.likelihood.proportional,
        )

    def _note(self, name: str, note: str) -> str:
        if name in self.fixed and name in self.limits:
            return "fixed by the user"
        if name in self.fixed:
            return "assumed: one voltage only, so the data do not tell; the value of Knag et al."
        if name not in self.bracketed:
            return note
        return f"{note}; only bracketed: the end of the 68 % interval stands for it"


def natural(name: str, theta: float) -> float:
    """From theta to the parameter's own unit."""
    if name == "Ea":
        return float(theta)
    return float(1 / (1 + np.exp(-theta))) if name in MEASUREMENT else float(np.exp(theta))


def fit_candidate(
    data: Observations,
    family: Family,
    acceleration: Acceleration,
    *,
    where: str,
    floor: bool = False,
    lapse: bool = False,
    intervals: bool = True,
    proportional: bool = True,
    temperature: float = ASSUMED_TEMPERATURE,
    limits: Limits | None = None,
) -> Candidate:
    """Maximise the likelihood of one law.

    ``limits`` hold the lowest and highest value of parameters, in their own units; equal ones fix
    it. Where the data hold one voltage only, V0 is held at the assumed value. Where temperatures
    differ, Ea is fitted and the reference is their median; else ``temperature`` (K) is.
    Raises :class:`InputError` where switching does not become faster with the voltage.
    """
    thermal = data.temperature is not None
    likelihood = Likelihood(
        data,
        family,
        acceleration,
        informative_voltage(data),
        floor=floor,
        lapse=lapse,
        thermal=thermal,
        proportional=proportional,
        reference_temperature=_middle(data) if thermal else temperature,
    )
    fixed = np.zeros(len(likelihood.names), bool)
    fixed[1] = data.kind != "ramps" and np.unique(data.voltage).size == 1
    wide = bounds(data, likelihood.names)
    if family is SPREAD_EXPONENTIAL and limits:
        limits = {name: ends for name, ends in limits.items() if name != "shape"}
    box = limited(wide, likelihood.names, limits or {})
    fixed |= box[0] == box[1]
    rough = likelihood.on(condensed(data, _ROUGH))
    best = _climb(rough, fixed, box)
    if not best.converged:
        raise InputError(where, f"the {family.name} law has no maximum of the likelihood here")
    if best.theta[1] >= wide[1][1]:
        raise InputError(
            f"{where}, column {'set_voltage_V' if data.kind == 'ramps' else 'voltage_V'}",
            "switching does not become faster with the voltage: a law in which tau falls with the "
            "voltage does not hold, or the sign of the voltage is reversed",
        )
    theta = best.theta
    if np.all(best.free[:2]) and "V0" not in (limits or {}):  # V0 may be another elsewhere
        likelihood, theta = _at_centre(likelihood, best)
    best = maximise(likelihood.evaluate, theta, *box, fixed)
    for _ in range(4):
        try:
            return replace(_describe(likelihood, best, fixed, box, intervals), limits=limits or {})
        except BetterMaximum as better:
            best = maximise(likelihood.evaluate, better.theta, *box, fixed)
    found = _describe(likelihood, best, fixed, box, intervals=False)
    return replace(found, limits=limits or {})


def refitted(
    candidate: Candidate,
    where: str,
    *,
    data: Observations | None = None,
    intervals: bool = False,
    **changes: bool,
) -> Candidate:
    """The same law fitted anew: to other ``data``, or with another floor, lapse or temperature
    rule; what the user fixed holds. Raises :class:`InputError`."""
    law = candidate.likelihood
    options = {"floor": law.floor, "lapse": law.lapse, "proportional": law.proportional} | changes
    return fit_candidate(
        law.data if data is None else data,
        law.family,
        law.acceleration,
        where=where,
        intervals=intervals,
        temperature=law.reference_temperature,
        limits=candidate.limits,
        **options,
    )


def _middle(data: Observations) -> float:
    assert data.temperature is not None
    return float(np.round(np.median(np.unique(data.temperature)), 2))


def _climb(likelihood: Likelihood, fixed: np.ndarray, box: Box) -> Maximum:
    first = start(likelihood)
    if fixed[1] and box[0][1] < box[1][1]:
        first[1] = np.log(KNAG2014_V0)
    first = np.where(fixed & (box[0] < box[1]), first, np.clip(first, *box))
    starts = [first]
    if likelihood.floor or likelihood.lapse:
        # With a floor the likelihood can have two maxima: start from hardly any as well.
        kept = [i for i, name in enumerate(likelihood.names) if name not in MEASUREMENT]
        faint = first.copy()
        faint[len(kept) :] = logit(np.array(1e-4))
        bare = replace(likelihood, floor=False, lapse=False)
        low, high = (end[: len(kept)] for end in box)
        without = maximise(bare.evaluate, first[: len(kept)], low, high, fixed[: len(kept)])
        starts += [faint, np.append(without.theta, first[len(kept) :])]
    found = [maximise(likelihood.evaluate, theta, *box, fixed) for theta in starts]
    if not any(m.converged for m in found) and likelihood.family.has_shape:
        index = likelihood.names.index("shape")
        for ln_shape in (-1.0, 1.5):
            other = first.copy()
            other[index] = ln_shape
            found.append(maximise(likelihood.evaluate, other, *box, fixed))
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


def _at_centre(likelihood: Likelihood, best: Maximum) -> tuple[Likelihood, np.ndarray]:
    """Move tau_ref to the voltage, rounded to 0.01 V, where it and V0 are nearly uncorrelated."""
    c = covariance(best)
    theta = best.theta.copy()
    if not np.all(np.isfinite(c[:2, :2])):
        return likelihood, theta
    voltages = likelihood.data.voltage
    grid = np.round(np.arange(voltages.min(), voltages.max() + _GRID / 2, _GRID) / _GRID) * _GRID
    grid = grid[grid > 0] if np.any(grid > 0) else voltages
    where = (grid, likelihood.reference, theta[0], theta[1])
    gradient = likelihood.acceleration.gradient(*where)
    shared = gradient[0] * c[0, 1] + gradient[1] * c[1, 1]
    centre = int(np.argmin(np.abs(shared)))
    new = round(float(grid[centre]), 2) if np.any(grid == np.round(grid, 2)) else grid[centre]
    theta[0] = likelihood.acceleration.evaluate(*where)[centre]
    theta[1] = likelihood.acceleration.moved(theta[1], likelihood.reference, float(new))
    return likelihood.at_reference(float(new)), theta


def _describe(
    likelihood: Likelihood, best: Maximum, fixed: np.ndarray, box: Box, intervals: bool
) -> Candidate:
    c = covariance(best)
    theta, bracketed = best.theta, []
    ends: list[tuple[float | None, float | None]] = []
    profiled, top = likelihood, best
    if intervals and likelihood.data.voltage.size > _LONG:
        profiled = likelihood.on(condensed(likelihood.data, _FINE))
        top = maximise(profiled.evaluate, best.theta, *box, fixed)
    for index, name in enumerate(likelihood.names):
        variance = c[index, index]
        scale = float(np.sqrt(variance)) if np.isfinite(variance) else 0.3
        pair: list[float | None] = []
        for side in (-1, 1):
            end = (
                profile_end(profiled, top, box, index=index, side=side, scale=scale, held=fixed)
                if intervals and not fixed[index]
                else None
            )
            pair.append(None if end is None else end[0])
        ends.append((pair[0], pair[1]))
        open_below = intervals and name == "V0" and pair[0] is None and not fixed[index]
        if open_below and box[0][1] == bounds(likelihood.data, likelihood.names)[0][1]:
            # Any smaller V0 fits as well, so the maximum means nothing: see _note.
            stands = profile_end(
                profiled, top, box, index=index, side=1, scale=scale, held=fixed, level=1.0
            )
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
        tuple(name for name, held in zip(likelihood.names, fixed, strict=True) if held),
        {},
        best.evaluations,
    )
