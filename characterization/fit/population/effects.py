"""Which of (ln tau_ref, ln V0) differ from device to device, and how: b = B(psi) z, z ~ N(0, 1).

The spreads are psi = (sigma_ln_tau, sigma_ln_V0, artanh correlation), or those of them that are in
play; B is their Cholesky factor, so that z stays standard normal whatever psi, also at sigma = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIGMA_TAU, SIGMA_V0, CORRELATION = "sigma_ln_tau", "sigma_ln_V0", "correlation"
SPREADS = (SIGMA_TAU, SIGMA_V0, CORRELATION)
SMALLEST_SIGMA = 1e-4
"""Stands for sigma = 0, where the likelihood is flat to rounding and its slope has no sign."""
LARGEST_SIGMA = {SIGMA_TAU: 10.0, SIGMA_V0: 1.5}
"""Devices that differ by factors of e^10 in tau, or by 4 in V0, follow no common law."""
LARGEST_ARTANH = 4.0
"""|correlation| < 0.9993; beyond it two effects are one."""


@dataclass(frozen=True)
class Effects:
    """Which spreads are in play; ``correlated`` needs both."""

    tau: bool
    v0: bool
    correlated: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The spreads in the order of psi."""
        wanted = ((self.tau, SIGMA_TAU), (self.v0, SIGMA_V0), (self.correlated, CORRELATION))
        return tuple(name for present, name in wanted if present)

    @property
    def dimension(self) -> int:
        """Random effects per device: 0, 1 or 2."""
        return int(self.tau) + int(self.v0)

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limits of psi."""
        lower = [-LARGEST_ARTANH if n == CORRELATION else SMALLEST_SIGMA for n in self.names]
        upper = [LARGEST_SIGMA.get(n, LARGEST_ARTANH) for n in self.names]
        return np.array(lower), np.array(upper)

    def loading(self, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B (2, d) of psi, its gradient (q, 2, d) and Hessian (q, q, 2, d)."""
        q, d = len(self.names), self.dimension
        value, first, second = np.zeros((2, d)), np.zeros((q, 2, d)), np.zeros((q, q, 2, d))
        if self.tau:
            value[0, 0], first[0, 0, 0] = psi[0], 1.0
        if not self.v0:
            return value, first, second
        i = q - 2 if self.correlated else q - 1
        sigma = psi[i]
        if not self.correlated:
            value[1, d - 1], first[i, 1, d - 1] = sigma, 1.0
            return value, first, second
        t, s = np.tanh(psi[i + 1]), 1 / np.cosh(psi[i + 1])
        direction = np.array([t, s])
        turn = np.array([s * s, -s * t])
        bend = np.array([-2 * t * s * s, s * (t * t - s * s)])
        value[1] = sigma * direction
        first[i, 1], first[i + 1, 1] = direction, sigma * turn
        second[i, i + 1, 1] = second[i + 1, i, 1] = turn
        second[i + 1, i + 1, 1] = sigma * bend
        return value, first, second

    def covariance(self, psi: np.ndarray) -> np.ndarray:
        """Covariance (2, 2) of (ln tau_ref, ln V0) over devices."""
        factor = self.loading(psi)[0]
        return np.asarray(factor @ factor.T)


NONE = Effects(False, False)
TAU = Effects(True, False)
V0 = Effects(False, True)
BOTH = Effects(True, True)
CORRELATED = Effects(True, True, True)
