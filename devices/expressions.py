"""A formula is written once, in sympy; this makes its numpy, JAX, ngspice and Verilog-A forms."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy
from sympy.printing.str import StrPrinter

from devices.special import NUMPY_FORMS, jax_forms


@functools.cache
def compiled(
    expression: sympy.Expr, arguments: tuple[sympy.Symbol, ...], backend: str = "numpy"
) -> Callable[..., Any]:
    """The expression as a function of ``arguments``; ``backend`` is "numpy" or "jax"."""
    modules: list[Any] = [NUMPY_FORMS, "numpy"] if backend == "numpy" else [jax_forms(), "jax"]
    function: Callable[..., Any] = sympy.lambdify(arguments, expression, modules=modules, cse=True)
    return function


def filled(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A value of a compiled expression, which may be a plain number, as an array of ``shape``."""
    if isinstance(value, np.ndarray) and value.shape == shape:
        return value
    return np.broadcast_to(np.asarray(value, float), shape)


@functools.cache
def derivative(expression: sympy.Expr, *symbols: sympy.Symbol) -> sympy.Expr:
    """The (mixed) derivative of the expression, simplified."""
    return sympy.simplify(sympy.diff(expression, *symbols))


class _SpicePrinter(StrPrinter):
    """Writes an expression in the syntax of ngspice's B sources."""

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        if expr.exp == -1:
            return f"(1/({self._print(expr.base)}))"
        return f"pow({self._print(expr.base)},{self._print(expr.exp)})"

    def _print_log(self, expr: sympy.Expr) -> str:
        return f"ln({self._print(expr.args[0])})"

    def _print_Float(self, expr: sympy.Float) -> str:
        return f"{float(expr):.17g}"


class _VerilogAPrinter(_SpicePrinter):
    """The same with real numbers only: 1/2 is 0 in Verilog-A."""

    def _print_Integer(self, expr: sympy.Integer) -> str:
        return f"{int(expr)}.0"

    def _print_Rational(self, expr: sympy.Rational) -> str:
        return f"{float(expr):.17g}"

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        if expr.exp == -1:
            return f"(1.0/({self._print(expr.base)}))"
        return super()._print_Pow(expr, rational)


def spice(expression: sympy.Expr, names: dict[sympy.Symbol, str]) -> str:
    """The expression in ngspice syntax, with its symbols replaced by ``names``."""
    return _printed(_SpicePrinter(), expression, names)


def veriloga(expression: sympy.Expr, names: dict[sympy.Symbol, str]) -> str:
    """The expression in Verilog-A syntax, with its symbols replaced by ``names``."""
    return _printed(_VerilogAPrinter(), expression, names)


def _printed(printer: StrPrinter, expression: sympy.Expr, names: dict[sympy.Symbol, str]) -> str:
    stand_ins = {symbol: sympy.Symbol(text) for symbol, text in names.items()}
    return str(printer.doprint(expression.xreplace(stand_ins)))
