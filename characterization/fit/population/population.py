"""log L of a population: the sum over its devices, each with the quadrature nodes it needs.

Devices with equal outcomes are worked out once. Most posteriors are nearly normal and content with
a few nodes; a device that always or never switched has a one-sided one and takes many more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.observations.base import Observations
from characterization.fit.population.effects import Effects
from characterization.fit.population.model import Marginal, Posterior


@dataclass(frozen=True, eq=False)
class Population:
    """The marginal log-likelihood of all devices; phi = (theta of the law, psi of the spreads).

    ``devices`` are the data's device indices; ``alike`` gives each its place among the distinct
    ones, whose numbers of nodes are ``nodes``. ``parts`` hold distinct devices of equal numbers,
    at ``places``. ``calls`` counts evaluations.
    """

    likelihood: Likelihood
    effects: Effects
    devices: np.ndarray
    alike: np.ndarray
    nodes: np.ndarray
    parts: tuple[Marginal, ...]
    places: tuple[np.ndarray, ...]
    calls: list[int] = field(default_factory=lambda: [0], repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters in the order of phi."""
        return (*self.likelihood.names, *self.effects.names)

    @property
    def fixed_effects(self) -> int:
        """How many of phi's first entries are theta."""
        return len(self.likelihood.names)

    @property
    def most_nodes(self) -> int:
        """The largest number of nodes per random effect of any device."""
        return int(self.nodes.max())

    def evaluate(self, phi: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """log L, its gradient (P,) and Hessian (P, P); NaN where phi is out of reach."""
        self.calls[0] += 1
        if self.effects.dimension == 0:
            return self.likelihood.evaluate(phi)
        value, first, second = self._distinct(phi, 2)
        weight = np.bincount(self.alike)
        with np.errstate(all="ignore"):
            return float(value @ weight), first @ weight, second @ weight

    def value(self, phi: np.ndarray) -> float:
        """log L alone."""
        return float(self.device_values(phi).sum())

    def device_values(self, phi: np.ndarray) -> np.ndarray:
        """Each device's share of log L, shape (D,)."""
        self.calls[0] += 1
        return self._distinct(phi, 0)[0][self.alike]

    def distinct_values(self, phi: np.ndarray) -> np.ndarray:
        """The share of log L of one device of each sort."""
        return self._distinct(phi, 0)[0]

    def scores(self, phi: np.ndarray) -> np.ndarray:
        """Each device's share of the gradient, shape (P, D): the parts of a sandwich estimate."""
        return self._distinct(phi, 1)[1][:, self.alike]

    def posterior(self, phi: np.ndarray) -> Posterior:
        """Mean and covariance of each device's deviations, given its own outcomes."""
        size = self.nodes.size
        mean, covariance = np.empty((2, size)), np.empty((2, 2, size))
        for part, place in zip(self.parts, self.places, strict=True):
            own = part.posterior(phi)
            mean[:, place], covariance[:, :, place] = own.mean, own.covariance
        return Posterior(mean[:, self.alike], covariance[:, :, self.alike])

    def with_nodes(self, nodes: np.ndarray) -> Population:
        """The same with other numbers of nodes of the distinct devices."""
        representative = self.devices[np.unique(self.alike, return_index=True)[1]]
        parts, places = _parts(self.likelihood, self.effects, representative, nodes)
        return replace(self, nodes=nodes, parts=parts, places=places, calls=[0])

    def _distinct(self, phi: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size, p = self.nodes.size, len(self.names)
        shapes = ((size,), (p, size), (p, p, size))
        whole = [np.empty(shape) for shape in shapes[: order + 1]]
        for part, place in zip(self.parts, self.places, strict=True):
            for target, term in zip(whole, part.shares(phi, order), strict=False):
                target[..., place] = term
        return tuple(whole + [np.empty(0)] * (2 - order))  # type: ignore[return-value]


def population(likelihood: Likelihood, effects: Effects, nodes: int) -> Population:
    """The population of the data's devices, all with the same number of nodes."""
    devices, first, alike = distinct(likelihood.data)
    counts = np.full(first.size, nodes)
    parts, places = _parts(likelihood, effects, devices[first], counts)
    return Population(likelihood, effects, devices, alike, counts, parts, places)


def distinct(data: Observations) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Device indices, positions of one device of each sort of outcomes, each device's sort."""
    devices = np.unique(data.device)
    if data.chained or devices.size < 2:
        return devices, np.arange(devices.size), np.arange(devices.size)
    columns = [data.voltage, data.start, data.duration, data.within, data.exact, data.waiting]
    columns += [] if data.temperature is None else [data.temperature]
    # Within a device the segments are in one order whatever the device's name.
    order = np.lexsort([*columns[::-1], data.device])
    table = np.stack(columns, axis=1)[order]
    ends = np.searchsorted(data.device[order], devices, side="right")
    kinds: dict[bytes, int] = {}
    first, alike = [], np.empty(devices.size, int)
    low = 0
    for i, high in enumerate(ends.tolist()):
        key = table[low:high].tobytes()
        if key not in kinds:
            kinds[key] = len(kinds)
            first.append(i)
        alike[i] = kinds[key]
        low = high
    return devices, np.array(first), alike


def _parts(
    likelihood: Likelihood, effects: Effects, representative: np.ndarray, nodes: np.ndarray
) -> tuple[tuple[Marginal, ...], tuple[np.ndarray, ...]]:
    """Marginals of the distinct devices with equal numbers of nodes, and their places."""
    if effects.dimension == 0:
        return (), ()
    parts, places = [], []
    for count in np.unique(nodes):
        place = np.flatnonzero(nodes == count)
        data = likelihood.data
        mask = np.isin(data.device, representative[place])
        own = data if np.all(mask) else data.select(mask)
        parts.append(Marginal(likelihood.on(own), effects, int(count)))
        places.append(place)  # representatives ascend, as a marginal's devices do
    return tuple(parts), tuple(places)
