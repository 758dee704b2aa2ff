"""Figures of others (and our assumptions beside them) that the cells' simulation does not give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A number in SI units with its source, which begins with its kind, "taken" or "assumed"."""

    value: float
    source: str


ALADDIN = "taken: 40-nm figures of the Aladdin power model"


@dataclass(frozen=True)
class Figures:
    """The unit figures that an architecture file may replace: areas in m2, energies in J, leakages
    in W."""

    sram_bit_area: Figure = Figure(
        0.242e-12, "taken: TSMC 40 nm SRAM bit cell, 0.242 um2; bare cell array without periphery"
    )
    sram_bit_energy: Figure = Figure(
        9e-15, f"{ALADDIN} (register, 9 fJ/bit); assumed to stand for an SRAM access of one bit"
    )
    sram_bit_leakage: Figure = Figure(
        1e-11, "assumed: 10 pW per bit, the order of a low-power 40-nm SRAM cell; no source"
    )
    adder8_area: Figure = Figure(69.5e-12, f"{ALADDIN}, 8-bit adder, 69.5 um2")
    adder8_energy: Figure = Figure(52.5e-15, f"{ALADDIN}, 8-bit adder, 52.5 fJ")
    multiplier8_area: Figure = Figure(396.9e-12, f"{ALADDIN}, 8-bit multiplier, 396.9 um2")
    multiplier8_energy: Figure = Figure(792e-15, f"{ALADDIN}, 8-bit multiplier, 792 fJ")
