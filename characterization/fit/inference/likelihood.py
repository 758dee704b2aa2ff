"""The log-likelihood of voltage histories under a law, with exact gradient and Hessian.

Everything derives from the family's cumulative hazard H(ln u, ln shape) and log density, and the
acceleration's ln tau(V, T); no law is written here. theta = (ln tau_ref, ln V0, [Ea in eV],
[ln shape], [logit floor], [logit lapse]).

Exposure u adds up along a history; a history that ends

- within a segment (a pulse, an interval, a step of a staircase) contributes
  ln(exp(-H(u before)) - exp(-H(u after))),
- exactly at a time: ln dF/dt = ln dF/dx - x + ln(1/tau), x = ln u,
- not switched: -H(u).

Pulses with a false-switch floor g and a lapse rate l: P = g + (1 - g - l) F. The binomial
coefficient, which no parameter enters, is left out, so that counts and single rows give the same
number. Each theta may be one number, or an array over segments (with leading axes), such as the
devices' own values in a population.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from characterization.fit.inference.accumulation import Terms, accumulated
from characterization.fit.inference.outcomes import censored, noisy, single
from characterization.fit.observations.base import Observations
from devices.accelerations import Acceleration, Temperature
from devices.accelerations.base import BOLTZMANN_EV
from devices.families import Family

_LN_U_LIMIT = 300.0
"""Beyond this ln u an outcome is certain to 1e-130 and derivatives only overflow."""
_RAMP_NODES = 40
_RAMP_REACH = 38.0
"""e-folds of the rate below a ramp's last voltage beyond which exposure is nothing."""
_GAUSS_X, _GAUSS_W = np.polynomial.legendre.leggauss(_RAMP_NODES)


