"""When devices fail that are used unequally: exact, from the hazards of all of them.

Device i, used r_i times an image, outlives t images with probability exp(-H(r_i t)), H being the
cumulative hazard of the endurance. The first of all fails after t with probability
exp(-sum H(r_i t)) (the minimum of independent lives), and a share sum F(r_i t)/n of the n devices
is expected to have failed by t.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from system.budget.wear.endurance import Endurance

_CLOSE = 1e-13


@dataclass(frozen=True)
class Rates:
    """Devices by how often they are used: ``counts`` of them, ``per_image`` events each."""

    counts: np.ndarray
    per_image: np.ndarray

    @classmethod
    def alike(cls, devices: float, per_image: float) -> Rates:
        """Devices that are all used alike."""
        return cls(np.array([devices], float), np.array([per_image], float))

    @classmethod
    def joined(cls, parts: Iterable[Rates]) -> Rates:
        """All devices of several groups."""
        parts = tuple(parts)
        empty = np.zeros(0)
        return cls(
            np.concatenate([empty, *(part.counts for part in parts)]),
            np.concatenate([empty, *(part.per_image for part in parts)]),
        )

    @property
    def devices(self) -> float:
        """How many there are."""
        return float(self.counts.sum())

    @property
    def total(self) -> float:
        """Events of all of them in an image."""
        return float(self.counts @ self.per_image)

    @property
    def mean(self) -> float:
        """Events of the mean device."""
        return self.total / self.devices if self.devices else 0.0

    @property
    def most(self) -> float:
        """Events of the most used device."""
        return float(self.per_image.max(initial=0.0))

    def times(self, factor: float) -> Rates:
        """Every device used so many times as often."""
        return Rates(self.counts, self.per_image * factor)


def hazard(rates: Rates, endurance: Endurance, images: float) -> float:
    """Sum of the cumulative hazards of all devices: the expected number of failures, were each
    replaced at once by one as old."""
    return float(rates.counts @ endurance.hazard(rates.per_image * images))


def survival(rates: Rates, endurance: Endurance, images: float) -> float:
    """Probability that after so many images none of the devices has failed."""
    return math.exp(-hazard(rates, endurance, images))


def first_failure(rates: Rates, endurance: Endurance, probability: float = 0.5) -> float:
    """Images after which the first device has failed with a probability (1/2: the median).

    Infinite where nothing is used.
    """
    used = _used(rates)
    if not used.counts.size:
        return math.inf
    wanted = -math.log1p(-probability)
    # Were all used as the most used one, it would be earlier; with that one alone, later.
    own = float(used.counts[np.argmax(used.per_image)])
    low = endurance.cycles_at_hazard(wanted / used.devices) / used.most
    high = endurance.cycles_at_hazard(wanted / own) / used.most
    return _root(lambda images: hazard(used, endurance, images) - wanted, low, high)


def failed_share(rates: Rates, endurance: Endurance, images: float) -> float:
    """Share of the devices that is expected to have failed after so many images."""
    if not rates.devices:
        return 0.0
    return float(rates.counts @ endurance.failed(rates.per_image * images)) / rates.devices


def images_to_share(rates: Rates, endurance: Endurance, share: float) -> float:
    """Images after which this share of the devices is expected to have failed.

    Infinite where no more than that are used at all.
    """
    used = _used(rates)
    of_used = share * rates.devices / used.devices if used.devices else math.inf
    if of_used >= 1:
        return math.inf
    cycles = endurance.cycles_at_share(of_used)
    low, high = cycles / used.most, cycles / float(used.per_image.min())
    return _root(
        lambda images: math.log(failed_share(used, endurance, images) / of_used), low, high
    )


def _used(rates: Rates) -> Rates:
    inside = (rates.counts > 0) & (rates.per_image > 0)
    return Rates(rates.counts[inside], rates.per_image[inside])


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function of images is 0, by Brent's method on ln(images) within known ends."""
    if high <= low * (1 + _CLOSE):
        return low

    ends = math.log(low) - 1e-9, math.log(high) + 1e-9
    place = brentq(lambda at: function(math.exp(at)), *ends, xtol=1e-12, rtol=1e-14)
    return math.exp(float(place))
