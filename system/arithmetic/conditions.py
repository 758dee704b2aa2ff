"""The condition the generators work at, and what-ifs for tolerance studies.

Temperature and corner are read from the tables of cells.nc (simulated there). Everything else
replaces a property of the hardware by a number that is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from devices.law import Spread, SwitchingLaw
from devices.parameter import Parameter
from formats.errors import InputError

DAC_BITS = (2, 16)
"""Least and most bits of the write voltage, those of the extraction."""
LARGEST_SPREAD = 10.0
"""Largest sigma of a logarithm that is taken for one (assumed: e^10 between devices)."""
_SIMULATED = ("temperature_K", "corner")
_REPLACED = {
    "d2d_ln_tau": "sigma_ln_tau_d2d",
    "d2d_ln_v0": "sigma_ln_v0_d2d",
    "c2c_ln_tau": "sigma_ln_tau_c2c",
    "memory": "memory",
}


def option_of(name: str) -> str:
    """The command-line option of a field."""
    return "--" + name.removesuffix("_K").replace("_", "-")


@dataclass(frozen=True)
class Conditions:
    """What differs from the nominal condition of cells.nc; None: nothing.

    ``temperature_K`` and ``corner`` are met in operation: the table from operand to DAC code stays
    that of the nominal condition, so they show up as bias. The others are known when that table is
    made: ``dac_bits`` bits of the write voltage; ``d2d_ln_tau`` and ``d2d_ln_v0``, standard
    deviations over devices; ``c2c_ln_tau``, over cycles; ``memory`` rho, the lag-1 correlation
    behind the thresholds; ``sense_error``, e01 and e10 both. Raises :class:`InputError` with the
    option's name for a value out of range.
    """

    temperature_K: float | None = None
    corner: str | None = None
    dac_bits: int | None = None
    d2d_ln_tau: float | None = None
    d2d_ln_v0: float | None = None
    c2c_ln_tau: float | None = None
    memory: float | None = None
    sense_error: float | None = None

    def __post_init__(self) -> None:
        _between(self, "temperature_K", 0.0, math.inf, "a temperature above 0 K", ends=False)
        _between(self, "dac_bits", *DAC_BITS, f"{DAC_BITS[0]} to {DAC_BITS[1]} bits")
        for name in ("d2d_ln_tau", "d2d_ln_v0", "c2c_ln_tau"):
            _between(self, name, 0.0, LARGEST_SPREAD, f"a sigma of 0 to {LARGEST_SPREAD:g}")
        _between(self, "memory", -1.0, 1.0, "a correlation between -1 and 1", ends=False)
        if self.sense_error != 0:
            _between(self, "sense_error", 0.0, 0.5, "a probability of 0 to below 1/2", ends=False)
        if self.dac_bits is not None and self.dac_bits != int(self.dac_bits):
            raise InputError("--dac-bits", f"is {self.dac_bits}; expected a whole number")

    def to_dict(self) -> dict[str, Any]:
        """What was set, in plain types for JSON."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], where: str = "conditions") -> Conditions:
        """The inverse of :meth:`to_dict`; raises :class:`InputError` for an unknown key."""
        known = [field.name for field in fields(cls)]
        for name in content:
            if name not in known:
                raise InputError(where, f"has the key {name!r}; expected some of {known}")
        return cls(**content)

    @property
    def at_nominal(self) -> Conditions:
        """The same hardware at the nominal temperature and corner."""
        return replace(self, temperature_K=None, corner=None)

    def sentence(self) -> str:
        """What was set, for people, with where it comes from."""
        at = [] if self.temperature_K is None else [f"{self.temperature_K:g} K"]
        at += [] if self.corner is None else [f"corner {self.corner}"]
        texts = {
            "dac_bits": "a DAC of {} bits",
            "d2d_ln_tau": "D2D sigma of ln tau {:g}",
            "d2d_ln_v0": "D2D sigma of ln V0 {:g}",
            "c2c_ln_tau": "C2C sigma of ln tau {:g}",
            "memory": "memory rho {:g}",
            "sense_error": "sense errors e01 = e10 = {:g}",
        }
        ifs = [text.format(v) for n, text in texts.items() if (v := getattr(self, n)) is not None]
        where = f"at {' and '.join(at)} (simulated: cells.nc)" if at else ""
        what = f"with {', '.join(ifs)} (assumed)" if ifs else ""
        return " ".join(part for part in (where, what) if part) or "nominal condition of cells.nc"

    def law_with(self, law: SwitchingLaw) -> SwitchingLaw:
        """The SET law with the spreads and the memory of these what-ifs."""
        spread: Spread = law.spread
        for name, place in _REPLACED.items():
            value = getattr(self, name)
            if value is not None:
                assumed = Parameter(float(value), "1", "assumed", f"what-if {option_of(name)}")
                spread = replace(spread, **{place: assumed})
        return law if spread is law.spread else replace(law, spread=spread)


def _between(
    conditions: Conditions, name: str, low: float, high: float, wanted: str, ends: bool = True
) -> None:
    value = getattr(conditions, name)
    if value is None:
        return
    inside = low <= value <= high if ends else low < value < high
    if not inside:
        raise InputError(option_of(name), f"is {value}; expected {wanted}")


NOMINAL = Conditions()
