"""Figures of others beside which a bill is set."""

from __future__ import annotations

from system.architecture.figures import ALADDIN, Figure

FP32_MAC_AREA = (
    Figure(6953e-12, f"{ALADDIN}, smallest FP32 adder 2,064 um2 + multiplier 4,889 um2"),
    Figure(13328e-12, f"{ALADDIN}, largest FP32 adder 4,361 um2 + multiplier 8,967 um2"),
)
FP32_MAC_ENERGY = (
    Figure(31.7e-12, f"{ALADDIN}, least FP32 add 7.7 pJ + multiply 24 pJ"),
    Figure(51.7e-12, f"{ALADDIN}, most FP32 add 16.7 pJ + multiply 35 pJ"),
)

PUBLISHED_SYSTEM = "arXiv 2103.06506, abstract (IEEE TCAS-II 68(5), 2021)"
PUBLISHED_AREA = Figure(1.55e-6, f"taken: {PUBLISHED_SYSTEM}: 1.55 mm2 in 40-nm CMOS")
PUBLISHED_POWER = Figure(167e-6, f"taken: {PUBLISHED_SYSTEM}: about 167 uW while training")
