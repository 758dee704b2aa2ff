"""Numbers with their units as a reader of the page wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence

_SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps")),
    "ohm": ((1e9, "GΩ"), (1e6, "MΩ"), (1e3, "kΩ"), (1.0, "Ω")),
    "1": ((1.0, ""),),
}
_LONGEST, _GROUPED = 7, 4
"""Powers of ten from which a number takes an exponent, and from which thousands are grouped."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 4, *, pad: bool = False) -> str:
    """``digits`` significant digits; thousands are grouped, extreme sizes take an exponent.

    ``pad`` keeps zeros at the end, as the ends of an interval want them.
    """
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    exponent = int(power)
    if value != 0 and not -4 <= exponent < _LONGEST:
        text = f"{mantissa if pad else _short(mantissa)}×10{str(exponent).translate(_SUPERSCRIPT)}"
    else:
        text = f"{float(f'{mantissa}e{power}'):,.{max(0, digits - 1 - exponent)}f}"
        text = text if pad else _short(text)
        if exponent < _GROUPED:
            text = text.replace(",", "")
    return text.replace(",", "\u202f").replace("-", "−")


def scale(value: float, unit: str) -> tuple[float, str]:
    """The factor and the unit in which a value is read best."""
    choices = _SCALES.get(unit, ((1.0, unit),))
    if value == 0 or not math.isfinite(value):
        return 1.0, {"ohm": "Ω", "1": ""}.get(unit, unit)
    return next((c for c in choices if abs(value) >= 0.99995 * c[0]), choices[-1])


def amount(value: float, unit: str, digits: int = 4) -> str:
    """A value in SI units as text, for example ``2.471 ms``."""
    factor, shown = scale(value, unit)
    return f"{number(value / factor, digits)} {shown}".strip()


def interval(ends: Sequence[float | None] | None, value: float, unit: str, digits: int = 4) -> str:
    """The ends in the unit of ``value``, for example ``2.4 to 2.5 ms``; "" without an interval."""
    if ends is None:
        return ""
    factor, shown = scale(value, unit)
    low, high = ("open" if e is None else number(e / factor, digits, pad=True) for e in ends)
    return f"{low} to {high} {shown}".strip()


def p_value(p: float | None) -> str:
    """A p-value as text."""
    if p is None:
        return "–"
    return f"{p:.2g}" if p >= 1e-4 else "below 10⁻⁴"


def _short(text: str) -> str:
    """Without zeros at the end of a decimal fraction."""
    return text.rstrip("0").rstrip(".") if "." in text else text