@dataclass(frozen=True)
class Likelihood:
    """log L(theta) of the data under a family and an acceleration.

    ``reference`` (V) is the voltage of tau_ref, ``reference_temperature`` (K) its temperature;
    with ``thermal`` Ea is a parameter and V0 is proportional to T if ``proportional``; ``floor``
    and ``lapse`` add the false-switch floor and the lapse rate (single pulses only).
    """

    data: Observations
    family: Family
    acceleration: Acceleration
    reference: float
    floor: bool = False
    lapse: bool = False
    thermal: bool = False
    proportional: bool = True
    reference_temperature: float = 300.0

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters in the order of theta."""
        names = ["tau_ref", "V0"]
        names += ["Ea"] if self.thermal else []
        names += ["shape"] if self.family.has_shape else []
        names += ["floor"] if self.floor else []
        names += ["lapse"] if self.lapse else []
        return tuple(names)

    def at_reference(self, reference: float) -> Likelihood:
        """The same likelihood with tau_ref at another voltage."""
        return replace(self, reference=reference)

    def on(self, data: Observations) -> Likelihood:
        """The same law over other data."""
        return replace(self, data=data)

    @property
    def voltage_parameters(self) -> int:
        """How many of theta's first entries enter through ln u: 2, or 3 with Ea."""
        return 3 if self.thermal else 2

    def ln_shape(self, theta: np.ndarray) -> float:
        """ln shape, 0 for families without one."""
        return float(theta[self.names.index("shape")]) if self.family.has_shape else 0.0

    def share(self, name: str, theta: np.ndarray) -> float:
        """``floor`` or ``lapse``, 0 where it is no parameter."""
        if name not in self.names:
            return 0.0
        return float(1 / (1 + np.exp(-theta[self.names.index(name)])))

    def _placed(self, name: str, theta: np.ndarray) -> tuple[float, int | None]:
        """A share with its place in theta."""
        place = self.names.index(name) if name in self.names else None
        return self.share(name, theta), place

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """log L, its gradient (p,) and Hessian (p, p); NaN where theta is out of reach."""
        size = len(self.names)
        value, first, second = 0.0, np.zeros(size), np.zeros((size, size))
        with np.errstate(all="ignore"):
            if self._plain:
                for _, x, terms in self._plain_parts(theta, 2):
                    value += float(terms[""].sum())
                    self._contract(terms, x, first, second)
            else:
                for _, part in self._parts(theta, 2):
                    value += float(part[0].sum())
                    first += part[1].sum(axis=-1)
                    second += part[2].sum(axis=-1)
        return value, first, second

    def value(self, theta: np.ndarray) -> float:
        """log L alone."""
        with np.errstate(all="ignore"):
            return float(sum(part[0].sum() for _, part in self._parts(theta, 0)))

    def contributions(self, theta: Any, order: int = 2) -> Terms:
        """Each segment's share of log L with its derivatives up to ``order``, weights included."""
        n = self.data.voltage.size
        total: list[np.ndarray] = []
        with np.errstate(all="ignore"):
            for index, part in self._parts(theta, order):
                if not total:
                    total = [np.zeros((*term.shape[:-1], n)) for term in part]
                for whole, term in zip(total, part, strict=True):
                    whole[..., index] += term
        return total[0], total[1], total[2]

    def exposures(self, theta: Any, order: int = 0) -> tuple[Terms, Terms | None]:
        """x = ln u after each segment and (None without chains) before it, with derivatives.

        Before a fresh start x is -inf, stood for by a number whose hazard is 0.
        """
        with np.errstate(all="ignore"):
            gain = self._gain(self.data, theta, order)
            if not self.data.chained:
                return gain, None
            return accumulated(self.data, gain, order)

    def hazard(self, theta: Any) -> tuple[np.ndarray, np.ndarray]:
        """H before and after each segment."""
        after, before = self.exposures(theta)
        shape = self.ln_shape(theta)
        top = self.family.hazard_terms(_clip(after[0]), shape, 0)[""]
        if before is None:
            return np.zeros_like(top), top
        low = self.family.hazard_terms(_clip(before[0]), shape, 0)[""]
        return np.where(self.data.parent < 0, 0.0, low), top

    def probability(self, theta: np.ndarray) -> np.ndarray:
        """Fitted P of switching in each segment once it began; floor and lapse included."""
        low, high = self.hazard(theta)
        floor, lapse = self.share("floor", theta), self.share("lapse", theta)
        return np.asarray(floor - (1 - floor - lapse) * np.expm1(low - high))

    def warmth(self, temperature: Any, theta: Any) -> Temperature | None:
        """What the acceleration is told of the temperature (K); None for laws without."""
        if not self.thermal:
            return None
        scale = BOLTZMANN_EV * self.reference_temperature
        return Temperature(
            np.asarray(temperature) / self.reference_temperature,
            np.asarray(theta[2]) / scale,
            self.proportional,
        )

    def ln_tau(self, theta: Any, voltage: Any, temperature: Any = None, order: int = 0) -> Terms:
        """ln tau at voltages (V) and, for laws with Ea, temperatures (K)."""
        told = self.warmth(temperature, theta)
        terms = self.acceleration.terms(
            voltage, self.reference, theta[0], theta[1], told, order=order
        )
        if told is None:
            return terms
        scale = BOLTZMANN_EV * self.reference_temperature
        for i in range(1, order + 1):
            terms[i][2] /= scale
        if order == 2:
            terms[2][:, 2] /= scale
        return terms

    def _gain(self, data: Observations, theta: Any, order: int) -> Terms:
        """ln of the exposure gained in each segment."""
        value, first, second = self.ln_tau(theta, data.voltage, data.temperature, order)
        gain = np.log(data.duration) - value, -first, -second
        if data.ramped.size:
            gain = self._with_ramps(data, theta, gain, order)
        return gain

    def _with_ramps(self, data: Observations, theta: Any, gain: Terms, order: int) -> Terms:
        """Ramps by Gauss-Legendre quadrature over the part of the ramp that counts."""
        ramps = data.ramped
        top, bottom = data.voltage[ramps], data.start[ramps]
        rows = [np.asarray(t)[..., ramps] if np.ndim(t) else np.asarray(t) for t in theta]
        heat = None if data.temperature is None else data.temperature[ramps]
        slope = self.ln_tau(rows, top + 1e-6 * top, heat)[0] - self.ln_tau(rows, top, heat)[0]
        reach = _RAMP_REACH * 1e-6 * top / np.maximum(np.abs(slope), 1e-12)
        low = np.maximum(bottom, top - reach)
        half = (top - low) / 2
        nodes = ((top + low) / 2)[None] + half[None] * _GAUSS_X.reshape(-1, *(1,) * half.ndim)
        spread = [row[None] if row.ndim else row for row in rows]
        value, first, second = self.ln_tau(
            spread, nodes, None if heat is None else heat[None], order
        )
        weights = _GAUSS_W.reshape(-1, *(1,) * half.ndim) * half[None]
        ln_rate = -value
        peak = ln_rate.max(axis=0)
        parts = weights * np.exp(ln_rate - peak)
        area = parts.sum(axis=0)
        share = parts / area
        results = [np.array(t) for t in gain]
        per_volt = np.log(data.duration[ramps] / (top - bottom))
        results[0][..., ramps] = np.log(area) + peak + per_volt
        if order >= 1:
            slopes = -np.einsum("k...,ik...->i...", share, first)
            results[1][..., ramps] = slopes
        if order == 2:
            curves = np.einsum("k...,ik...,jk...->ij...", share, first, first) - np.einsum(
                "k...,ijk...->ij...", share, second
            )
            results[2][..., ramps] = curves - slopes[:, None] * slopes[None, :]
        return results[0], results[1], results[2]

    @property
    def _plain(self) -> bool:
        """Whether every outcome depends on theta through one (x, ln shape) alone."""
        return not (self.data.chained or self.floor or self.lapse)

    def _parts(self, theta: Any, order: int) -> Iterator[tuple[Any, Terms]]:
        """Shares of log L of the segments with exact outcomes, and of those with others."""
        data = self.data
        if self._plain:
            for index, x, terms in self._plain_parts(theta, order):
                yield index, self._chain(terms, x, order)
            return
        shape = self.ln_shape(theta)
        gain = self._gain(data, theta, order)
        after, before = (gain, None) if not data.chained else accumulated(data, gain, order)
        for index, part in data.outcome_parts:
            x = _at(after, index)
            if np.any(part.exact):
                rows = [_pick(t, index) for t in theta]
                yield index, self._chain(*self._exact(part, rows, x, shape, order), order)
                continue
            top = self._chain(self.family.hazard_terms(_clip(x[0]), shape, order), x, order)
            if self.floor or self.lapse:
                shares = (self._placed("floor", theta), self._placed("lapse", theta))
                yield index, noisy(top, part.within, part.waiting, *shares, order)
                continue
            assert before is not None
            y = _at(before, index)
            low = self.family.hazard_terms(_clip(y[0]), shape, order)
            fresh = data.parent[index] < 0
            bottom = tuple(np.where(fresh, 0.0, t) for t in self._chain(low, y, order))
            yield index, censored(top, bottom, part.within, part.waiting, order)  # type: ignore[arg-type]

    def _plain_parts(
        self, theta: Any, order: int
    ) -> Iterator[tuple[Any, Terms, dict[str, np.ndarray]]]:
        """Segments, x with its derivatives, and log L's by x and ln shape, weights included."""
        shape = self.ln_shape(theta)
        for index, part in self.data.outcome_parts:
            rows = [_pick(t, index) for t in theta]
            x = self._gain(part, rows, order)
            if np.any(part.exact):
                terms, x = self._exact(part, rows, x, shape, order)
            else:
                hazard = self.family.hazard_terms(_clip(x[0]), shape, order)
                terms = single(hazard, part.within, part.waiting, order)
            yield index, x, terms

    def _contract(
        self, terms: dict[str, np.ndarray], x: Terms, first: np.ndarray, second: np.ndarray
    ) -> None:
        """Add the sums over segments of what ``_chain`` gives for each."""
        q = self.voltage_parameters
        by_x = x[1]
        first[:q] += by_x @ terms["x"]
        second[:q, :q] += (by_x * terms["xx"]) @ by_x.T + x[2] @ terms["x"]
        if "extra" in terms:
            first[:q] += terms["extra"].sum(axis=-1)
            second[:q, :q] += terms["extra2"].sum(axis=-1)
        if self.family.has_shape:
            first[q] += terms["s"].sum()
            mixed = by_x @ terms["xs"]
            second[q, :q] += mixed
            second[:q, q] += mixed
            second[q, q] += terms["ss"].sum()

    def _exact(
        self, part: Observations, theta: Any, x: Terms, shape: float, order: int
    ) -> tuple[dict[str, np.ndarray], Terms]:
        """ln dF/dt: the density of ln u, less x, plus ln of the rate at the end."""
        density = self.family.log_density_terms(_clip(x[0]), shape, order)
        terms = {key: value * part.exact for key, value in density.items()}
        if not self.data.chained and not part.ramped.size:
            terms[""] = terms[""] - np.log(part.duration) * part.exact  # x + ln tau = ln t
            return terms, x
        ln_tau = self.ln_tau(theta, part.voltage, part.temperature, order)
        terms[""] = terms[""] - (x[0] + ln_tau[0]) * part.exact
        if order >= 1:
            terms["extra"] = -(x[1] + ln_tau[1]) * part.exact
        if order == 2:
            terms["extra2"] = -(x[2] + ln_tau[2]) * part.exact
        return terms, x

    def _chain(self, terms: dict[str, np.ndarray], x: Terms, order: int) -> Terms:
        """Derivatives in theta of a function of (x, ln shape), x = ln u with its own."""
        value, shape = terms[""], np.shape(terms[""])
        size, q = len(self.names), self.voltage_parameters
        empty = np.empty((0, *shape))
        if order == 0:
            return value, empty, empty
        first = np.zeros((size, *shape))
        first[:q] = terms["x"] * x[1]
        if "extra" in terms:
            first[:q] += terms["extra"]
        if self.family.has_shape:
            first[q] = terms["s"]
        if order == 1:
            return value, first, empty
        second = np.zeros((size, size, *shape))
        second[:q, :q] = terms["xx"] * x[1][:, None] * x[1][None, :] + terms["x"] * x[2]
        if "extra2" in terms:
            second[:q, :q] += terms["extra2"]
        if self.family.has_shape:
            second[q, :q] = second[:q, q] = terms["xs"] * x[1]
            second[q, q] = terms["ss"]
        return value, first, second


def _at(terms: Terms, index: Any) -> Terms:
    return terms[0][..., index], terms[1][..., index], terms[2][..., index]


def _pick(theta: Any, index: Any) -> Any:
    return np.asarray(theta)[..., index] if np.ndim(theta) else theta


def _clip(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -_LN_U_LIMIT, _LN_U_LIMIT)
