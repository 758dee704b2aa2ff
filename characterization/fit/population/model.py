"""Each device's marginal likelihood by adaptive Gauss-Hermite quadrature.

Each device has its own b = (b_tau, b_V0) = B z, z standard normal, added to ln tau_ref and ln V0;
its share of the likelihood is the integral of exp(l(theta + b)) over z. The nodes stand around
each device's own posterior mode, scaled by the curvature there (Pinheiro and Bates, J. Comput.
Graph. Stat. 4, 12 (1995); recalled). Gradient and Hessian are exact: posterior means of the
complete-data scores (Fisher's identity) and of their curvature and spread (Louis, J. R. Stat. Soc.
B 44, 226 (1982); recalled).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np

from characterization.fit.inference.likelihood import Likelihood, Terms
from characterization.fit.population.effects import Effects

_CHUNK = 1 << 17
"""Nodes times segments worked on at once, to stay within the processor's cache."""
_MODE_STEPS = 40
_MODE_TOLERANCE = 0.02
"""Last Newton step of a mode, in posterior standard deviations; its error is the square."""
_LEAST_CURVATURE = 0.2
"""Where l is not concave in z, the normal prior (curvature 1) is not widened beyond this."""
_LONGEST_STEP = 3.0


@dataclass(frozen=True)
class Posterior:
    """What the data say of each device: mean (2, D) of (b_tau, b_V0), covariance (2, 2, D)."""

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True, eq=False)
class Marginal:
    """log L(phi) of each device in the data; phi = (theta of the law, psi of the spreads).

    ``effects`` has one spread at least; ``nodes`` counts quadrature nodes per random effect.
    ``warm`` remembers the last modes: it changes the speed, and the result by less than the
    quadrature's own error.
    """

    likelihood: Likelihood
    effects: Effects
    nodes: int = 7
    warm: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def fixed_effects(self) -> int:
        """How many of phi's first entries are theta."""
        return len(self.likelihood.names)

    @functools.cached_property
    def devices(self) -> np.ndarray:
        """The device indices that have segments, in order."""
        return np.unique(self.likelihood.data.device)

    def shares(self, phi: np.ndarray, order: int) -> Terms:
        """Each device's log L (D,), its gradient (P, D) and Hessian (P, P, D), up to ``order``."""
        with np.errstate(all="ignore"):
            return self._shares(phi, order)

    def posterior(self, phi: np.ndarray) -> Posterior:
        """Mean and covariance of each device's deviations, given its own outcomes."""
        factor = self.effects.loading(phi[self.fixed_effects :])[0]
        with np.errstate(all="ignore"):
            z, spare = self._nodes(phi)
            weight, _ = _posterior_weights(self._terms(phi, z, 0)[0], spare)
        b = np.einsum("ad,dKD->aKD", factor, z)
        mean = np.einsum("KD,aKD->aD", weight, b)
        away = b - mean[:, None]
        return Posterior(mean, np.einsum("KD,aKD,bKD->abD", weight, away, away))

    def _shares(self, phi: np.ndarray, order: int) -> Terms:
        z, spare = self._nodes(phi)
        value, slope, curve = self._terms(phi, z, order)
        weight, total = _posterior_weights(value, spare)
        empty = np.empty((0, total.size))
        if order == 0:
            return total, empty, empty
        _, by, bend = self.effects.loading(phi[self.fixed_effects :])
        # Derivatives by psi: l depends on psi through b = B(psi) z with z held.
        ways = np.einsum("qad,dKD->qaKD", by, z)
        score = np.concatenate([slope, np.einsum("aKD,qaKD->qKD", slope[:2], ways)])
        first = np.einsum("KD,PKD->PD", weight, score)
        if order == 1:
            return total, first, empty
        p, size = self.fixed_effects, score.shape[0]
        second = np.empty((size, size, total.size))
        weighed = curve * weight
        mixed = np.einsum("aiKD,qaKD->qiKD", weighed[:2], ways)
        second[:p, :p] = weighed.sum(axis=2)
        second[p:, :p] = mixed.sum(axis=2)
        second[:p, p:] = np.swapaxes(second[p:, :p], 0, 1)
        second[p:, p:] = np.einsum("qaKD,raKD->qrD", mixed[:, :2], ways)
        second[p:, p:] += np.einsum("qrad,aKD,dKD->qrD", bend, slope[:2] * weight, z)
        away = score - first[:, None]
        second += np.einsum("PKD,QKD->PQD", away * weight, away)
        return total, first, second

    def _nodes(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nodes z (d, K, D) and the logarithm of their weights over the normal density (K, D)."""
        mode, root = self._modes(phi)
        grid, ln_weight = _grid(self.nodes, self.effects.dimension)
        z = mode[:, None] + np.einsum("deD,eK->dKD", root, grid)
        scale = np.log(np.abs(_determinant(root)))
        spare = ln_weight[:, None] + scale - (z**2).sum(axis=0) / 2
        return z, spare + ((grid**2).sum(axis=0) / 2)[:, None]

    def _modes(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mode of z (d, D) and a root of its covariance (d, d, D), by Newton's method."""
        d, count = self.effects.dimension, self.devices.size
        factor = self.effects.loading(phi[self.fixed_effects :])[0]
        z = self.warm.get("mode", np.zeros((d, count)))
        best: np.ndarray | None = None
        kept, step, root = z, np.zeros_like(z), np.empty(0)
        length = np.ones(count)
        for _ in range(_MODE_STEPS):
            value, slope, curve = self._terms(phi, z[:, None], 2, squeeze=True)
            height = value - (z**2).sum(axis=0) / 2
            if best is None:
                better = np.ones(count, bool)
                best = height
            else:
                better = height >= best - 1e-9 * (1 + np.abs(best))
            if np.all(better):
                best, kept, length = height, z, np.ones(count)
                step, root = self._ascent(factor, slope, curve, z)
            else:
                # Devices that fell go back half-way; the others take their own next step.
                fresh, branch = self._ascent(factor, slope, curve, z)
                step = np.where(better, fresh, step)
                root = np.where(better, branch, root)
                best = np.where(better, height, best)
                kept = np.where(better, z, kept)
                length = np.where(better, 1.0, length / 2)
            z = kept + length * step
            moved = _solve_root(root, step * length)
            if np.all(np.abs(moved) < _MODE_TOLERANCE):
                break
        self.warm["mode"] = z
        return z, root

    def _ascent(
        self, factor: np.ndarray, slope: np.ndarray, curve: np.ndarray, z: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The Newton step (d, D) of l(theta + B z) - z^2/2; the root of its inverse curvature."""
        gradient = np.einsum("ad,aD->dD", factor, slope[:2]) - z
        hessian = np.einsum("ad,abD,be->deD", factor, curve[:2, :2], factor)
        d = z.shape[0]
        curvature = np.eye(d)[:, :, None] - hessian
        curvature = np.where(np.isfinite(curvature), curvature, np.eye(d)[:, :, None])
        if d == 1:
            root = 1 / np.sqrt(np.maximum(curvature, _LEAST_CURVATURE))
        else:
            values, vectors = np.linalg.eigh(np.moveaxis(curvature, -1, 0))
            scaled = vectors / np.sqrt(np.maximum(values, _LEAST_CURVATURE))[:, None, :]
            root = np.moveaxis(scaled, 0, -1)
        scaled_gradient = np.einsum("deD,dD->eD", root, np.nan_to_num(gradient))
        size = np.sqrt((scaled_gradient**2).sum(axis=0))
        step = np.einsum("deD,eD->dD", root, scaled_gradient)
        return step * np.minimum(1.0, _LONGEST_STEP / np.maximum(size, 1e-300)), root

    def _terms(self, phi: np.ndarray, z: np.ndarray, order: int, squeeze: bool = False) -> Terms:
        """l (K, D) at z (d, K, D) with derivatives by theta (p, K, D), (p, p, K, D)."""
        p = self.fixed_effects
        b = np.einsum("ad,dKD->aKD", self.effects.loading(phi[p:])[0], z)
        segments = self.likelihood.data.device.size
        chunk = max(1, _CHUNK // segments)
        parts = []
        for low in range(0, b.shape[1], chunk):
            own: list[np.ndarray | float] = [float(value) for value in phi[:p]]
            for a, varies in enumerate((self.effects.tau, self.effects.v0)):
                if varies:
                    own[a] = phi[a] + b[a, low : low + chunk][:, self._place]
            found = self.likelihood.contributions(own, order)
            parts.append([self._by_device(term) for term in found[: order + 1]])
        joined = [np.concatenate([part[i] for part in parts], axis=-2) for i in range(order + 1)]
        if squeeze:
            joined = [term[..., 0, :] for term in joined]
        return tuple(joined + [np.empty(0)] * (2 - order))  # type: ignore[return-value]

    @functools.cached_property
    def _place(self) -> np.ndarray:
        """Each segment's position in ``devices``."""
        return np.searchsorted(self.devices, self.likelihood.data.device)

    @functools.cached_property
    def _order(self) -> tuple[np.ndarray | None, np.ndarray]:
        """Segments sorted by device (None where they are) and where each device begins."""
        place = self._place
        order = None if np.all(np.diff(place) >= 0) else np.argsort(place, kind="stable")
        ordered = place if order is None else place[order]
        return order, np.searchsorted(ordered, np.arange(self.devices.size))

    def _by_device(self, term: np.ndarray) -> np.ndarray:
        order, starts = self._order
        term = term if order is None else term[..., order]
        return np.add.reduceat(term, starts, axis=-1)


def _posterior_weights(value: np.ndarray, spare: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each node's share of the device's integral (K, D), and the integral's logarithm (D,)."""
    level = value + spare
    level = np.where(np.isnan(level), -np.inf, level)
    top = level.max(axis=0)
    share = np.exp(level - top)
    total = share.sum(axis=0)
    return share / total, top + np.log(total)


@functools.cache
def _grid(nodes: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    """Product nodes (d, K) of the standard normal and the logarithms of their weights (K,)."""
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    ln_w = np.log(w / w.sum())
    if dimension == 1:
        return x[None], ln_w
    first, second = np.meshgrid(x, x, indexing="ij")
    return np.array([first.ravel(), second.ravel()]), np.add.outer(ln_w, ln_w).ravel()


def _determinant(root: np.ndarray) -> np.ndarray:
    if root.shape[0] == 1:
        return np.asarray(root[0, 0])
    return np.asarray(root[0, 0] * root[1, 1] - root[0, 1] * root[1, 0])


def _solve_root(root: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The step in units of the root: its size in posterior standard deviations."""
    if root.shape[0] == 1:
        return np.asarray(step / root[0])
    a, b, c, d = root[0, 0], root[0, 1], root[1, 0], root[1, 1]
    area = a * d - b * c
    return np.array([d * step[0] - b * step[1], a * step[1] - c * step[0]]) / area
