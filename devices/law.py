"""A switching law: a family of exposures, a voltage acceleration, and the values of a device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from devices.accelerations import ACCELERATIONS, Acceleration, Temperature
from devices.accelerations.base import BOLTZMANN_EV
from devices.families import FAMILIES, Family
from devices.mixture import mixed_probability
from devices.parameter import Parameter


@dataclass(frozen=True)
class Spread:
    """How devices and cycles differ: D2D, C2C and memory.

    D2D: ln tau_ref and ln V0 are jointly normal over devices. C2C: ln tau varies from renewal to
    renewal. ``memory`` is the lag-1 correlation of the normal scores behind the thresholds.
    """

    sigma_ln_tau_d2d: Parameter
    sigma_ln_v0_d2d: Parameter
    correlation_d2d: Parameter
    sigma_ln_tau_c2c: Parameter
    memory: Parameter


@dataclass(frozen=True)
class SwitchingLaw:
    """P(t) of one direction (SET or RESET) of a device, in the magnitude of its own polarity.

    ``tau_ref`` (s) is tau at ``reference_voltage`` (V) and ``reference_temperature`` (K), ``v0``
    (V) the voltage for a factor e there; ``shape`` is None for families without one;
    ``activation`` (eV) is that of tau0, None where the law holds at the reference temperature
    only; ``v0_follows_temperature``: V0 is proportional to T, where the acceleration is
    field-assisted. ``covariance`` is that of the logarithms (of Ea itself) in
    ``covariance_order``.
    """

    family: Family
    acceleration: Acceleration
    reference_voltage: float
    tau_ref: Parameter
    v0: Parameter
    shape: Parameter | None
    spread: Spread
    valid_voltage: tuple[float, float]
    valid_width: tuple[float, float]
    valid_temperature: tuple[float, float]
    covariance_order: tuple[str, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    activation: Parameter | None = None
    reference_temperature: float = 300.0
    v0_follows_temperature: bool = True

    @property
    def shape_value(self) -> float:
        """The family's shape, 1 where it has none."""
        return 1.0 if self.shape is None else self.shape.value

    @property
    def tau0(self) -> float:
        """tau at 0 V (s): finite for tau0 exp(-V/V0) only, the others diverge there."""
        with np.errstate(all="ignore"):
            return float(np.exp(self.ln_tau(np.array([0.0]))[0]))

    def ln_tau(
        self, voltage: np.ndarray, temperature: np.ndarray | float | None = None
    ) -> np.ndarray:
        """ln(tau/s) at each voltage magnitude (V) and temperature (K; None: the reference).

        Raises ValueError for another temperature where the law has no activation energy.
        """
        return self.acceleration.evaluate(
            np.asarray(voltage, float),
            self.reference_voltage,
            math.log(self.tau_ref.value),
            math.log(self.v0.value),
            self._warmth(temperature),
        )

    def ln_tau_gradient(
        self, voltage: np.ndarray, temperature: np.ndarray | float | None = None
    ) -> np.ndarray:
        """Derivatives of ln tau by ln tau_ref and ln V0, shape (2, voltages)."""
        return self.acceleration.gradient(
            np.asarray(voltage, float),
            self.reference_voltage,
            math.log(self.tau_ref.value),
            math.log(self.v0.value),
            self._warmth(temperature),
        )[:2]

    def _warmth(self, temperature: np.ndarray | float | None) -> Temperature | None:
        if temperature is None or np.all(temperature == self.reference_temperature):
            return None
        if self.activation is None:
            raise ValueError(
                f"the law holds at {self.reference_temperature:g} K only: it has no activation "
                "energy (fit data at two or more temperatures)"
            )
        return Temperature(
            np.asarray(temperature, float) / self.reference_temperature,
            self.activation.value / (BOLTZMANN_EV * self.reference_temperature),
            self.v0_follows_temperature,
        )

    def sigma_ln_tau_d2d(self, voltage: np.ndarray) -> np.ndarray:
        """Standard deviation over devices of ln tau at each voltage (V), to first order."""
        by_tau, by_v0 = self.ln_tau_gradient(voltage)
        spread = self.spread
        a = by_tau * spread.sigma_ln_tau_d2d.value
        b = by_v0 * spread.sigma_ln_v0_d2d.value
        return np.sqrt(np.maximum(a**2 + b**2 + 2 * spread.correlation_d2d.value * a * b, 0.0))

    def rate(
        self, voltage: np.ndarray, temperature: np.ndarray | float | None = None
    ) -> np.ndarray:
        """1/tau (1/s); exactly 0 where the magnitude is not positive (the other polarity)."""
        voltage = np.asarray(voltage, float)
        positive = voltage > 0
        safe = np.where(positive, voltage, self.reference_voltage)
        return np.where(positive, np.exp(np.minimum(80.0, -self.ln_tau(safe, temperature))), 0.0)

    def probability_of_exposure(
        self, exposure: Any, delta_ln_tau: Any = 0.0, backend: str = "numpy"
    ) -> Any:
        """P(switched) of a device after an exposure, integrated over the C2C spread.

        ``exposure`` is the nominal device's; ``delta_ln_tau`` the device's own deviation of ln tau
        (broadcast against it). Works on numpy or, with ``backend="jax"``, JAX arrays.
        """
        if backend == "numpy":
            xp: Any = np
        else:
            import jax.numpy as xp
        own = exposure * xp.exp(-xp.asarray(delta_ln_tau))
        sigma = self.spread.sigma_ln_tau_c2c.value
        return mixed_probability(self.family, own, self.shape_value, sigma, backend)

    def exposure_of_probability(self, probability: np.ndarray) -> np.ndarray:
        """The nominal exposure that gives the probability p (0 <= p < 1), C2C included."""
        probability = np.asarray(probability, float)
        exact = self.family.quantile(probability, self.shape_value)
        sigma = self.spread.sigma_ln_tau_c2c.value
        if sigma == 0:
            return exact
        middle = np.log(np.maximum(exact, 1e-300))
        # A quantile of a product of two variates lies between products of their far quantiles.
        low, high = middle - 60.0 - 9 * sigma, middle + 60.0 + 9 * sigma
        for _ in range(64):
            half = (low + high) / 2
            above = self.probability_of_exposure(np.exp(half)) > probability
            low, high = np.where(above, low, half), np.where(above, half, high)
        return np.where(probability > 0, np.exp((low + high) / 2), 0.0)

    def voltage_of_exposure(self, exposure: np.ndarray, width: float) -> np.ndarray:
        """Constant voltage (V) that gives the nominal device an exposure in ``width`` (s).

        The inverse of rate x width, by interpolation of ln u on a fine grid of voltages.
        """
        grid = np.linspace(0.0, 8 * self.reference_voltage, 8001)[1:]
        ln_gain = np.log(width) - self.ln_tau(grid)
        ln_exposure = np.log(np.maximum(np.asarray(exposure, float), 1e-300))
        return np.asarray(np.interp(ln_exposure, ln_gain, grid))

    def probability(
        self,
        voltage: np.ndarray,
        width: np.ndarray | float,
        temperature: np.ndarray | float | None = None,
    ) -> np.ndarray:
        """P(switched) of the nominal device after one rectangular pulse (V, s)."""
        exposure = self.rate(voltage, temperature) * np.asarray(width)
        return np.asarray(self.probability_of_exposure(exposure))

    def quantile(self, probability: float, voltage: float) -> float:
        """Wait time (s) at a constant voltage until P(switched) = p."""
        exposure = self.exposure_of_probability(np.array([probability]))[0]
        return float(exposure / self.rate(np.array([voltage]))[0])

    def sample_thresholds(
        self, generator: np.random.Generator, count: int | tuple[int, ...]
    ) -> np.ndarray:
        """Exposure thresholds Y of successive renewals (last axis), C2C and memory included.

        z_k = rho z_(k-1) + sqrt(1 - rho^2) eps and E_k = -ln Phi(-z_k) is Exp(1) for any rho.
        """
        from scipy.special import log_ndtr

        shape = (count,) if isinstance(count, int) else count
        scores = generator.standard_normal(shape)
        rho = self.spread.memory.value
        if rho:
            noise = math.sqrt(1 - rho * rho)
            for k in range(1, shape[-1]):
                scores[..., k] = rho * scores[..., k - 1] + noise * scores[..., k]
        thresholds = self.family.threshold(-log_ndtr(-scores), self.shape_value)
        sigma = self.spread.sigma_ln_tau_c2c.value
        if sigma:
            thresholds = thresholds * np.exp(sigma * generator.standard_normal(shape))
        return thresholds

    def with_values(self, tau_ref: float, v0: float, shape: float | None = None) -> SwitchingLaw:
        """The same law at other parameter values (a device of the population, a draw of a fit)."""
        return replace(
            self,
            tau_ref=replace(self.tau_ref, value=tau_ref),
            v0=replace(self.v0, value=v0),
            shape=self.shape
            if self.shape is None or shape is None
            else replace(self.shape, value=shape),
        )

    def at_temperature(self, temperature: float) -> SwitchingLaw:
        """The same law with ``temperature`` (K) as its reference.

        tau_ref is tau there, V0 the volts for a factor e there. Standard errors, covariance and D2D
        spread follow to first order; an interval of tau_ref is left out, as it was profiled at
        another temperature. Raises ValueError for a law without an activation energy.
        """
        warmth = self._warmth(temperature)
        if warmth is None:
            return self
        vref, ln_v0 = np.array(self.reference_voltage), math.log(self.v0.value)
        ln_tau, slope, _ = self.acceleration.terms(
            vref, self.reference_voltage, math.log(self.tau_ref.value), ln_v0, warmth, order=1
        )
        slopes = dict(zip(("tau_ref", "V0", "Ea"), slope.tolist(), strict=True))
        slopes["Ea"] /= BOLTZMANN_EV * self.reference_temperature
        covariance = _moved_covariance(self.covariance_order, self.covariance, slopes)
        note = f"moved from {self.reference_temperature:g} K to {temperature:g} K"
        tau = _noted(replace(self.tau_ref, value=math.exp(ln_tau), stderr=None, ci95=None), note)
        if "tau_ref" in self.covariance_order:
            place = self.covariance_order.index("tau_ref")
            tau = replace(tau, stderr=tau.value * math.sqrt(max(covariance[place][place], 0.0)))
        follows = self.v0_follows_temperature and self.acceleration.field_assisted
        theta = temperature / self.reference_temperature
        return replace(
            self,
            tau_ref=tau,
            v0=_noted(_times(self.v0, theta), note) if follows else self.v0,
            spread=_moved_spread(self.spread, slopes["V0"], note),
            covariance=covariance,
            reference_temperature=temperature,
        )

    def to_dict(self) -> dict[str, Any]:
        """The LAW object of device.json."""
        parameters = {"tau_ref": self.tau_ref.to_dict(), "V0": self.v0.to_dict()}
        if self.shape is not None:
            parameters["shape"] = self.shape.to_dict()
        if self.activation is not None:
            parameters["Ea"] = self.activation.to_dict()
        spread = self.spread
        return {
            "family": self.family.name,
            "acceleration": self.acceleration.name,
            "reference_voltage_V": self.reference_voltage,
            "reference_temperature_K": self.reference_temperature,
            "v0_temperature": "proportional" if self.v0_follows_temperature else "fixed",
            "parameters": parameters,
            "derived": {
                "tau0": {"value": self.tau0 if math.isfinite(self.tau0) else None, "unit": "s"}
            },
            "covariance": {
                "order": list(self.covariance_order),
                "matrix": [list(row) for row in self.covariance],
            },
            "d2d": {
                "sigma_ln_tau_ref": spread.sigma_ln_tau_d2d.to_dict(),
                "sigma_ln_V0": spread.sigma_ln_v0_d2d.to_dict(),
                "correlation": spread.correlation_d2d.to_dict(),
            },
            "c2c": {"sigma_ln_tau": spread.sigma_ln_tau_c2c.to_dict()},
            "memory": {"rho": spread.memory.to_dict()},
            "valid_range": {
                "voltage_V": list(self.valid_voltage),
                "width_s": list(self.valid_width),
                "temperature_K": list(self.valid_temperature),
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> SwitchingLaw:
        """The inverse of :meth:`to_dict`; the content is checked by the schema beforehand."""
        parameters = content["parameters"]
        d2d, valid = content["d2d"], content["valid_range"]
        return cls(
            family=FAMILIES[content["family"]],
            acceleration=ACCELERATIONS[content["acceleration"]],
            reference_voltage=float(content["reference_voltage_V"]),
            tau_ref=Parameter.from_dict(parameters["tau_ref"]),
            v0=Parameter.from_dict(parameters["V0"]),
            shape=Parameter.from_dict(parameters["shape"]) if "shape" in parameters else None,
            spread=Spread(
                sigma_ln_tau_d2d=Parameter.from_dict(d2d["sigma_ln_tau_ref"]),
                sigma_ln_v0_d2d=Parameter.from_dict(d2d["sigma_ln_V0"]),
                correlation_d2d=Parameter.from_dict(d2d["correlation"]),
                sigma_ln_tau_c2c=Parameter.from_dict(content["c2c"]["sigma_ln_tau"]),
                memory=Parameter.from_dict(content["memory"]["rho"]),
            ),
            valid_voltage=tuple(valid["voltage_V"]),
            valid_width=tuple(valid["width_s"]),
            valid_temperature=tuple(valid["temperature_K"]),
            covariance_order=tuple(content["covariance"]["order"]),
            covariance=tuple(tuple(row) for row in content["covariance"]["matrix"]),
            activation=Parameter.from_dict(parameters["Ea"]) if "Ea" in parameters else None,
            reference_temperature=float(content["reference_temperature_K"]),
            v0_follows_temperature=content["v0_temperature"] == "proportional",
        )


def _moved_covariance(
    order: tuple[str, ...], covariance: tuple[tuple[float, ...], ...], slopes: Mapping[str, float]
) -> tuple[tuple[float, ...], ...]:
    """Covariance after ln tau_ref became a function of the others with these derivatives."""
    if "tau_ref" not in order:
        return covariance
    jacobian = np.eye(len(order))
    jacobian[order.index("tau_ref")] = [slopes.get(name, 0.0) for name in order]
    moved = jacobian @ np.array(covariance) @ jacobian.T
    return tuple(tuple(row) for row in ((moved + moved.T) / 2).tolist())


def _moved_spread(spread: Spread, by_v0: float, note: str) -> Spread:
    """D2D spread after ln tau_ref moved by ``by_v0`` times the deviation of ln V0."""
    sigma_tau, sigma_v0 = spread.sigma_ln_tau_d2d.value, spread.sigma_ln_v0_d2d.value
    if by_v0 * sigma_v0 == 0:
        return spread
    common = spread.correlation_d2d.value * sigma_tau + by_v0 * sigma_v0
    apart = sigma_tau * math.sqrt(1 - spread.correlation_d2d.value**2)
    sigma = math.hypot(common, apart)
    rho = common / sigma if sigma else 0.0
    return replace(
        spread,
        sigma_ln_tau_d2d=_noted(
            replace(spread.sigma_ln_tau_d2d, value=sigma, stderr=None, ci95=None), note
        ),
        correlation_d2d=_noted(
            replace(spread.correlation_d2d, value=rho, stderr=None, ci95=None), note
        ),
    )


def _times(parameter: Parameter, factor: float) -> Parameter:
    """The parameter in proportion, with its error and interval."""

    def times(number: float | None) -> float | None:
        return None if number is None else number * factor

    ci95 = parameter.ci95
    return replace(
        parameter,
        value=parameter.value * factor,
        stderr=times(parameter.stderr),
        ci95=None if ci95 is None else (times(ci95[0]), times(ci95[1])),
    )


def _noted(parameter: Parameter, note: str) -> Parameter:
    return replace(parameter, note=f"{parameter.note}; {note}" if parameter.note else note)


def normal_quadrature(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Hermite nodes and weights for the mean over a standard normal variate."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    return x, w / w.sum()
