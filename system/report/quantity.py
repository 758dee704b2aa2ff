"""Numbers as a reader wants them: three significant digits, a metric prefix, a unit."""

from __future__ import annotations

import math

_PREFIXES = {
    -18: "a",
    -15: "f",
    -12: "p",
    -9: "n",
    -6: "µ",
    -3: "m",
    0: "",
    3: "k",
    6: "M",
    9: "G",
}
_PREFIXED = ("J", "W", "s", "ohm", "V", "Hz", "A", "F")
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SQUARES = {"m2": (("mm²", 1e6), ("µm²", 1e12))}


def digits(value: float) -> str:
    """Three significant digits; thousands are grouped, extreme sizes take an exponent."""
    if math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.2e}"))))
    if -4 <= exponent < 3:
        return f"{value:.{2 - exponent}f}"
    if 3 <= exponent < 9:
        return f"{float(f'{value:.2e}'):,.0f}".replace(",", "\u202f")
    mantissa, power = f"{value:.2e}".split("e")
    return f"{mantissa}×10{str(int(power)).translate(SUPERSCRIPT)}"


def quantity(value: float | None, unit: str = "1") -> str:
    """A value in SI units as text, for example ``2.47 mJ`` or ``0.412 mm²``."""
    if value is None:
        return "unknown"
    if unit in ("1", ""):
        return digits(value)
    if unit in _SQUARES:
        large, small = _SQUARES[unit]
        name, factor = large if abs(value) >= 1e-9 or value == 0 else small
        return f"{digits(value * factor)} {name}"
    shown = "Ω" if unit == "ohm" else unit
    if unit not in _PREFIXED or value == 0 or not math.isfinite(value):
        return f"{digits(value)} {shown}"
    rounded = abs(float(f"{value:.2e}"))
    power = 3 * math.floor(math.log10(rounded) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    if unit == "s":
        power = min(power, 0)
    return f"{digits(value / 10**power)} {_PREFIXES[power]}{shown}"


def prefixed(value: float) -> str:
    """A number with a metric prefix and no unit, as an axis names it: ``13.5m``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    power = 3 * math.floor(math.log10(abs(value)) / 3)
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    return f"{value / 10**power:.6g}{_PREFIXES[power]}".replace("-", "−")


def whole(value: float) -> str:
    """A count, in full."""
    return f"{value:,.0f}".replace(",", "\u202f") if abs(value) < 1e9 else digits(value)


def percent(value: float) -> str:
    """A fraction as a percentage with two decimals."""
    return f"{100 * value:.2f} %"


def source_kind(source: str) -> str:
    """The kind a source begins with ("simulated", "derived", "taken", ...)."""
    word = source.split(":", maxsplit=1)[0].split(";", maxsplit=1)[0].split()
    kinds = ("measured", "simulated", "derived", "fitted", "taken", "assumed")
    first = word[0].strip(",.").lower() if word else ""
    return first if first in kinds else "unstated"
