"""The digital MAC cells: what they compute, and the exact error of the approximate counter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from circuits.logic.cell import number
from circuits.mac.base import Mac
from circuits.mac.bit_cells import MACS
from circuits.mac.counter import approximate_error, counter_mac
from circuits.mac.mux_tree import mux_tree
from devices.technology import CMOS40LP


def random_bits(mac: Mac, count: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {pin: random.integers(0, 2, count) for pin in mac.data_inputs}


def test_bit_cells_multiply_and_add() -> None:
    every = np.array(list(itertools.product((0, 1), repeat=6))).T
    a, b, sa, sb, x, ci = every
    cell = MACS["sign_magnitude_counter"]
    values = cell.evaluate(dict(zip(cell.inputs, every, strict=True)))
    assert np.array_equal(values["s"] + 2 * values["co"], ((a & b) ^ sa ^ sb) + x + ci)
    cell = MACS["bipolar_mux"]
    values = cell.evaluate({"a": a, "b": b, "x": x, "sel": ci})
    assert np.array_equal(values["y"], np.where(ci, x, 1 - (a ^ b)))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("encoding", ["unipolar", "bipolar"])
def test_a_mux_tree_lets_the_selected_product_through(encoding: str, shared: bool) -> None:
    mac = mux_tree(encoding, 8, shared)
    values = mac.evaluate(random_bits(mac, 2000, 1))
    products = np.array([values[node] for node in mac.products])
    index = np.zeros(2000, dtype=int)
    for level in (2, 1, 0):  # the root's select is the most significant bit of the index
        if shared:
            index = 2 * index + values[f"sel{level}"]
        else:
            chosen = np.array([values[f"sel{level}_{k}"] for k in range(2 ** (2 - level))])
            index = 2 * index + chosen[index, np.arange(2000)]
    assert np.array_equal(values["y"], products[index, np.arange(2000)])
    assert len(mac.inputs) == 16 + (3 if shared else 7)


@pytest.mark.parametrize("encoding", ["unipolar", "bipolar", "sign-magnitude"])
@pytest.mark.parametrize("fan_in", [2, 4, 8, 16])
def test_the_exact_counter_accumulates_the_products(encoding: str, fan_in: int) -> None:
    mac = counter_mac(encoding, fan_in, "exact-counter", 16)
    bits = random_bits(mac, 17, fan_in)
    bits["run"] = np.ones(17, dtype=int)
    vectors = [{pin: int(bit[k]) for pin, bit in bits.items()} for k in range(17)]
    history = mac.run(vectors)
    total = sum(values[node] for values in history[:-1] for node in mac.products)
    assert number(history[-1], mac.outputs) == total
    assert 2**mac.width > fan_in * 16 >= 2 ** (mac.width - 1)


def test_the_accumulator_holds_the_largest_sum_and_clears() -> None:
    mac = counter_mac("unipolar", 4, "exact-counter", 4)
    ones = dict.fromkeys(mac.data_inputs, 1)
    history = mac.run([ones] * 5 + [{**ones, "run": 0}] + [ones])
    assert number(history[4], mac.outputs) == 16
    assert number(history[6], mac.outputs) == 0


@pytest.mark.parametrize("fan_in", [4, 8])
def test_error_of_the_approximate_counter_is_that_of_all_product_words(fan_in: int) -> None:
    mac = counter_mac("unipolar", fan_in, "approximate-counter", 1)
    words = np.arange(2**fan_in)
    p = np.random.default_rng(fan_in).random(fan_in)
    bits = {f"a{k}": (words >> k) & 1 for k in range(fan_in)}
    bits |= dict.fromkeys([f"b{k}" for k in range(fan_in)], np.ones_like(words))
    values = mac.evaluate({**bits, "run": np.ones_like(words)})
    stored = mac.next_stored(values)
    counted = 2 * number(stored, mac.outputs)
    chance = np.prod([np.where(bits[f"a{k}"], p[k], 1 - p[k]) for k in range(fan_in)], axis=0)
    errors = counted - sum(bits[f"a{k}"] for k in range(fan_in))
    values, law = approximate_error(p)
    for value, probability in zip(values, law, strict=True):
        assert chance[errors == value].sum() == pytest.approx(probability, abs=1e-12)


def test_the_approximate_counter_is_unbiased_for_like_products_and_smaller() -> None:
    values, law = approximate_error([0.3] * 16)
    assert values @ law == pytest.approx(0.0, abs=1e-12)
    # Eight pairs, each differing with q = 2 p (1 - p), of variance q (1 - q).
    q = 2 * 0.3 * 0.7
    assert values**2 @ law == pytest.approx(8 * q * (1 - q), rel=1e-12)
    exact, approximate = (
        counter_mac("unipolar", 16, adder, 256)
        for adder in ("exact-counter", "approximate-counter")
    )
    assert approximate.area(CMOS40LP) < exact.area(CMOS40LP)
    assert approximate.gates["full_adder"] < exact.gates["full_adder"] - 6


@pytest.mark.parametrize(
    "build",
    [
        lambda: counter_mac("unipolar", 6, "exact-counter", 16),
        lambda: counter_mac("unipolar", 2, "approximate-counter", 16),
        lambda: counter_mac("unipolar", 4, "or", 16),
        lambda: counter_mac("ternary", 4, "exact-counter", 16),
        lambda: mux_tree("sign-magnitude", 4, True),
        lambda: approximate_error([0.5] * 3),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(build) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"expected|adds|pairs"):
        build()
