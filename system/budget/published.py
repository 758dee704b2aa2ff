"""Figures of others (and our assumptions beside them) that the cells' simulation does not give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A number in SI units with its source, which begins with "taken" or "assumed"."""

    value: float
    source: str


_ALADDIN = "taken: 40-nm figures of the Aladdin power model"

SRAM_BIT_AREA = Figure(
    0.242e-12, "taken: TSMC 40 nm SRAM bit cell, 0.242 um2; bare cell array without periphery"
)
BIT_ACCESS_ENERGY = Figure(
    9e-15, f"{_ALADDIN} (register, 9 fJ/bit); assumed to stand for an SRAM access of one bit"
)
SRAM_BIT_LEAKAGE = Figure(
    1e-11, "assumed: 10 pW per bit, the order of a low-power 40-nm SRAM cell; no source"
)
ADDER8_AREA = Figure(69.5e-12, f"{_ALADDIN}, 8-bit adder, 69.5 um2")
ADDER8_ENERGY = Figure(52.5e-15, f"{_ALADDIN}, 8-bit adder, 52.5 fJ")
MULTIPLIER8_AREA = Figure(396.9e-12, f"{_ALADDIN}, 8-bit multiplier, 396.9 um2")
MULTIPLIER8_ENERGY = Figure(792e-15, f"{_ALADDIN}, 8-bit multiplier, 792 fJ")

FP32_MAC_AREA = (
    Figure(6953e-12, f"{_ALADDIN}, smallest FP32 adder 2,064 um2 + multiplier 4,889 um2"),
    Figure(13328e-12, f"{_ALADDIN}, largest FP32 adder 4,361 um2 + multiplier 8,967 um2"),
)
FP32_MAC_ENERGY = (
    Figure(31.7e-12, f"{_ALADDIN}, least FP32 add 7.7 pJ + multiply 24 pJ"),
    Figure(51.7e-12, f"{_ALADDIN}, most FP32 add 16.7 pJ + multiply 35 pJ"),
)

PUBLISHED_SYSTEM = "arXiv 2103.06506, abstract (IEEE TCAS-II 68(5), 2021)"
PUBLISHED_AREA = Figure(1.55e-6, f"taken: {PUBLISHED_SYSTEM}: 1.55 mm2 in 40-nm CMOS")
PUBLISHED_POWER = Figure(167e-6, f"taken: {PUBLISHED_SYSTEM}: about 167 uW while training")
