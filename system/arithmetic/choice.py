"""The arithmetic of a MAC cell, as its group in cells.nc names it: never another one.

Streams are simulated by their moments where those hold, bit by bit where they do not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import xarray as xr

from formats.errors import InputError
from system.arithmetic import moments
from system.arithmetic.base import Arithmetic
from system.arithmetic.bipolar_counter import BipolarCounter
from system.arithmetic.counter import SignMagnitudeCounter
from system.arithmetic.exact.bit_exact import BitExact, source_of
from system.arithmetic.exact.layer import PAIRS, refusal
from system.arithmetic.moments import Moments
from system.arithmetic.mux import BipolarMux
from system.arithmetic.operands import Generators, describe_dependence
from system.bitstream.ownership import DEFAULT_RULES, StreamRules

Mode = Literal["moments", "exact"]

MOMENTS: dict[tuple[str, str], type[Moments]] = {
    (kind.encoding, kind.adder): kind for kind in (SignMagnitudeCounter, BipolarMux, BipolarCounter)
}
_ENCODERS: dict[str, type[Moments]] = {
    "sign-magnitude": SignMagnitudeCounter,
    "bipolar": BipolarMux,
}
"""For the exact mode, an arithmetic that encodes numbers; weights have signs, so not unipolar."""
_KNOWN = tuple(pair for pair in PAIRS if pair[0] in _ENCODERS)


def mode_of(
    generators: Generators, rules: StreamRules, encoding: str, adder: str
) -> tuple[Mode, str | None]:
    """The mode to take, and, where it is the exact one, a sentence that says why."""
    if (encoding, adder) not in MOMENTS:
        problem: str | None = f"there are no moments of {encoding} streams in {adder}s"
    else:
        problem = moments.refusal(rules) or describe_dependence(generators)
    if problem is None:
        return "moments", None
    return "exact", f"{problem}; streams are made bit by bit, which takes longer"


def arithmetic_of(
    where: Path,
    name: str,
    mac: xr.Dataset,
    generators: Generators,
    length: int,
    rules: StreamRules = DEFAULT_RULES,
    mode: Mode = "moments",
) -> Arithmetic:
    """The arithmetic of the MAC group ``name``; the exact one also where moments do not hold.

    :func:`mode_of` says which it will be. Raises :class:`InputError` for an arithmetic we lack and
    for rules that the devices cannot follow.
    """
    encoding, adder = wanted = (mac.attrs["encoding"], mac.attrs["adder"])
    if int(mac.attrs.get("accumulator_bits", 0)) > 0:
        raise InputError(
            where,
            f"MAC {name!r} holds its accumulator, which the budget counts apart, per layer; take "
            "the cell of one product bit with the same encoding and adder",
        )
    if wanted not in _KNOWN:
        known = " or ".join(f"{encoding} with {adder}" for encoding, adder in _KNOWN)
        raise InputError(
            where, f"MAC {name!r} has encoding {encoding!r} and adder {adder!r}; expected {known}"
        )
    problem = rules.refused_by_devices or refusal(source_of(generators), rules)
    if problem is not None:
        raise InputError("--sng-sharing", problem)
    if mode == "exact" or mode_of(generators, rules, encoding, adder)[0] == "exact":
        return BitExact(_ENCODERS[encoding](generators, length), adder=adder, rules=rules)
    return MOMENTS[wanted](generators, length, rules)
