"""I/O transistors of the built-in technology: 2.5, 3.3 and 5 V, thick oxide, assumed throughout.

One consistent family: oxide, length and threshold grow with the supply, the channel doping falls.
Parameters not given are BSIM4's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.technology.base import IoClass
from devices.technology.transistor import Mismatch, Ratings, Transistor

ASSUMED_IO = "assumed: a generic thick-oxide {}-V device, not any foundry's"
RULE_SOURCE = "assumed rule"
MISMATCH = (
    "assumed: A_VT = 1 mV um per nm of oxide (rule of thumb of Pelgrom, Tuinhout and Vertregt, "
    "IEDM 1998, recalled); A_beta = 1 % um (recalled)"
)
RATING = "assumed: {} V + 10 % for each of |Vgs|, |Vgd|, |Vds|, for write pulses last"

TEMPERATURE = {
    # BSIM4's defaults but kt1: -0.2 V moves the threshold by -0.65 mV/K, within the -0.5 to
    # -1 mV/K of bulk CMOS (recalled; kt1 assumed). The predictive cards' own ua1 = 4.31e-9 and
    # ub1 = 7.61e-18 would take a third of Ion by 358 K, more than products show.
    "tnom": 27.0,
    "ute": -1.5,
    "kt1": -0.2,
    "kt1l": 0.0,
    "kt2": 0.022,
    "ua1": 1e-9,
    "ub1": -1e-18,
    "uc1": -5.6e-11,
    "prt": 0.0,
    "at": 3.3e4,
    "xtis": 3.0,
    "xtid": 3.0,
    "njs": 1.0,
    "njd": 1.0,
}
"""Temperature parameters of core and I/O cards."""

COMMON = {
    "binunit": 1,
    "mobmod": 0,
    "capmod": 2,
    "igcmod": 0,  # gate leakage of the low-power oxide is not modelled
    "igbmod": 0,
    "rdsmod": 0,
    "geomod": 0,
    "diomod": 1,
    # Overlap and junction capacitances: typical of the predictive cards (recalled).
    "cgso": 1.1e-10,
    "cgdo": 1.1e-10,
    "cjs": 5e-4,
    "cjd": 5e-4,
    "cjsws": 5e-10,
    "cjswd": 5e-10,
    **TEMPERATURE,
}
"""Shared by core and I/O cards."""

_IO = {
    **COMMON,
    "lpe0": 0.0,
    "lpeb": 0.0,
    "k1": 0.6,
    "xj": 1e-7,
    "vsat": 9e4,
    "nfactor": 1.2,
    "eta0": 0.01,
    "rdsw": 300.0,
    "cgso": 2.5e-10,
    "cgdo": 2.5e-10,
}


@dataclass(frozen=True)
class _Class:
    supply: float
    length: float
    oxide: float
    doping: float
    vth_n: float
    vth_p: float
    contact_to_gate: float
    spacing: float


_CLASSES = {
    "2.5": _Class(2.5, 0.27e-6, 5.2e-9, 3.0e17, 0.55, -0.60, 0.075e-6, 0.26e-6),
    "3.3": _Class(3.3, 0.35e-6, 7.0e-9, 2.0e17, 0.60, -0.65, 0.090e-6, 0.30e-6),
    "5": _Class(5.0, 0.60e-6, 12.5e-9, 1.2e17, 0.70, -0.75, 0.130e-6, 0.42e-6),
}
_CONTACT = 0.06e-6

IO_CLASSES = {
    name: IoClass(name, c.supply, _CONTACT, c.contact_to_gate, c.spacing, RULE_SOURCE)
    for name, c in _CLASSES.items()
}
"""Layout rules by class."""


def _transistor(name: str, c: _Class, polarity: str) -> Transistor:
    limit = round(1.1 * c.supply, 3)
    own = {"vth0": c.vth_n, "u0": 0.040} if polarity == "nmos" else {"vth0": c.vth_p, "u0": 0.011}
    return Transistor(
        model=f"{polarity[0]}{name.replace('.', '')}",
        polarity=polarity,
        length=c.length,
        oxide=c.oxide,
        ratings=Ratings(limit, limit, limit, RATING.format(name)),
        mismatch=Mismatch(c.oxide, 1e-8, MISMATCH),
        source=ASSUMED_IO.format(name),
        card={**_IO, "toxe": c.oxide, "ndep": c.doping, **own},
    )


IO_TRANSISTORS = {
    f"{polarity}_{name}": _transistor(name, c, polarity)
    for name, c in _CLASSES.items()
    for polarity in ("nmos", "pmos")
}
"""Typical transistors by flavour: "nmos_2.5", "pmos_2.5", ..."""
