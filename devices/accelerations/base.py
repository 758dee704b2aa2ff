"""What a voltage acceleration is: ln tau as a function of voltage and temperature.

Written once in sympy, in the magnitude v = |V_cell| of the law's own polarity and in logarithms
of its parameters: tau_ref is tau at the reference voltage and temperature, V0 (V) the voltage
for a factor e in tau there, so that the two are nearly uncorrelated in a fit. Each file gives the
voltage's part phi(v; V0); here

    ln tau = ln tau_ref + phi(v; V0 theta) - phi(v_ref; V0) + (Ea/kT_ref) (1/theta - 1),

theta = T/T_ref: tau0 is Arrhenius, and V0 grows with T where the field lowers a barrier
(``field_assisted``), unless the law fixes it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sympy

from devices.expressions import compiled, derivative, filled

VOLTAGE = sympy.Symbol("v", positive=True)
REFERENCE = sympy.Symbol("vref", positive=True)
LN_TAU_REF = sympy.Symbol("ln_tau_ref", real=True)
LN_V0 = sympy.Symbol("ln_V0", real=True)
WARMTH = sympy.Symbol("theta", positive=True)
ACTIVATION = sympy.Symbol("ea", real=True)
_COLD = (VOLTAGE, REFERENCE, LN_TAU_REF, LN_V0)
_WARM = (*_COLD, WARMTH, ACTIVATION)
BOLTZMANN_EV = 8.617333262e-5
"""eV/K; CODATA 2018, exact."""


@dataclass(frozen=True)
class Temperature:
    """theta = T/T_ref of each place, Ea/(k T_ref), and whether V0 grows with T."""

    warmth: Any
    activation: Any
    proportional: bool = True


@dataclass(frozen=True)
class Acceleration:
    """How the voltage shortens the characteristic time tau.

    Subclasses set ``name``, ``option`` (its name on the command line), ``source``,
    ``field_assisted`` and the sympy expression ``voltage_term`` phi of ``VOLTAGE``, ``REFERENCE``
    and ``LN_V0``.
    """

    name: ClassVar[str]
    option: ClassVar[str]
    source: ClassVar[str]
    field_assisted: ClassVar[bool]
    voltage_term: ClassVar[sympy.Expr]

    @property
    def ln_tau(self) -> sympy.Expr:
        """ln tau at the reference temperature."""
        return _ln_tau(self.voltage_term, None)

    def ln_tau_warm(self, proportional: bool) -> sympy.Expr:
        """ln tau with ``WARMTH`` and ``ACTIVATION``; V0 proportional to T, or fixed."""
        return _ln_tau(self.voltage_term, proportional and self.field_assisted)

    def evaluate(
        self,
        voltage: Any,
        reference: float,
        ln_tau_ref: Any,
        ln_v0: Any,
        temperature: Temperature | None = None,
    ) -> np.ndarray:
        """ln(tau/s) at each voltage magnitude (V); the arguments broadcast."""
        return self.terms(voltage, reference, ln_tau_ref, ln_v0, temperature, order=0)[0]

    def gradient(
        self,
        voltage: Any,
        reference: float,
        ln_tau_ref: Any,
        ln_v0: Any,
        temperature: Temperature | None = None,
    ) -> np.ndarray:
        """Derivatives of ln tau by ln tau_ref, ln V0 (and ea, where there is a temperature)."""
        return self.terms(voltage, reference, ln_tau_ref, ln_v0, temperature, order=1)[1]

    def terms(
        self,
        voltage: Any,
        reference: float,
        ln_tau_ref: Any,
        ln_v0: Any,
        temperature: Temperature | None = None,
        order: int = 2,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ln tau, its gradient (q, ...) and Hessian (q, q, ...); empty beyond ``order``.

        q = 2: ln tau_ref, ln V0; 3 with a temperature: and ea = Ea/(k T_ref).
        """
        arguments: tuple[Any, ...] = (voltage, reference, ln_tau_ref, ln_v0)
        symbols: tuple[sympy.Symbol, ...] = _COLD
        parameters: tuple[sympy.Symbol, ...] = (LN_TAU_REF, LN_V0)
        expression = self.ln_tau
        if temperature is not None:
            expression = self.ln_tau_warm(temperature.proportional)
            symbols, parameters = _WARM, (LN_TAU_REF, LN_V0, ACTIVATION)
            arguments = (*arguments, temperature.warmth, temperature.activation)
        shape = np.broadcast_shapes(*(np.shape(a) for a in arguments))
        function = _compiled_terms(expression, symbols, parameters, order)
        rows = [filled(row, shape) for row in function(*arguments)]
        q = len(parameters)
        empty = np.empty((0, *shape))
        first = np.array(rows[1 : 1 + q]) if order >= 1 else empty
        second = empty
        if order == 2:
            second = np.empty((q, q, *shape))
            rest = iter(rows[1 + q :])
            for i in range(q):
                for j in range(i, q):
                    second[i, j] = second[j, i] = next(rest)
        return rows[0], first, second

    def own_parameter(self, v0: float, reference: float) -> tuple[str, float, str] | None:
        """Name, value and unit of what this form is known by, where that is not V0."""
        return None

    def moved(self, ln_v0: float, reference: float, new: float) -> float:
        """ln V0 at another reference voltage of the same law."""
        return ln_v0


@functools.cache
def _ln_tau(voltage_term: sympy.Expr, proportional: bool | None) -> sympy.Expr:
    at_reference = voltage_term.subs(VOLTAGE, REFERENCE)
    if proportional is None:
        return LN_TAU_REF + voltage_term - at_reference
    here = voltage_term.subs(LN_V0, LN_V0 + sympy.log(WARMTH)) if proportional else voltage_term
    return LN_TAU_REF + here - at_reference + ACTIVATION * (1 / WARMTH - 1)


@functools.cache
def _compiled_terms(
    expression: sympy.Expr,
    symbols: tuple[sympy.Symbol, ...],
    parameters: tuple[sympy.Symbol, ...],
    order: int,
) -> Any:
    rows = [expression]
    if order >= 1:
        rows += [derivative(expression, p) for p in parameters]
    if order == 2:
        pairs = [(p, q) for i, p in enumerate(parameters) for q in parameters[i:]]
        rows += [derivative(expression, p, q) for p, q in pairs]
    return compiled(sympy.Tuple(*rows), symbols)
