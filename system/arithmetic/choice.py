"""The arithmetic of a MAC cell, as its group in cells.nc names it: never another one."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from formats.errors import InputError
from system.arithmetic.base import Arithmetic
from system.arithmetic.counter import SignMagnitudeCounter
from system.arithmetic.mux import BipolarMux
from system.arithmetic.operands import Generators

STOCHASTIC = (SignMagnitudeCounter, BipolarMux)


def arithmetic_of(
    where: Path, name: str, mac: xr.Dataset, generators: Generators, length: int
) -> Arithmetic:
    """The arithmetic of the MAC group ``name``; raises :class:`InputError` for one we lack."""
    wanted = (mac.attrs["encoding"], mac.attrs["adder"])
    if int(mac.attrs.get("accumulator_bits", 0)) > 0:
        raise InputError(
            where,
            f"MAC {name!r} holds its accumulator, which the budget counts apart, per layer; take "
            "the cell of one product bit with the same encoding and adder",
        )
    for kind in STOCHASTIC:
        if wanted == (kind.encoding, kind.adder):
            return kind(generators, length)
    known = " or ".join(f"{kind.encoding} with {kind.adder}" for kind in STOCHASTIC)
    raise InputError(
        where, f"MAC {name!r} has encoding {wanted[0]!r} and adder {wanted[1]!r}; expected {known}"
    )
