"""A fitted device as a Python object: hazard, probability, quantile, samples, any waveform.

The sign of a voltage chooses the direction: SET above 0 V from HRS, RESET below from LRS. What is
asked is about one device; ``population`` draws devices with their spread (D2D). C2C spread is in
all answers, memory in those about successive cycles.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from devices.cbram import CBRAM, RENEWAL_VOLTAGE, Trace
from devices.drawn import generated_device
from devices.law import SwitchingLaw
from devices.mixture_nodes import c2c_nodes, steepness

_NEGLIGIBLE = 1e-300
"""Exposure that stands for 0 where a logarithm is needed."""


@dataclass(frozen=True)
class StochasticCBRAM:
    """The questions one asks of a device; ``device`` holds its laws and values.

    Voltages in V, times in s, temperatures in K (None: the laws' reference). Arguments that are
    arrays broadcast; scalars give floats. Every method raises ValueError for a temperature other
    than the reference where a law has no activation energy.
    """

    device: CBRAM

    def hazard(
        self, voltage: Any, time: Any, temperature: float | None = None
    ) -> np.ndarray | float:
        """Hazard rate (1/s) at a constant voltage, ``time`` after a renewal, not yet switched.

        The density of the switching time over the probability that it is later. Infinite at time 0
        for laws that begin so (Weibull with shape < 1). An ideal RESET has 0 before its time and
        infinity from then on.
        """
        if np.any(np.asarray(time) < 0):
            raise ValueError("time: expected seconds after a renewal, 0 or more")
        return self._by_direction(_hazard, voltage, time, temperature)

    def probability(
        self, voltage: Any, width: Any, temperature: float | None = None
    ) -> np.ndarray | float:
        """P(switched) by one rectangular pulse after a renewal; 0 at 0 V."""
        if np.any(np.asarray(width) < 0):
            raise ValueError("width: expected seconds, 0 or more")
        return self._by_direction(_probability, voltage, width, temperature)

    def quantile(
        self, p: Any, voltage: Any, temperature: float | None = None
    ) -> np.ndarray | float:
        """Time (s) at a constant voltage until P(switched) = p (0 <= p < 1); infinite at 0 V."""
        if np.any((np.asarray(p) < 0) | (np.asarray(p) >= 1)):
            raise ValueError("p: expected probabilities from 0 up to, not including, 1")
        return self._by_direction(_quantile, voltage, p, temperature)

    def sample(
        self,
        n: int,
        voltage: Any,
        width: Any = None,
        seed: int = 0,
        temperature: float | None = None,
    ) -> np.ndarray:
        """What ``n`` successive cycles of the device give, each begun in the starting state.

        With ``width`` bits (1 switched, uint8); without, the times (s) it takes to switch at the
        constant voltage, infinite at 0 V. ``voltage`` and ``width`` are scalars or have ``n``
        values; a voltage of each sign draws from its own direction's thresholds.
        """
        at = self.at(temperature).device
        v = np.broadcast_to(np.asarray(voltage, float), n)
        generators = _generators(seed)
        thresholds = np.where(
            v > 0,
            _in_order(v > 0, lambda k: at.set.sample_thresholds(generators[0], k)),
            _in_order(v < 0, lambda k: at.sample_reset_thresholds(generators[1], k)),
        )
        rate = np.where(v > 0, at.set.rate(v), at.reset_rate(-v))
        with np.errstate(divide="ignore"):
            times = np.where(rate > 0, thresholds / np.where(rate > 0, rate, 1.0), np.inf)
        if width is None:
            return times
        return (times <= np.broadcast_to(np.asarray(width, float), n)).astype(np.uint8)

    def simulate(
        self,
        time: Any,
        voltage: Any,
        seed: int = 0,
        initial_state: int = 0,
        temperature: float | None = None,
    ) -> Trace:
        """Run a piecewise linear waveform (s, V) through the device, thresholds from the seed.

        Stateful, both directions, renewals as in ``CBRAM.simulate``.
        """
        at = self.at(temperature).device
        values = np.asarray(voltage, float)
        polarity = np.sign(values[np.abs(values) > RENEWAL_VOLTAGE])
        renewals = int(np.count_nonzero(np.diff(polarity))) + 2  # at most one a change of sign
        generators = _generators(seed)
        return at.simulate(
            np.asarray(time, float),
            values,
            at.set.sample_thresholds(generators[0], renewals),
            at.sample_reset_thresholds(generators[1], renewals),
            initial_state,
        )

    def at(self, temperature: float | None) -> StochasticCBRAM:
        """The device as it is at a temperature (K), which becomes its laws' reference.

        Draw a device of the population (:meth:`individual`) before, not after: the D2D spread at
        another temperature is that of other parameters.
        """
        if temperature is None:
            return self
        device = self.device
        reset = None if device.reset is None else device.reset.at_temperature(temperature)
        warm = replace(device, set=device.set.at_temperature(temperature), reset=reset)
        return replace(self, device=warm)

    def individual(self, seed: int) -> StochasticCBRAM:
        """One device of the population: its own tau_ref, V0 and resistances (D2D).

        The same that ``NAME_auto seed=SEED d2d=1`` is in ngspice. It has no D2D spread left, so
        that drawing from it returns it. Raises ValueError for seeds outside 0 to 2^25 - 1.
        """
        return replace(self, device=generated_device(self.device, seed))

    def population(self, n: int, seed: int = 0) -> list[StochasticCBRAM]:
        """``n`` devices, those of the seeds from ``seed`` on."""
        return [self.individual(seed + k) for k in range(n)]

    def to_dict(self) -> dict[str, Any]:
        """The content of device.json without its provenance."""
        return self.device.to_dict()

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> StochasticCBRAM:
        """From the content of a device.json, checked by its schema beforehand."""
        return cls(CBRAM.from_dict(content))

    def _by_direction(
        self, answer: Any, voltage: Any, other: Any, temperature: float | None
    ) -> np.ndarray | float:
        at = self.at(temperature).device
        v, x = np.broadcast_arrays(np.asarray(voltage, float), np.asarray(other, float))
        result = np.empty(v.shape)
        up = v >= 0
        result[up] = answer(at.set, v[up], x[up])
        if at.reset is None:
            result[~up] = answer(at.ideal_reset_time.value, -v[~up], x[~up])
        else:
            result[~up] = answer(at.reset, -v[~up], x[~up])
        return float(result) if result.ndim == 0 else result


# A direction is its law, or the time (s) of an ideal RESET.
_Direction = SwitchingLaw | float


def _probability(law: _Direction, magnitude: np.ndarray, width: np.ndarray) -> np.ndarray:
    if isinstance(law, float):
        return ((magnitude > RENEWAL_VOLTAGE) & (width >= law)).astype(float)
    return np.asarray(law.probability_of_exposure(law.rate(magnitude) * width))


def _quantile(law: _Direction, magnitude: np.ndarray, p: np.ndarray) -> np.ndarray:
    if isinstance(law, float):
        return np.where(magnitude > RENEWAL_VOLTAGE, law, np.inf)
    exposure, rate = law.exposure_of_probability(p), law.rate(magnitude)
    waiting = np.where(exposure > 0, np.inf, 0.0)
    return np.where(rate > 0, exposure / np.where(rate > 0, rate, 1.0), waiting)


def _hazard(law: _Direction, magnitude: np.ndarray, time: np.ndarray) -> np.ndarray:
    if isinstance(law, float):
        return np.where((magnitude > RENEWAL_VOLTAGE) & (time >= law), np.inf, 0.0)
    rate = law.rate(magnitude)
    ln_u = np.log(np.maximum(rate * time, _NEGLIGIBLE))
    sigma, ln_shape = law.spread.sigma_ln_tau_c2c.value, math.log(law.shape_value)
    nodes, weights = c2c_nodes(sigma, steepness(law.family, law.shape_value))
    density, survival = np.zeros(rate.shape), np.zeros(rate.shape)
    hazards = []
    for node in nodes:
        terms = law.family.hazard_terms(ln_u - sigma * node, ln_shape, order=1)
        hazards.append((terms[""], terms["x"]))
    # Relative to the node that survives best, so that late hazards are no 0/0.
    least = np.min([h for h, _ in hazards], axis=0)
    for weight, (h, slope) in zip(weights, hazards, strict=True):
        share = weight * np.exp(-(h - least))
        survival += share
        density += share * slope
    by_ln_time = density / survival
    with np.errstate(divide="ignore", invalid="ignore"):
        value = rate * by_ln_time / np.exp(ln_u)
        exponent = hazards[0][1] / hazards[0][0]  # of H ~ u^exponent at the very beginning
    begins = np.where(exponent < 1 - 1e-9, np.inf, np.where(exponent > 1 + 1e-9, 0.0, value))
    begins = np.where(least > 0, begins, 0.0)
    return np.where(rate > 0, np.where(rate * time > _NEGLIGIBLE, value, begins), 0.0)


def _generators(seed: int) -> list[np.random.Generator]:
    """One generator each for SET and RESET, so that neither disturbs the other."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2)]


def _in_order(chosen: np.ndarray, draw: Any) -> np.ndarray:
    """Draws in the order of the chosen places; 0 elsewhere."""
    result = np.zeros(chosen.shape)
    result[chosen] = draw(int(np.count_nonzero(chosen)))
    return result
