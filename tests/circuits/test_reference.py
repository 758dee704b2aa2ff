"""The conventional CMOS reference: exhaustive truth, period, and areas beside published ones."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.logic.cell import digits, number
from circuits.reference.binary import adder, binary_mac, multiplier
from circuits.reference.lfsr import lfsr_sng
from devices.technology import CMOS40LP


def operands(width: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    a, b = np.meshgrid(np.arange(2**width), np.arange(2**width))
    bits = {f"a{k}": (a >> k) & 1 for k in range(width)}
    return a, b, bits | {f"b{k}": (b >> k) & 1 for k in range(width)}


@pytest.mark.parametrize("width", [4, 8])
def test_multiplier_and_adder_are_right_for_every_pair(width: int) -> None:
    a, b, bits = operands(width)
    for cell, expected in ((multiplier(width), a * b), (adder(width), a + b)):
        assert np.array_equal(number(cell.evaluate(bits), cell.outputs), expected)


def test_binary_mac_accumulates_products() -> None:
    cell = binary_mac(8, 256)
    random = np.random.default_rng(3)
    pairs = [(255, 255)] * 3 + random.integers(0, 256, (40, 2)).tolist()
    names = [[f"{operand}{k}" for k in range(8)] for operand in "ab"]
    vectors = [digits(a, names[0]) | digits(b, names[1]) | {"run": 1} for a, b in pairs]
    history = cell.run([*vectors, vectors[0]])
    assert number(history[-1], cell.outputs) == sum(a * b for a, b in pairs)
    assert len(cell.outputs) == 24  # 256 x 255^2 < 2^24


@pytest.mark.parametrize("width", [4, 8])
def test_lfsr_has_the_full_period_and_the_bit_its_probability(width: int) -> None:
    cell = lfsr_sng(width)
    period = 2**width - 1
    stages, thresholds = ([f"{name}{k}" for k in range(width)] for name in "rx")
    for threshold in {0, 1, period // 3, period}:
        history = cell.run([digits(threshold, thresholds) | {"run": 1}] * (period + 1))
        numbers = [number(values, stages) for values in history]
        assert len(set(numbers[:period])) == period
        assert numbers[period] == numbers[0] == 0
        assert sum(values["y"] for values in history[:period]) == threshold


def test_zeros_shifted_in_clear_the_register() -> None:
    cell = lfsr_sng(8)
    running = {**dict.fromkeys(cell.data_inputs, 1)}
    history = cell.run([running] * 20 + [{**running, "run": 0}] * 8 + [running])
    assert number(history[-1], [f"r{k}" for k in range(8)]) == 0


def test_areas_stand_beside_the_published_ones() -> None:
    """LFSR SNG: within 15 % of 62 um2 (8 flip-flops, 3 XOR, comparator; derived). The published
    adder (69.5 um2) and multiplier (396.9 um2) are synthesised macros; ours, of bare minimum-size
    gates without wires or buffers, are smaller, but not by more than a factor 3."""
    assert lfsr_sng(8).area(CMOS40LP) == pytest.approx(62e-12, rel=0.15)
    for cell, published in ((adder(8), 69.5e-12), (multiplier(8), 396.9e-12)):
        assert published / 3 < cell.area(CMOS40LP) < published


def test_unknown_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="taps are known for"):
        lfsr_sng(9)
