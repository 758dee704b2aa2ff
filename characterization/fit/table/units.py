"""Units as people write them in headers, and the SI units they stand for, by physical quantity.

Case is forgiven where no confusion can arise (``MS`` and ``ms`` are milliseconds: nobody's probe
station waits megaseconds), but not between milliohm and megohm.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np

from formats.errors import InputError

VOLTAGE, TIME, RESISTANCE = "voltage", "time", "resistance"
TEMPERATURE, RAMP_RATE = "temperature", "ramp rate"
COUNT, LABEL, OUTCOME = "count", "label", "outcome"
DIMENSIONLESS = (COUNT, LABEL, OUTCOME)
SI = {VOLTAGE: "V", TIME: "s", RESISTANCE: "ohm", TEMPERATURE: "K", RAMP_RATE: "V_per_s"}
EXAMPLES = {
    VOLTAGE: "V, mV, uV, kV",
    TIME: "s, ms, us, ns, ps, fs, min, h",
    RESISTANCE: "ohm, kohm, MOhm, GOhm",
    TEMPERATURE: "K, C, F",
    RAMP_RATE: "V/s, mV/s, V/ms, V/us",
}


@dataclass(frozen=True)
class Unit:
    """``SI value = value * numerator / denominator + offset``.

    Powers of ten below 1 are denominators, so that 1400 mV becomes exactly the 1.4 of the file
    that says 1.4 V.
    """

    text: str
    quantity: str
    numerator: float = 1.0
    denominator: float = 1.0
    offset: float = 0.0

    def to_si(self, values: np.ndarray) -> np.ndarray:
        """Values of this unit in the SI unit."""
        return np.asarray(values, float) * self.numerator / self.denominator + self.offset

    @property
    def is_si(self) -> bool:
        """Whether nothing has to be converted."""
        return self.numerator == self.denominator and self.offset == 0.0

    def conversion(self) -> str:
        """``times 1e-06``, ``plus 273.15``, or nothing for the SI unit itself."""
        parts = []
        if self.numerator != self.denominator:
            parts.append(f"times {self.numerator / self.denominator:g}")
        if self.offset:
            parts.append(f"plus {self.offset:g}")
        return " ".join(parts)


_PREFIXES = {
    "": (1.0, 1.0),
    "f": (1.0, 1e15),
    "p": (1.0, 1e12),
    "n": (1.0, 1e9),
    "u": (1.0, 1e6),
    "m": (1.0, 1e3),
    "k": (1e3, 1.0),
    "M": (1e6, 1.0),
    "G": (1e9, 1.0),
    "T": (1e12, 1.0),
}
_WORDS = {"milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f", "kilo": "k"}
_BIG_WORDS = {"mega": "M", "meg": "M", "giga": "G"}


def _family(prefixes: str, symbol: str, *words: str) -> dict[str, tuple[float, float]]:
    """Lower-case spellings of a symbol with each prefix that makes sense, and of its words."""
    found = {(p + symbol).lower(): _PREFIXES[p] for p in ("", *prefixes)}
    for word in words:
        found[word] = _PREFIXES[""]
        found |= {name + word: _PREFIXES[p] for name, p in _WORDS.items() if p in prefixes}
    return found


_VOLTS = _family("num" + "k", "V", "volt", "volts")
_SECONDS = (
    _family("fpnum", "s", "second", "seconds")
    | _family("fpnum", "sec", "secs")
    | {
        "min": (60.0, 1.0),
        "minute": (60.0, 1.0),
        "minutes": (60.0, 1.0),
        "h": (3600.0, 1.0),
        "hr": (3600.0, 1.0),
        "hour": (3600.0, 1.0),
        "hours": (3600.0, 1.0),
    }
)
_DEGREES = {
    **dict.fromkeys(("k", "kelvin", "degk", "°k"), (1.0, 1.0, 0.0)),
    **dict.fromkeys(
        ("c", "degc", "°c", "celsius", "degreesc", "degcelsius", "centigrade"), (1.0, 1.0, 273.15)
    ),
    **dict.fromkeys(("f", "degf", "°f", "fahrenheit"), (5.0, 9.0, 459.67 * 5 / 9)),
}
_OTHERS = {
    "current": (r"[fpnumk]?A|(milli|micro|nano)?amp(ere)?s?", 0),
    "conductance": (r"[pnumk]?S|(milli|micro|nano)?siemens|mhos?", 0),
    "frequency": (r"[kmg]?hz", re.IGNORECASE),
    "energy": (r"[fpnumk]?J|eV", 0),
    "power": (r"[fpnum]?W", 0),
    "electric field": (r"[kM]?V/(c|n|u)?m", 0),
    "share": (r"%|percent", re.IGNORECASE),
}
_OHMS = re.compile(r"(|k|m|g|t|kilo|mega|meg|giga)ohms?", re.IGNORECASE)
_RATE = re.compile(r"(?P<volt>[a-z]+?)(?:/|per)(?P<time>[a-z]+)|(?P<v>[a-z]*?v)(?P<t>[a-z]*s)\^?-1")


def clean(text: str) -> str:
    """One spelling for micro, ohm, minus and degree signs, without blanks and underscores."""
    plain = unicodedata.normalize("NFKC", text)
    for sign, word in (("μ", "u"), ("µ", "u"), ("Ω", "ohm"), ("−", "-"), ("º", "°"), ("˚", "°")):
        plain = plain.replace(sign, word)
    return re.sub(r"[\s_·*.{}]", "", plain)


def meanings(text: str) -> dict[str, Unit]:
    """Every quantity of ours that ``text`` is a unit of; empty where it is none."""
    plain = clean(text)
    lower = plain.lower()
    found: dict[str, Unit] = {}
    if lower in _VOLTS:
        found[VOLTAGE] = Unit(text, VOLTAGE, *_VOLTS[lower])
    if lower in _SECONDS:
        found[TIME] = Unit(text, TIME, *_SECONDS[lower])
    if match := _OHMS.fullmatch(plain):
        prefix = match[1]
        words = _WORDS | _BIG_WORDS
        letter = words.get(prefix.lower(), prefix if prefix in ("m", "M") else prefix.lower())
        letter = {"g": "G", "t": "T"}.get(letter, letter)
        found[RESISTANCE] = Unit(text, RESISTANCE, *_PREFIXES[letter])
    if lower in _DEGREES:
        found[TEMPERATURE] = Unit(text, TEMPERATURE, *_DEGREES[lower])
    if match := _RATE.fullmatch(lower):
        volt, time = match["volt"] or match["v"], match["time"] or match["t"]
        if volt in _VOLTS and time in _SECONDS:
            (a, b), (c, d) = _VOLTS[volt], _SECONDS[time]
            # One exact power of ten at each end: 1 V/us is 1e6 V/s, not 1e6 (1 + 1e-16).
            top, bottom = a * d, b * c
            shared = min(top, bottom)
            found[RAMP_RATE] = Unit(text, RAMP_RATE, top / shared, bottom / shared)
    return found


def is_unit(text: str) -> bool:
    """Whether ``text`` is a unit of anything known here."""
    return bool(meanings(text)) or _other(text) is not None


def milliohm(text: str) -> bool:
    """Whether a header's unit may be meant as megohm although it reads milliohm."""
    unit = meanings(text).get(RESISTANCE)
    return unit is not None and unit.denominator > 1


def unit_for(text: str, quantity: str, where: str, column: str) -> Unit:
    """The unit ``text`` of ``quantity``; ``where`` and ``column`` name the place in a message.

    Raises :class:`InputError` for a unit of another quantity, by its name, or of none.
    """
    if quantity in DIMENSIONLESS:
        raise InputError(where, f"{column} is a {quantity}, which has no unit; found {text!r}")
    found = meanings(text)
    if quantity in found:
        return found[quantity]
    wanted = f"{column} needs a {quantity} ({EXAMPLES[quantity]})"
    other = _other(text) or next(iter(found), None)
    if other is not None:
        raise InputError(where, f"{text!r} is a unit of {other}; {wanted}")
    raise InputError(where, f"{text!r} is not a unit known here; {wanted}")


def _other(text: str) -> str | None:
    plain = clean(text)
    for name, (pattern, flags) in _OTHERS.items():
        if re.fullmatch(pattern, plain, flags):
            return name
    return None
