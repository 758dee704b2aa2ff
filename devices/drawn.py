"""One device of the population from a seed alone, the same in Python and in a netlist.

ln tau_ref and ln V0 of each direction, and ln R of the two states, are normal about the nominal
device's with the law's D2D spread and correlations. The normal variates are those of Box and
Muller (1958) from the words of :mod:`devices.generator`: a pair each for SET, RESET and the
resistances.
"""

from __future__ import annotations

import math
from dataclasses import replace

from devices.cbram import CBRAM
from devices.generator import (
    ROUNDS,
    Text,
    floor_text,
    key_schedule,
    mixed,
    normal_parts,
    words,
)
from devices.law import SwitchingLaw
from devices.parameter import Parameter

OWN = "_own"
"""Ending of the parameters of an instance after the draw."""
_PAIRS = ("set", "reset", "resistance")


def generated_device(device: CBRAM, seed: int) -> CBRAM:
    """The device that the self-contained subcircuit with this seed and ``d2d=1`` is.

    It has no D2D spread left. SET, RESET and resistances are independent of each other. Raises
    ValueError for seeds outside 0 to 2^25 - 1.
    """
    last, before = words(seed, 0, len(_PAIRS), "device")
    pairs = {}
    for index, name in enumerate(_PAIRS):
        variate, angle = normal_parts(float(last[index]), float(before[index]))
        radius = math.sqrt(-2 * math.log(variate))
        pairs[name] = (radius * math.cos(angle), radius * math.sin(angle))
    laws = [
        None if law is None else _drawn(law, *pairs[name])
        for name, law in (("set", device.set), ("reset", device.reset))
    ]
    assert laws[0] is not None
    c = device.conduction
    a, b = _correlated(*pairs["resistance"], c.correlation.value)
    conduction = replace(
        c,
        r_lrs=_scaled(c.r_lrs, a * c.sigma_ln_r_lrs.value),
        r_hrs=_scaled(c.r_hrs, b * c.sigma_ln_r_hrs.value),
        sigma_ln_r_lrs=_none_left(c.sigma_ln_r_lrs),
        sigma_ln_r_hrs=_none_left(c.sigma_ln_r_hrs),
    )
    return replace(device, set=laws[0], reset=laws[1], conduction=conduction)


def drawing_lines(device: CBRAM) -> str:
    """``.param`` lines of the same in ngspice: NAME_own from NAME, the seed and ``d2d``."""
    lines: list[str] = []

    def held(value: Text) -> Text:
        name = f"device_word{len(lines)}"
        lines.append(f".param {name}={{{value}}}")
        return Text(name)

    keys = key_schedule(Text("seed"), "device", floor_text, held)
    for index, name in enumerate(_PAIRS):
        if name == "reset" and device.reset is None:
            continue
        rounds = [Text(str(2 * index))]
        for key in keys[:ROUNDS]:
            rounds.append(held(mixed(rounds[-1], key, floor_text)))
        variate, angle = normal_parts(rounds[-1], rounds[-2])
        for part, function in (("a", "cos"), ("b", "sin")):
            lines.append(f".param {name}_{part}={{sqrt(-2*ln({variate}))*{function}({angle})}}")
        if name == "resistance":
            lines += _resistance_lines(device)
        else:
            law = device.set if name == "set" else device.reset
            assert law is not None
            lines += _law_lines(law, name)
    return "\n".join(lines) + "\n"


def _law_lines(law: SwitchingLaw, name: str) -> list[str]:
    spread = law.spread
    rho = spread.correlation_d2d.value
    lines = [
        _moved(f"tau_{name}", spread.sigma_ln_tau_d2d.value, f"{name}_a"),
        _moved(f"v0_{name}", spread.sigma_ln_v0_d2d.value, _mixture(name, rho)),
        f".param vref_{name}{OWN}={{vref_{name}}}",
    ]
    if law.activation is not None:
        lines.append(f".param ea_{name}{OWN}={{ea_{name}}}")
    return lines


def _resistance_lines(device: CBRAM) -> list[str]:
    c = device.conduction
    return [
        _moved("r_lrs", c.sigma_ln_r_lrs.value, "resistance_a"),
        _moved("r_hrs", c.sigma_ln_r_hrs.value, _mixture("resistance", c.correlation.value)),
    ]


def _moved(name: str, sigma: float, score: str) -> str:
    return f".param {name}{OWN}={{{name}*exp(d2d*{sigma:.17g}*{score})}}"


def _mixture(name: str, rho: float) -> str:
    """The second score of a pair, with the correlation."""
    return f"({rho:.17g}*{name}_a + {math.sqrt(1 - rho * rho):.17g}*{name}_b)"


def _correlated(a: float, b: float, rho: float) -> tuple[float, float]:
    return a, rho * a + math.sqrt(1 - rho * rho) * b


def _drawn(law: SwitchingLaw, a: float, b: float) -> SwitchingLaw:
    spread = law.spread
    a, b = _correlated(a, b, spread.correlation_d2d.value)
    return replace(
        law,
        tau_ref=_scaled(law.tau_ref, a * spread.sigma_ln_tau_d2d.value),
        v0=_scaled(law.v0, b * spread.sigma_ln_v0_d2d.value),
        spread=replace(
            spread,
            sigma_ln_tau_d2d=_none_left(spread.sigma_ln_tau_d2d),
            sigma_ln_v0_d2d=_none_left(spread.sigma_ln_v0_d2d),
        ),
        covariance_order=(),
        covariance=(),
    )


def _scaled(parameter: Parameter, ln_factor: float) -> Parameter:
    """The parameter of one device: no uncertainty of the fit is its own."""
    value = parameter.value * math.exp(ln_factor)
    return replace(parameter, value=value, stderr=None, ci95=None, note="one device drawn")


def _none_left(sigma: Parameter) -> Parameter:
    return replace(sigma, value=0.0, stderr=None, ci95=None, note="one device drawn")
