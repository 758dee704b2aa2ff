"""Published multiply-accumulate units, as ranges with sources; what is derived or recalled says so.

A unit is a multiplier and an adder; the array adds the accumulator's register.
"""

from __future__ import annotations

from dataclasses import dataclass

from system.architecture.figures import ALADDIN, Figure
from system.budget import published
from system.budget.baselines.precision import Fixed, Floating, Format

Range = tuple[Figure, Figure]
SHRINK = (40 / 45) ** 2
"""Area from 45 to 40 nm at best (derived); energies are not scaled."""
CLOCK = Figure(
    500e6,
    "assumed: 500 MHz, one multiply-accumulate a clock; the figures were recorded without a clock",
)
REGISTER_BIT_AREA = Figure(5.98e-12, f"{ALADDIN}, register 5.98 um2/bit")
REGISTER_BIT_ENERGY = Figure(9e-15, f"{ALADDIN}, register 9 fJ/bit")
_LEAKAGE_DENSITY = (
    Figure(80e-9 / 123.9e-12, "8-bit counter, 80 nW on 123.9 um2"),
    Figure(600e-9 / 69.5e-12, "8-bit adder, 600 nW on 69.5 um2"),
)
_HOROWITZ = "Horowitz, ISSCC 2014, 45 nm, 0.9 V"
_SHRUNK = f"times (40/45)^2 = {SHRINK:.2f} at best"
_ADDER8 = (69.5e-12, 52.5e-15)
_MULTIPLIER8 = (396.9e-12, 792e-15)
_FP32_ADD = ((2064e-12, 4361e-12), (7.7e-12, 16.7e-12))


@dataclass(frozen=True)
class BaselineMac:
    """One kind of binary multiply-accumulate unit (SI units): ranges from low to high.

    ``interval`` is the time (s) from one result to the next. ``leakage`` has the sources of its
    own; ``accumulator_bits`` is 0 where the unit already holds its register.
    """

    name: str
    number: Format
    area: Range
    energy: Range
    leakage: Range
    interval: Figure
    accumulator_bits: int

    def registered(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Area and energy with the accumulator's register."""
        area = self.accumulator_bits * REGISTER_BIT_AREA.value
        energy = self.accumulator_bits * REGISTER_BIT_ENERGY.value
        return (
            (self.area[0].value + area, self.area[1].value + area),
            (self.energy[0].value + energy, self.energy[1].value + energy),
        )


def _published(
    name: str, number: Format, area: Range, energy: Range, accumulator_bits: int
) -> BaselineMac:
    leakage = tuple(
        Figure(
            density.value * part.value,
            f"derived: leakage per area of the {density.source} ({ALADDIN}), times the area",
        )
        for density, part in zip(_LEAKAGE_DENSITY, area, strict=True)
    )
    return BaselineMac(
        name,
        number,
        area,
        energy,
        (leakage[0], leakage[1]),
        Figure(1 / CLOCK.value, CLOCK.source),
        accumulator_bits,
    )


def _both(value: float, source: str) -> Range:
    return Figure(value, source), Figure(value, source)


def _bf16_aladdin() -> BaselineMac:
    product = (_MULTIPLIER8[0] + _ADDER8[0], _MULTIPLIER8[1] + _ADDER8[1])
    said = "8-bit multiplier for the mantissas, 8-bit adder for the exponents, and"
    low, high = (
        f"derived: 40-nm figures of the Aladdin power model, {said} {adder} (assumed)"
        for adder in (
            "half of the smallest FP32 adder (16 of 32 bits)",
            "the largest FP32 adder (accumulates in FP32)",
        )
    )
    (small, large), (little, much) = _FP32_ADD
    return _published(
        "BF16, from Aladdin's parts",
        Floating(7),
        (Figure(product[0] + small / 2, low), Figure(product[0] + large, high)),
        (Figure(product[1] + little / 2, low), Figure(product[1] + much, high)),
        32,
    )


def _bf16_horowitz() -> BaselineMac:
    said = "int8 multiplier for the mantissas, int8 adder for the exponents, and"
    low, high = (
        f"derived: {_HOROWITZ}, {said} {adder} (assumed)"
        for adder in ("half of the FP32 adder", "the FP32 adder (accumulates in FP32)")
    )
    parts = 282e-12 + 36e-12
    energy = 0.2e-12 + 0.03e-12
    return _published(
        "BF16, from Horowitz' parts",
        Floating(7),
        (
            Figure((parts + 4184e-12 / 2) * SHRINK, f"{low}; areas recalled, {_SHRUNK}"),
            Figure((parts + 4184e-12) * SHRINK, f"{high}; areas recalled, {_SHRUNK}"),
        ),
        (
            Figure(energy + 0.9e-12 / 2, f"{low}; as quoted by a second source, not scaled"),
            Figure(energy + 0.9e-12, f"{high}; as quoted by a second source, not scaled"),
        ),
        32,
    )


PUBLISHED: tuple[BaselineMac, ...] = (
    _published(
        "FP32, Aladdin",
        Floating(23),
        published.FP32_MAC_AREA,
        published.FP32_MAC_ENERGY,
        32,
    ),
    _published(
        "FP32, Horowitz",
        Floating(23),
        _both(
            (4184e-12 + 7700e-12) * SHRINK,
            f"taken: {_HOROWITZ}, FP32 adder 4184 um2 + multiplier 7700 um2 (recalled), {_SHRUNK}",
        ),
        _both(
            0.9e-12 + 3.7e-12,
            f"taken: {_HOROWITZ}, FP32 add 0.9 pJ + multiply 3.7 pJ, as quoted by a second source, "
            "not scaled",
        ),
        32,
    ),
    _bf16_aladdin(),
    _bf16_horowitz(),
    _published(
        "int8, Aladdin",
        Fixed(7),
        _both(
            _MULTIPLIER8[0] + 3 * _ADDER8[0],
            f"{ALADDIN}, 8-bit multiplier 396.9 um2 + 3 x 8-bit adder 69.5 um2 (24-bit "
            "accumulation, derived)",
        ),
        _both(
            _MULTIPLIER8[1] + 3 * _ADDER8[1],
            f"{ALADDIN}, 8-bit multiply 792 fJ + 3 x 8-bit add 52.5 fJ (24-bit accumulation, "
            "derived)",
        ),
        24,
    ),
    _published(
        "int8, Horowitz",
        Fixed(7),
        _both(
            (282e-12 + 3 * 36e-12) * SHRINK,
            f"taken: {_HOROWITZ}, int8 multiplier 282 um2 + 3 x adder 36 um2 (recalled; 24-bit "
            f"accumulation derived), {_SHRUNK}",
        ),
        _both(
            0.2e-12 + 3 * 0.03e-12,
            f"taken: {_HOROWITZ}, int8 multiply 0.2 pJ + 3 x add 0.03 pJ (24-bit accumulation "
            "derived), as quoted by a second source, not scaled",
        ),
        24,
    ),
)
