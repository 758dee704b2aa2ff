"""Bounds and fixed values that a user puts on parameters, in the parameters' own units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from formats.errors import InputError

Limits = Mapping[str, tuple[float, float]]
"""Lowest and highest value by name; equal ones fix the parameter."""
Box = tuple[np.ndarray, np.ndarray]
"""Lower and upper limits of theta."""
NAMES = ("V0", "shape", "Ea", "floor", "lapse")
"""What can be limited; tau_ref belongs to a voltage that the fit chooses."""
_SHARES = ("floor", "lapse")


def parse_limits(items: Iterable[str]) -> dict[str, tuple[float, float]]:
    """``NAME=VALUE`` fixes, ``NAME=LOW:HIGH`` bounds; raises :class:`InputError`."""
    found = {}
    for item in items:
        name, equals, text = item.partition("=")
        name = name.strip()
        low, colon, high = text.partition(":")
        try:
            ends = (float(low), float(high if colon else low))
        except ValueError:
            ends = (float("nan"), float("nan"))
        if not equals or not ends[0] <= ends[1]:
            raise InputError("--fix", f"found {item!r}, expected NAME=VALUE or NAME=LOW:HIGH")
        found[name] = ends
    check_limits(found)
    return found


def check_limits(limits: Limits) -> None:
    """Raise :class:`InputError` for a name that cannot be limited, or ends out of its range."""
    for name, (low, high) in limits.items():
        if name not in NAMES:
            raise InputError("--fix", f"{name!r} is not one of {', '.join(NAMES)}")
        wrong = low > high or (name != "Ea" and low < 0) or (name in _SHARES and high >= 1)
        if wrong or not np.isfinite(low) or (name != "Ea" and high <= 0):
            raise InputError("--fix", f"{name} = {low:g} to {high:g} is no range it can take")


def limited(box: Box, names: tuple[str, ...], limits: Limits) -> Box:
    """The box with the user's limits put in."""
    lower, upper = box[0].copy(), box[1].copy()
    for index, name in enumerate(names):
        if name not in limits:
            continue
        low, high = (_theta(name, value) for value in limits[name])
        if low == high:
            lower[index] = upper[index] = low
        else:
            lower[index] = max(lower[index], low)
            upper[index] = max(lower[index], min(upper[index], high))
    return lower, upper


def _theta(name: str, value: float) -> float:
    if name == "Ea":
        return value
    with np.errstate(divide="ignore"):
        return float(np.log(value) - np.log1p(-value) if name in _SHARES else np.log(value))
