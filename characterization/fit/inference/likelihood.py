"""The log-likelihood of pulses and waits under a law, with exact gradient and Hessian.

Everything derives from the family's cumulative hazard H(ln u, ln shape) and the acceleration's
ln tau(V), u = t/tau(V); no law is written here. theta = (ln tau_ref, ln V0, [ln shape],
[logit floor]).

Pulses: P = floor + (1 - floor) F = 1 - exp(-G), G = H - ln(1 - floor): a false-switch floor is an
additive hazard. Each group contributes s ln P + (n - s) ln(1 - P); the binomial coefficient, which
no parameter enters, is left out, so that counts and single rows give the same number.
Waits: ln dF/dt for a switched row, ln(1 - F) for one still waiting (right censoring).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.observations.base import Observations, Pulses, Waits
from devices.accelerations import Acceleration
from devices.families import Family

_LN_U_LIMIT = 300.0
"""Beyond this ln u an outcome is certain to 1e-130 and derivatives only overflow."""


@dataclass(frozen=True)
class Likelihood:
    """log L(theta) of the data under a family and an acceleration.

    ``reference`` (V) is the voltage of tau_ref; ``floor`` adds the false-switch floor (pulses).
    """

    data: Observations
    family: Family
    acceleration: Acceleration
    reference: float
    floor: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters whose logarithms (logit for the floor) theta holds."""
        shape = ("shape",) if self.family.has_shape else ()
        return ("tau_ref", "V0", *shape, *(("floor",) if self.floor else ()))

    def at_reference(self, reference: float) -> Likelihood:
        """The same likelihood with tau_ref at another voltage."""
        return replace(self, reference=reference)

    def ln_u(self, theta: np.ndarray) -> np.ndarray:
        """ln of the exposure of each group."""
        ln_tau = self.acceleration.evaluate(self.data.voltage, self.reference, theta[0], theta[1])
        return np.asarray(np.log(self.data.duration) - ln_tau)

    def ln_shape(self, theta: np.ndarray) -> float:
        """ln shape, 0 for families without one."""
        return float(theta[2]) if self.family.has_shape else 0.0

    def floor_value(self, theta: np.ndarray) -> float:
        """The floor, 0 where there is none."""
        return float(1 / (1 + np.exp(-theta[-1]))) if self.floor else 0.0

    def evaluate(self, theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """log L, its gradient (p,) and Hessian (p, p); NaN where theta is out of reach."""
        with np.errstate(all="ignore"):
            if isinstance(self.data, Pulses):
                return self._pulses(theta, self.data)
            return self._waits(theta, self.data)

    def probability(self, theta: np.ndarray) -> np.ndarray:
        """Fitted P of each group, floor included."""
        terms = self.family.hazard_terms(self._clipped(theta), self.ln_shape(theta))
        return np.asarray(-np.expm1(-terms["H"] + np.log1p(-self.floor_value(theta))))

    def hazard_at(self, theta: np.ndarray, ln_u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """H and its derivatives (p, groups) at the voltage of each group and a given ln u."""
        terms = self.family.hazard_terms(
            np.clip(ln_u, -_LN_U_LIMIT, _LN_U_LIMIT), self.ln_shape(theta)
        )
        first, _ = self._chain(theta, terms)
        return terms["H"], first

    def _pulses(self, theta: np.ndarray, data: Pulses) -> tuple[float, np.ndarray, np.ndarray]:
        terms = self.family.hazard_terms(self._clipped(theta), self.ln_shape(theta))
        first, second = self._chain(theta, terms)
        total = terms["H"] - np.log1p(-self.floor_value(theta))
        rest = data.trials - data.switched
        odds = 1.0 / np.expm1(total)
        scaled = first * odds
        value = np.sum(data.switched * np.log(-np.expm1(-total))) - np.sum(
            np.where(rest > 0, rest * total, 0.0)
        )
        gradient = scaled @ data.switched - first @ rest
        # e^G/(e^G - 1)^2 = odds + odds^2, which neither overflows nor underflows.
        curved = np.einsum("in,jn,n->ij", scaled, first + scaled, data.switched)
        hessian = np.einsum("ijn,n->ij", second, data.switched * odds - rest) - curved
        return float(value), gradient, hessian

    def _waits(self, theta: np.ndarray, data: Waits) -> tuple[float, np.ndarray, np.ndarray]:
        terms = self.family.hazard_terms(self._clipped(theta), self.ln_shape(theta))
        event, weight, slope = data.switched, data.weight, terms["x"]
        # ln of the density in ln t is ln H_x - H; ln t turns it into the density in t.
        x, s = terms["xx"] / slope, terms["xs"] / slope
        contributions = {
            "x": event * x - terms["x"],
            "s": event * s - terms["s"],
            "xx": event * (terms["xxx"] / slope - x * x) - terms["xx"],
            "xs": event * (terms["xxs"] / slope - x * s) - terms["xs"],
            "ss": event * (terms["xss"] / slope - s * s) - terms["ss"],
        }
        value = np.sum(weight * (event * (np.log(slope) - np.log(data.time)) - terms["H"]))
        first, second = self._chain(theta, contributions)
        return float(value), first @ weight, second @ weight

    def _clipped(self, theta: np.ndarray) -> np.ndarray:
        return np.clip(self.ln_u(theta), -_LN_U_LIMIT, _LN_U_LIMIT)

    def _chain(
        self, theta: np.ndarray, terms: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives in theta, (p, n) and (p, p, n), of a function of (ln u, ln shape)."""
        voltage = self.data.voltage
        where = (voltage, self.reference, theta[0], theta[1])
        dx, dxx = -self.acceleration.gradient(*where), -self.acceleration.curvature(*where)
        size = len(self.names)
        first, second = np.zeros((size, voltage.size)), np.zeros((size, size, voltage.size))
        first[:2] = terms["x"] * dx
        second[:2, :2] = terms["xx"] * dx[:, None] * dx[None, :] + terms["x"] * dxx
        if self.family.has_shape:
            first[2] = terms["s"]
            second[2, :2] = second[:2, 2] = terms["xs"] * dx
            second[2, 2] = terms["ss"]
        if self.floor:
            floor = self.floor_value(theta)
            first[-1] = floor
            second[-1, -1] = floor * (1 - floor)
        return first, second
