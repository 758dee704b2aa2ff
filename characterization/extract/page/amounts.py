"""Numbers with their units as a reader of the page wants them."""

from __future__ import annotations

import math

_PREFIXES = (
    (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
    (1e-12, "p"), (1e-15, "f"), (1e-18, "a"),
)  # fmt: skip
_NAMES = {"ohm": "Ω", "1": ""}
_MINUS = "\u2212"
UNKNOWN = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def amount(value: float, unit: str, digits: int = 3) -> str:
    """A value in SI units with a metric prefix, for example ``14.7 fJ``; m2 as µm²."""
    if not math.isfinite(value):
        return UNKNOWN
    if unit == "m2":
        return f"{number(value * 1e12, digits)} µm²"
    shown = _NAMES.get(unit, unit)
    if value == 0 or unit in ("1", "K", "cycles"):
        return f"{number(value, digits)} {shown}".strip()
    scale, prefix = next((p for p in _PREFIXES if abs(value) >= 0.9995 * p[0]), _PREFIXES[-1])
    return f"{number(value / scale, digits)} {prefix}{shown}"


def number(value: float, digits: int = 3) -> str:
    """``digits`` significant digits, small and large values with an exponent."""
    if not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    text = f"{value:#.{digits}g}".rstrip(".")
    if "e" in text:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}·10{str(int(power)).translate(_SUPERSCRIPT)}".replace("-", _MINUS)
    return text.replace("-", _MINUS)


def signed_percent(share: float) -> str:
    """A relative difference, for example ``+1.2 %``."""
    return f"{100 * share:+.2g} %".replace("-", _MINUS)
