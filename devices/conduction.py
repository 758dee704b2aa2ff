"""How much the two states conduct: medians and spreads, and what sets them where data told.

The optional members are the LRS a gate (compliance) voltage leaves, the graded RESET (resistance
after a pulse against its voltage and width) and the non-linear current of the HRS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, log_ndtr

from devices.parameter import Parameter

_STATES = ("r_lrs", "r_hrs", "sigma_ln_r_lrs", "sigma_ln_r_hrs", "correlation")
_BISECTIONS = 60
Range = tuple[float, float]


@dataclass(frozen=True)
class LrsVsGate:
    """Median LRS (ohm) that a SET leaves at a gate voltage V_g, and its log-normal spread.

        R = r_series + r_ref ((V_g - v_t)/(V_ref - v_t))^-gate_exponent,
        sigma(ln R) = sigma_ln_r ((V_g - v_t)/(V_ref - v_t))^-sigma_exponent.

    The filament grows until the current reaches the compliance I_c, R_LRS ~ 1/I_c (Ielmini, IEEE
    TED 58, 4309 (2011), recalled), and a saturated transistor gives I_c ~ (V_g - v_t)^alpha:
    hence a power of the overdrive. ``r_series`` is what no gate voltage removes (read path,
    fully grown filament); without it the measured levelling-off cannot be met.
    """

    reference_gate: float
    r_ref: Parameter
    gate_exponent: Parameter
    v_t: Parameter
    r_series: Parameter
    sigma_ln_r: Parameter
    sigma_exponent: Parameter
    valid_gate: Range

    def overdrive(self, gate: np.ndarray) -> np.ndarray:
        """(V_g - v_t)/(V_ref - v_t); NaN at and below v_t, where the law says nothing."""
        ratio = (np.asarray(gate, float) - self.v_t.value) / (self.reference_gate - self.v_t.value)
        return np.where(ratio > 0, ratio, np.nan)

    def median(self, gate: np.ndarray) -> np.ndarray:
        """Median LRS (ohm) at each gate voltage (V); NaN at and below v_t."""
        power = self.overdrive(gate) ** -self.gate_exponent.value
        return np.asarray(self.r_series.value + self.r_ref.value * power)

    def sigma(self, gate: np.ndarray) -> np.ndarray:
        """Standard deviation of ln R at each gate voltage (V); NaN at and below v_t."""
        return np.asarray(
            self.sigma_ln_r.value * self.overdrive(gate) ** -self.sigma_exponent.value
        )

    def to_dict(self) -> dict[str, Any]:
        """The object ``lrs_vs_gate`` of device.json."""
        return {
            "reference_gate_V": self.reference_gate,
            "parameters": _parameters_to_dict(self),
            "valid_range": {"gate_V": list(self.valid_gate)},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LrsVsGate:
        """The inverse of :meth:`to_dict`."""
        return cls(
            reference_gate=float(content["reference_gate_V"]),
            valid_gate=_range(content["valid_range"]["gate_V"]),
            **_parameters_from_dict(content["parameters"]),
        )


@dataclass(frozen=True)
class Modes:
    """Cells that stay and cells that RESET: mean, sigma, and ln(share/sigma) of ln R of each."""

    stay: np.ndarray
    spread: np.ndarray
    stay_weight: np.ndarray
    moved: np.ndarray
    widened: np.ndarray
    moved_weight: np.ndarray

    def at(self, index: np.ndarray) -> Modes:
        """The modes of the pulses ``index``: rows of one condition share what is computed once."""
        fields = (getattr(self, name)[index] for name in self.__dataclass_fields__)
        return Modes(*fields)

    def log_density(self, ln_resistance: np.ndarray) -> np.ndarray:
        """Logarithm of the density of ln R (ohm)."""
        first = self.stay_weight - 0.5 * ((ln_resistance - self.stay) / self.spread) ** 2
        second = self.moved_weight - 0.5 * ((ln_resistance - self.moved) / self.widened) ** 2
        return np.asarray(np.logaddexp(first, second) - 0.5 * np.log(2 * np.pi))


@dataclass(frozen=True)
class GradedReset:
    """Resistance after one RESET pulse of magnitude V (V) and width t (s) on a cell in LRS.

    With x = (V - v_on + v_per_efold ln(t/t_ref))/v_scale and g = 1/(1 + exp(-x)), a cell that
    RESET is log-normal with

        median ln R = ln r_lrs + (ln r_max - ln r_lrs) g,
        variance of ln R = sigma_ln_r_lrs^2 + sigma_ln_r_graded^2 g:

    g = 1 - exp(-softplus(x)) rises exponentially from nothing and saturates at the HRS, and the
    variance rises with the median as that of a sum of independent steps does. The voltage that
    gives a state falls by ``v_per_efold`` for each factor e in time, as for a rate exponential
    in V. All cells RESET where ``v_half`` is None. Otherwise the share

        share_max / (1 + exp(-(V - v_half + v_per_efold ln(t/t_ref))/v_half_scale))

    of them does, and the others stay at the median ln R = ln r_lrs - dip g with
    ``sigma_ln_r_lrs`` (``dip``: pulses too weak for RESET can lower the resistance).
    This is a description of measured resistances; it is not a first-passage law.
    """

    reference_width: float
    r_lrs: Parameter
    sigma_ln_r_lrs: Parameter
    r_max: Parameter
    v_on: Parameter
    v_per_efold: Parameter
    v_scale: Parameter
    sigma_ln_r_graded: Parameter
    valid_voltage: Range
    valid_width: Range
    v_half: Parameter | None = None
    v_half_scale: Parameter | None = None
    share_max: Parameter | None = None
    dip: Parameter | None = None

    @property
    def bimodal(self) -> bool:
        """Whether a share of the cells does not RESET."""
        return self.v_half is not None

    def grade(self, voltage: np.ndarray, width: np.ndarray) -> np.ndarray:
        """g of the class, 0 (LRS) to 1 (``r_max``)."""
        return _logistic(self, self.v_on, self.v_scale, voltage, width)

    def share(self, voltage: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Share of the cells that RESET at all, 0 to 1."""
        if self.v_half is None or self.v_half_scale is None or self.share_max is None:
            return np.ones(np.broadcast_shapes(np.shape(voltage), np.shape(width)))
        rising = _logistic(self, self.v_half, self.v_half_scale, voltage, width)
        return np.asarray(self.share_max.value * rising)

    def median_of_reset(self, voltage: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Median resistance (ohm) of the cells that RESET."""
        low, high = np.log(self.r_lrs.value), np.log(self.r_max.value)
        return np.asarray(np.exp(low + (high - low) * self.grade(voltage, width)))

    def probability_above(
        self, resistance: np.ndarray | float, voltage: np.ndarray, width: np.ndarray
    ) -> np.ndarray:
        """P(R after the pulse > resistance (ohm)); the arguments broadcast."""
        return np.asarray(np.exp(self._log_survival(np.log(resistance), voltage, width)))

    def log_density(
        self, ln_resistance: np.ndarray, voltage: np.ndarray, width: np.ndarray
    ) -> np.ndarray:
        """Logarithm of the density of ln R (ohm) after the pulse; the arguments broadcast."""
        return self.modes(voltage, width).log_density(ln_resistance)

    def modes(self, voltage: np.ndarray, width: np.ndarray) -> Modes:
        """The two modes of ln R at each pulse."""
        (stay, spread), (moved, widened), share = self._components(voltage, width)
        with np.errstate(divide="ignore"):
            return Modes(
                stay,
                spread,
                np.log1p(-share) - np.log(spread),
                moved,
                widened,
                np.log(share) - np.log(widened),
            )

    def quantile(
        self, probability: np.ndarray | float, voltage: np.ndarray, width: np.ndarray
    ) -> np.ndarray:
        """Resistance (ohm) that a fraction ``probability`` (0 < p < 1) stays below."""
        (stay, spread), (moved, widened), _ = self._components(voltage, width)
        target = np.log1p(-np.asarray(probability, float))
        margin = 40 * np.maximum(spread, widened)
        shape = np.broadcast_shapes(np.shape(target), np.shape(moved), np.shape(stay))
        low = np.broadcast_to(np.minimum(stay, moved) - margin, shape)
        high = np.broadcast_to(np.maximum(stay, moved) + margin, shape)
        for _ in range(_BISECTIONS):
            half = (low + high) / 2
            above = self._log_survival(half, voltage, width) > target
            low, high = np.where(above, half, low), np.where(above, high, half)
        return np.asarray(np.exp((low + high) / 2))

    def median(self, voltage: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Median resistance (ohm) over all cells; it jumps where half of them RESET."""
        return self.quantile(0.5, voltage, width)

    def sample(
        self, generator: np.random.Generator, voltage: np.ndarray, width: np.ndarray
    ) -> np.ndarray:
        """One resistance (ohm) for each pulse."""
        (stay, spread), (moved, widened), share = self._components(voltage, width)
        did = generator.random(np.shape(share)) < share
        normal = generator.standard_normal(np.shape(share))
        return np.asarray(
            np.exp(np.where(did, moved, stay) + np.where(did, widened, spread) * normal)
        )

    def _components(
        self, voltage: np.ndarray, width: np.ndarray
    ) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], np.ndarray]:
        """(mean, sigma) of ln R of the cells that stay and of those that RESET; their share."""
        grade = self.grade(voltage, width)
        low, rise = np.log(self.r_lrs.value), np.log(self.r_max.value / self.r_lrs.value)
        sigma = self.sigma_ln_r_lrs.value
        widened = np.sqrt(sigma**2 + self.sigma_ln_r_graded.value**2 * grade)
        dip = 0.0 if self.dip is None else self.dip.value
        stay = (low - dip * grade, np.full(np.shape(grade), sigma))
        return stay, (low + rise * grade, widened), self.share(voltage, width)

    def _log_survival(
        self, ln_resistance: np.ndarray | float, voltage: np.ndarray, width: np.ndarray
    ) -> np.ndarray:
        (stay, spread), (moved, widened), share = self._components(voltage, width)
        with np.errstate(divide="ignore"):
            return np.asarray(
                np.logaddexp(
                    np.log1p(-share) + log_ndtr((stay - ln_resistance) / spread),
                    np.log(share) + log_ndtr((moved - ln_resistance) / widened),
                )
            )

    def to_dict(self) -> dict[str, Any]:
        """The object ``graded_reset`` of device.json."""
        return {
            "reference_width_s": self.reference_width,
            "parameters": _parameters_to_dict(self),
            "valid_range": {
                "voltage_V": list(self.valid_voltage),
                "width_s": list(self.valid_width),
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> GradedReset:
        """The inverse of :meth:`to_dict`."""
        valid = content["valid_range"]
        return cls(
            reference_width=float(content["reference_width_s"]),
            valid_voltage=_range(valid["voltage_V"]),
            valid_width=_range(valid["width_s"]),
            **_parameters_from_dict(content["parameters"]),
        )


@dataclass(frozen=True)
class HrsSinh:
    """Current of the HRS, I = i0 sinh(V/v_s): hopping with and against the field.

    Mott, Davis, Electronic Processes in Non-Crystalline Materials (1979), recalled.
    """

    i0: Parameter
    v_s: Parameter
    valid_voltage: Range

    def current(self, voltage: np.ndarray) -> np.ndarray:
        """Current (A) at each voltage (V)."""
        return np.asarray(self.i0.value * np.sinh(np.asarray(voltage, float) / self.v_s.value))

    def resistance(self, voltage: np.ndarray) -> np.ndarray:
        """V/I (ohm) at each voltage (V); v_s/i0 at 0 V."""
        ratio = np.asarray(voltage, float) / self.v_s.value
        with np.errstate(over="ignore", invalid="ignore"):
            sinhc = np.where(ratio == 0, 1.0, np.sinh(ratio) / np.where(ratio == 0, 1.0, ratio))
        return np.asarray(self.v_s.value / (self.i0.value * sinhc))

    def to_dict(self) -> dict[str, Any]:
        """The object ``hrs_sinh`` of device.json."""
        return {
            "parameters": _parameters_to_dict(self),
            "valid_range": {"voltage_V": list(self.valid_voltage)},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> HrsSinh:
        """The inverse of :meth:`to_dict`."""
        return cls(
            valid_voltage=_range(content["valid_range"]["voltage_V"]),
            **_parameters_from_dict(content["parameters"]),
        )


_MEMBERS: dict[str, Any] = {
    "lrs_vs_gate": LrsVsGate,
    "graded_reset": GradedReset,
    "hrs_sinh": HrsSinh,
}


@dataclass(frozen=True)
class Conduction:
    """Resistances (ohm) of the two states: medians, log-normal spreads and their correlation.

    The optional members are None where the data did not tell.
    """

    r_lrs: Parameter
    r_hrs: Parameter
    sigma_ln_r_lrs: Parameter
    sigma_ln_r_hrs: Parameter
    correlation: Parameter
    lrs_vs_gate: LrsVsGate | None = None
    graded_reset: GradedReset | None = None
    hrs_sinh: HrsSinh | None = None

    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its name; those of a member as ``member.parameter``."""
        for name in _STATES:
            yield name, getattr(self, name)
        for member in _MEMBERS:
            law = getattr(self, member)
            for name, parameter in () if law is None else _parameters(law):
                yield f"{member}.{name}", parameter

    def members(self) -> tuple[str, ...]:
        """Names of the optional members the device has."""
        return tuple(name for name in _MEMBERS if getattr(self, name) is not None)

    def to_dict(self) -> dict[str, Any]:
        """The conduction object of device.json; members that are None are left out."""
        content = {name: getattr(self, name).to_dict() for name in _STATES}
        laws = {name: getattr(self, name) for name in _MEMBERS}
        return content | {name: law.to_dict() for name, law in laws.items() if law is not None}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Conduction:
        """The inverse of :meth:`to_dict`."""
        parts: dict[str, Any] = {name: Parameter.from_dict(content[name]) for name in _STATES}
        for name, law in _MEMBERS.items():
            if name in content:
                parts[name] = law.from_dict(content[name])
        return cls(**parts)


def _logistic(
    law: GradedReset, centre: Parameter, scale: Parameter, voltage: np.ndarray, width: np.ndarray
) -> np.ndarray:
    shift = law.v_per_efold.value * np.log(np.asarray(width, float) / law.reference_width)
    return np.asarray(expit((np.asarray(voltage, float) - centre.value + shift) / scale.value))


def _parameters(law: LrsVsGate | GradedReset | HrsSinh) -> Iterator[tuple[str, Parameter]]:
    for name in law.__dataclass_fields__:
        value = getattr(law, name)
        if isinstance(value, Parameter):
            yield name, value


def _parameters_to_dict(law: LrsVsGate | GradedReset | HrsSinh) -> dict[str, Any]:
    return {name: parameter.to_dict() for name, parameter in _parameters(law)}


def _parameters_from_dict(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Parameter.from_dict(value) for name, value in content.items()}


def _range(ends: Any) -> Range:
    low, high = ends
    return float(low), float(high)
