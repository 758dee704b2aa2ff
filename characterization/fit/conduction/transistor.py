"""The select transistor of a 1T1R cell: alpha-power parameters, or a measured I-V table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.table.base import Table
from characterization.fit.table.validation import numbers
from formats.errors import InputError

_OPTION = "--transistor"
_KEYS = ("kp", "vth", "lambda", "w", "l", "alpha", "kv", "gamma", "phi")


@dataclass(frozen=True)
class AlphaPowerTransistor:
    """n-channel current by the alpha-power law; with alpha = 2 and kv = 1 it is SPICE level 1.

    With V_ov = V_gs - V_th(V_sb): I_sat = gain/2 V_ov^alpha, V_dsat = kv V_ov^(alpha/2), and
    I = I_sat (2 - x) x (1 + lambda V_ds) with x = min(V_ds/V_dsat, 1)
    (Sakurai, Newton, IEEE JSSC 25, 584 (1990); Shichman, Hodges, IEEE JSSC 3, 285 (1968); both
    recalled). ``gain`` (A/V^alpha) is kp W/L. V_th(V_sb) = vth + gamma (sqrt(phi + V_sb) -
    sqrt(phi)). No subthreshold current.
    """

    gain: float
    vth: float
    channel_modulation: float = 0.0
    alpha: float = 2.0
    kv: float = 1.0
    gamma: float = 0.0
    phi: float = 0.7

    def current(self, gate: np.ndarray, drain: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Drain current (A) at gate, drain and source voltages (V to the body); drain >= source."""
        vth = self.vth + self.gamma * (
            np.sqrt(self.phi + np.maximum(source, 0.0)) - np.sqrt(self.phi)
        )
        overdrive = np.maximum(gate - source - vth, 0.0)
        across = np.maximum(drain - source, 0.0)
        saturation = self.kv * overdrive ** (self.alpha / 2)
        x = np.minimum(across / np.where(saturation > 0, saturation, np.inf), 1.0)
        x = np.where(saturation > 0, x, 0.0)
        full = self.gain / 2 * overdrive**self.alpha
        return np.asarray(full * (2 - x) * x * (1 + self.channel_modulation * across))


@dataclass(frozen=True)
class TabulatedTransistor:
    """Current (A) against drain-source voltage (V), measured at one gate-source voltage (V).

    Straight lines between the points, through the origin. It serves where the source is grounded
    and the word line at ``gate``: the SET of a cell at the drain.
    """

    gate: float
    voltage: np.ndarray
    drain_current: np.ndarray

    def current(self, gate: np.ndarray, drain: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Drain current (A); raises :class:`InputError` at another gate-source voltage."""
        if np.any(np.abs(gate - source - self.gate) > 1e-6):
            raise InputError(
                _OPTION,
                f"the table was measured at V_gs = {self.gate:g} V; rows with another word-line "
                "voltage, or a cell at the source (RESET), need parameters (kp=..,vth=..)",
            )
        across = drain - source
        if np.any(across > self.voltage[-1] * (1 + 1e-9)):
            raise InputError(
                _OPTION,
                f"the table ends at {self.voltage[-1]:g} V; the transistor sees up to "
                f"{float(np.max(across)):g} V",
            )
        return np.asarray(np.interp(across, self.voltage, self.drain_current))


Transistor = AlphaPowerTransistor | TabulatedTransistor


def parse_transistor(text: str) -> AlphaPowerTransistor:
    """``kp=300e-6,vth=0.45[,lambda=,w=,l=,alpha=,kv=,gamma=,phi=]`` in SI units.

    ``w`` and ``l`` (m) multiply ``kp`` (A/V^alpha) by w/l; without both, kp is that of the whole
    transistor. Raises :class:`InputError` naming the part that is wrong.
    """
    values: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.partition("=")
        name = name.strip().lower()
        if not equals or name not in _KEYS or name in values:
            raise InputError(
                _OPTION, f"found {part.strip()!r}, expected one each of {', '.join(_KEYS)}=NUMBER"
            )
        try:
            values[name] = float(number)
        except ValueError:
            values[name] = float("nan")
        if not np.isfinite(values[name]):
            raise InputError(_OPTION, f"found {part.strip()!r}, expected a number after '='")
    for name in ("kp", "vth"):
        if name not in values:
            raise InputError(_OPTION, f"lacks {name}; expected at least kp=..,vth=..")
    if ("w" in values) != ("l" in values):
        raise InputError(_OPTION, "found one of w and l; give both or neither")
    for name in ("kp", "w", "l", "alpha", "kv", "phi"):
        if values.get(name, 1.0) <= 0:
            raise InputError(_OPTION, f"found {name}={values[name]:g}, expected above 0")
    for name in ("lambda", "gamma"):
        if values.get(name, 0.0) < 0:
            raise InputError(_OPTION, f"found {name}={values[name]:g}, expected 0 or above")
    return AlphaPowerTransistor(
        gain=values["kp"] * values.get("w", 1.0) / values.get("l", 1.0),
        vth=values["vth"],
        channel_modulation=values.get("lambda", 0.0),
        alpha=values.get("alpha", 2.0),
        kv=values.get("kv", 1.0),
        gamma=values.get("gamma", 0.0),
        phi=values.get("phi", 0.7),
    )


def transistor_of_table(table: Table, gate: float) -> TabulatedTransistor:
    """A transistor from the columns ``voltage_V`` (drain-source) and ``current_A``.

    ``gate`` (V) is the gate-source voltage of the measurement. Raises :class:`InputError` where
    the voltages are negative or repeated, or the current falls.
    """
    for column in ("voltage_V", "current_A"):
        if column not in table.frame:
            raise InputError(
                table.where, f"lacks the column {column}; expected voltage_V,current_A"
            )
    voltage, current = numbers(table, "voltage_V"), numbers(table, "current_A")
    order = np.argsort(voltage, kind="stable")
    voltage, current = voltage[order], current[order]
    if voltage[0] < 0 or np.any(np.diff(voltage) <= 0):
        raise InputError(table.where, "voltage_V must be 0 or above, each value once")
    if voltage[0] > 0:
        voltage, current = np.r_[0.0, voltage], np.r_[0.0, current]
    if abs(current[0]) > 1e-3 * abs(current[-1]) or np.any(np.diff(current) < 0):
        raise InputError(table.where, "current_A must start at 0 A and not fall with the voltage")
    return TabulatedTransistor(gate, voltage, current)
