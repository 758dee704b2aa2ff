"""What a voltage acceleration is: ln tau as a function of the voltage across the device.

The expression is written once in sympy, in the magnitude v = |V_cell| of the law's own polarity
and in logarithms of its parameters, with tau_ref = tau(reference voltage) so that tau_ref and the
slope are nearly uncorrelated in a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import sympy

from devices.expressions import compiled, derivative, spice

VOLTAGE = sympy.Symbol("v", positive=True)
REFERENCE = sympy.Symbol("vref", positive=True)
LN_TAU_REF = sympy.Symbol("ln_tau_ref", real=True)
LN_V0 = sympy.Symbol("ln_V0", real=True)
PARAMETERS = (LN_TAU_REF, LN_V0)
_ARGUMENTS = (VOLTAGE, REFERENCE, LN_TAU_REF, LN_V0)


@dataclass(frozen=True)
class Acceleration:
    """How the voltage shortens the characteristic time tau.

    Subclasses set ``name``, ``source`` and the sympy expression ``ln_tau`` (tau in seconds) of
    ``VOLTAGE``, ``REFERENCE``, ``LN_TAU_REF`` and ``LN_V0`` (volts).
    """

    name: ClassVar[str]
    source: ClassVar[str]
    ln_tau: ClassVar[sympy.Expr]

    def evaluate(
        self, voltage: np.ndarray, reference: float, ln_tau_ref: float, ln_v0: float
    ) -> np.ndarray:
        """ln(tau/s) at each voltage magnitude (V)."""
        value = compiled(self.ln_tau, _ARGUMENTS)(voltage, reference, ln_tau_ref, ln_v0)
        return np.broadcast_to(np.asarray(value, dtype=float), np.shape(voltage))

    def gradient(
        self, voltage: np.ndarray, reference: float, ln_tau_ref: float, ln_v0: float
    ) -> np.ndarray:
        """First derivatives of ln tau with respect to ``PARAMETERS``, shape (2, voltages)."""
        return self._stack([(a,) for a in PARAMETERS], voltage, reference, ln_tau_ref, ln_v0)

    def curvature(
        self, voltage: np.ndarray, reference: float, ln_tau_ref: float, ln_v0: float
    ) -> np.ndarray:
        """Second derivatives, shape (2, 2, voltages)."""
        pairs = [(a, b) for a in PARAMETERS for b in PARAMETERS]
        flat = self._stack(pairs, voltage, reference, ln_tau_ref, ln_v0)
        return flat.reshape(2, 2, *np.shape(voltage))

    def rate_spice(self, voltage: str, reference: str, tau_ref: str, v0: str) -> str:
        """1/tau (1/s) in ngspice syntax, of the texts given; the exponent is held below e^80."""
        names = {
            VOLTAGE: voltage,
            REFERENCE: reference,
            LN_TAU_REF: f"ln({tau_ref})",
            LN_V0: f"ln({v0})",
        }
        return f"exp(min(80,-({spice(self.ln_tau, names)})))"

    def _stack(
        self,
        orders: list[tuple[sympy.Symbol, ...]],
        voltage: np.ndarray,
        reference: float,
        ln_tau_ref: float,
        ln_v0: float,
    ) -> np.ndarray:
        rows = []
        for symbols in orders:
            function = compiled(derivative(self.ln_tau, *symbols), _ARGUMENTS)
            value = np.asarray(function(voltage, reference, ln_tau_ref, ln_v0), dtype=float)
            rows.append(np.broadcast_to(value, np.shape(voltage)))
        return np.array(rows)
