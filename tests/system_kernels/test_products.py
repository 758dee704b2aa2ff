"""Products counted exactly: against plain numpy, gates, and sums of the bits of real layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax.numpy as jnp
import numba
import numpy as np
import pytest

from circuits.logic.cell import number
from circuits.mac.counter import counter_mac
from system.arithmetic import Convolution
from system.bitstream import BitStream
from system.kernels.adders import (
    Selects,
    add_any,
    add_approximate,
    add_selected,
    any_definition,
    approximate_definition,
    selected_definition,
)
from system.kernels.matmul import and_count_matmul, xnor_count_matmul
from system.kernels.operands import Kind, Products
from system.kernels.products import add_products, products_definition

KINDS: tuple[Kind, ...] = ("unipolar", "bipolar", "sign-magnitude")
Adder = Callable[[Products, np.ndarray], None]


def words(rng: np.random.Generator, shape: tuple[int, ...], length: int) -> np.ndarray:
    """Random streams, each with its own P(1)."""
    return BitStream.pack(rng.random((*shape, length)) < rng.random((*shape, 1))).words


def products(
    kind: Kind, length: int, images: int, i: int, j: int, k: int, seed: int, missing: str = "ab"
) -> Products:
    """Random operands of two lives; some products do not exist."""
    rng = np.random.default_rng(seed)
    signs = kind == "sign-magnitude"
    return Products(
        kind,
        length,
        words(rng, (images, 11), length),
        rng.integers(-1 if "a" in missing else 0, 11, (i, k)),
        words(rng, (2, 13), length),
        rng.integers(-1 if "b" in missing else 0, 13, (j, k)).astype(np.int32),
        rng.integers(0, 2, images).astype(np.uint32),
        rng.random((images, 11)) < 0.5 if signs and seed % 2 else None,
        rng.random((2, 13)) < 0.5 if signs else None,
    )


def selects(images: int, shared: bool, first_word: int = 0) -> Selects:
    numbers = np.arange(images, dtype=np.uint32) + 7
    return Selects(np.array([1, 2], np.uint32), 5, numbers, first_word, shared)


def mux(shared: bool, plain: bool) -> Adder:
    function = selected_definition if plain else add_selected
    return lambda p, out: function(p, selects(p.shape[0], shared), out)


ADDERS: dict[str, tuple[Adder, Adder, tuple[Kind, ...]]] = {
    "exact": (add_products, products_definition, KINDS),
    "approximate": (add_approximate, approximate_definition, KINDS),
    "mux": (mux(False, False), mux(False, True), ("unipolar", "bipolar")),
    "mux, shared selects": (mux(True, False), mux(True, True), ("unipolar", "bipolar")),
    "or": (add_any, any_definition, ("unipolar",)),
}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, (_, _, kinds) in ADDERS.items() for kind in kinds]
)
@pytest.mark.parametrize(
    ("length", "images", "i", "j", "k", "missing"),
    [
        (1, 1, 1, 1, 1, ""),
        (64, 3, 2, 5, 3, ""),
        (100, 2, 3, 2, 7, "a"),
        (256, 4, 5, 6, 10, "ab"),
        (300, 2, 4, 3, 4, "b"),
    ],
)
def test_every_adder_equals_its_plain_definition_for_any_number_of_threads(
    name: str, kind: Kind, length: int, images: int, i: int, j: int, k: int, missing: str
) -> None:
    fast, plain, _ = ADDERS[name]
    before = numba.get_num_threads()
    for seed in (length, length + 1):
        p = products(kind, length, images, i, j, k, seed, missing)
        start = np.random.default_rng(1).integers(-9, 9, p.shape)
        wanted = start.copy()
        plain(p, wanted)
        try:
            for threads in (1, numba.config.NUMBA_NUM_THREADS):
                numba.set_num_threads(threads)
                out = start.copy()
                fast(p, out)
                assert np.array_equal(out, wanted)
        finally:
            numba.set_num_threads(before)


@pytest.mark.parametrize("missing", ["", "ab"])
@pytest.mark.parametrize("kind", KINDS)
def test_sums_beyond_every_block_are_those_of_an_integer_matrix_product(
    kind: Kind, missing: str
) -> None:
    """70 x 66 outputs, 400 products of 130 bits; then two products of 70,000 bits."""
    for i, j, k, length in ((70, 66, 400, 130), (2, 3, 2, 70_000)):
        p = products(kind, length, 1, i, j, k, 3, missing)
        out = np.zeros(p.shape, np.int64)
        add_products(p, out)
        low = -1.0 if kind == "bipolar" else 0.0
        values = []
        for streams, index, negative in (
            (p.a[0], p.a_index, p.a_negative),
            (p.b[p.b_life[0]], p.b_index, p.b_negative),
        ):
            bits = np.where(BitStream(streams, length).unpack(), 1.0, low)
            if negative is not None:
                row = 0 if negative is p.a_negative else p.b_life[0]
                bits = np.where(negative[row][:, None], -bits, bits)
            values.append((bits[index] * (index >= 0)[:, :, None]).reshape(index.shape[0], -1))
        assert np.array_equal(out[0], values[0] @ values[1].T)


def test_a_convolution_of_streams_is_the_sum_of_its_convolutions_of_bits() -> None:
    layer, length = Convolution(channels=2, size=6, outputs=3, kernel=3), 96
    rng = np.random.default_rng(0)
    bits_x, bits_w = rng.random((2, 72, length)) < 0.4, rng.random((1, 54, length)) < 0.6
    sign_x, sign_w = rng.choice([-1.0, 1.0], (2, 72)), rng.choice([-1.0, 1.0], 54)
    taps, outputs = layer.weight_shape
    pixels = np.arange(72).reshape(2, 6, 6)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (3, 3), (1, 2))
    p = Products(
        "sign-magnitude",
        length,
        BitStream.pack(bits_x).words,
        windows.transpose(1, 2, 0, 3, 4).reshape(16, taps),
        BitStream.pack(bits_w).words,
        np.arange(outputs)[:, None] + outputs * np.arange(taps),
        np.zeros(2, np.uint32),
        sign_x < 0,
        sign_w[None] < 0,
    )
    out = np.zeros(p.shape, np.int64)
    add_products(p, out)
    wanted = np.zeros((2, 3, 4, 4))
    for clock in range(length):
        x = jnp.asarray((bits_x[:, :, clock] * sign_x).reshape(2, 2, 6, 6))
        w = jnp.asarray((bits_w[0, :, clock] * sign_w).reshape(taps, outputs))
        wanted += np.asarray(layer.forward(layer.unfold(x), w))
    assert np.array_equal(out, wanted.reshape(2, 3, 16).transpose(0, 2, 1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adder", ["exact-counter", "approximate-counter"])
def test_the_counters_count_what_their_gates_count(kind: Kind, adder: str) -> None:
    """Eight products over 200 clocks; the gates' count less the negative products' length."""
    p = products(kind, 200, 1, 1, 1, 8, 5, missing="")
    mac = counter_mac(kind, 8, adder, 1)
    pins: dict[str, np.ndarray | int] = {"run": np.ones(200, int)}
    negative = 0
    a = BitStream(p.a[0], 200).unpack()[p.a_index[0]].astype(int)
    b = BitStream(p.b[p.b_life[0]], 200).unpack()[p.b_index[0]].astype(int)
    for k in range(8):
        pins |= {f"a{k}": a[k], f"b{k}": b[k]}
        if p.a_negative is not None and p.b_negative is not None:
            signs = p.a_negative[0, p.a_index[0, k]], p.b_negative[p.b_life[0], p.b_index[0, k]]
            pins |= {f"sa{k}": np.full(200, int(signs[0])), f"sb{k}": np.full(200, int(signs[1]))}
            negative += int(signs[0] != signs[1])
    stored = mac.next_stored(mac.evaluate(pins))
    count = int(np.sum(number(stored, mac.outputs)))
    count *= 2 if adder == "approximate-counter" else 1
    wanted = 2 * count - 8 * 200 if kind == "bipolar" else count - negative * 200
    out = np.zeros((1, 1, 1), np.int64)
    (add_products if adder == "exact-counter" else add_approximate)(p, out)
    assert out[0, 0, 0] == wanted


@pytest.mark.parametrize("name", ["exact", "approximate", "or"])
@pytest.mark.parametrize("kind", KINDS)
def test_stretches_of_clocks_add_up_to_the_whole(name: str, kind: Kind) -> None:
    if name == "or" and kind != "unipolar":
        return
    whole = products(kind, 700, 3, 4, 5, 6, 9)
    out, parts = np.zeros((2, *whole.shape), np.int64)
    adder = ADDERS[name][0]
    adder(whole, out)
    for first in range(0, 11, 4):
        some = slice(first, first + 4)
        length = min(700 - 64 * first, 256)
        adder(replace(whole, length=length, a=whole.a[..., some], b=whole.b[..., some]), parts)
    assert np.array_equal(out, parts)


@pytest.mark.parametrize("shared", [False, True])
def test_stretches_behind_a_mux_add_up_where_the_selects_know_their_first_word(
    shared: bool,
) -> None:
    whole = products("bipolar", 700, 3, 4, 5, 6, 9)
    out, parts = np.zeros((2, *whole.shape), np.int64)
    add_selected(whole, selects(3, shared), out)
    for first in range(0, 11, 4):
        some = slice(first, first + 4)
        length = min(700 - 64 * first, 256)
        part = replace(whole, length=length, a=whole.a[..., some], b=whole.b[..., some])
        add_selected(part, selects(3, shared, first), parts)
    assert np.array_equal(out, parts)


def test_a_mux_chooses_every_product_alike_and_one_in_each_clock() -> None:
    """Output i has a 1 at product i only; chi-squared of 11 products, one-sided at 1e-6."""
    length, n = 64 * 400, 11
    ones = np.stack([np.zeros(400, np.uint64), np.full(400, 2**64 - 1, np.uint64)])[None]
    p = Products(
        "unipolar", length, ones, np.eye(n, dtype=int), ones, np.ones((1, n), int), np.zeros(1, int)
    )
    out = np.zeros((1, n, 1), np.int64)
    add_selected(p, selects(1, shared=True), out)
    assert out.sum() == length
    assert np.sum((out - length / n) ** 2) / (length / n) < 48.9  # quantile of chi2, 10 degrees
    own = np.zeros((1, n, 1), np.int64)
    add_selected(p, selects(1, shared=False), own)
    assert own.sum() != length
    assert np.sum((own - length / n) ** 2) / (length / n * (1 - 1 / n)) < 51.1  # 11 degrees


@pytest.mark.parametrize(
    ("i", "j", "k", "length"), [(1, 1, 1, 64), (5, 9, 3, 100), (70, 66, 9, 70)]
)
def test_matrix_products_count_agreeing_and_common_ones(
    i: int, j: int, k: int, length: int
) -> None:
    rng = np.random.default_rng(i)
    bits_a, bits_b = rng.random((i, k, length)) < 0.4, rng.random((j, k, length)) < 0.6
    a, b = (BitStream.pack(bits).words.reshape(len(bits), -1) for bits in (bits_a, bits_b))
    flat_a, flat_b = (bits.reshape(len(bits), -1).astype(np.int64) for bits in (bits_a, bits_b))
    both, neither = flat_a @ flat_b.T, (1 - flat_a) @ (1 - flat_b).T
    assert np.array_equal(and_count_matmul(a, b), both)
    assert np.array_equal(xnor_count_matmul(a, b, k * length), both + neither)
    out = np.ones((i, j), np.int64)
    assert xnor_count_matmul(a, b, k * length, out) is out
    assert np.array_equal(out, both + neither + 1)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"length": 0}, "length of 0"),
        ({"length": 65}, "2 words"),
        ({"kind": "ternary"}, "ternary"),
        ({"a_index": np.full((2, 3), 11)}, "a_index holds 11"),
        ({"b_index": np.zeros((2, 4), int)}, "4"),
        ({"b_life": np.array([0, 2, 0])}, "b_life holds 2"),
        ({"b_life": np.array([0, -1, 0])}, "0 or more"),
        ({"b_life": np.zeros(3)}, "integers"),
        ({"a_negative": np.zeros((3, 11), bool)}, "no signs"),
    ],
)
def test_operands_that_do_not_fit_are_refused(changes: dict[str, object], found: str) -> None:
    p = products("bipolar", 64, 3, 2, 2, 3, 0)
    with pytest.raises(ValueError, match=found):
        replace(p, **changes)  # type: ignore[arg-type]


def test_adders_refuse_what_they_cannot_add() -> None:
    p = products("sign-magnitude", 64, 3, 2, 2, 3, 1)
    out = np.zeros(p.shape, np.int64)
    with pytest.raises(ValueError, match="sign-magnitude"):
        add_selected(p, selects(3, False), out)
    with pytest.raises(ValueError, match="unipolar"):
        add_any(p, out)
    with pytest.raises(ValueError, match="int32"):
        add_products(p, out.astype(np.int32))
    with pytest.raises(ValueError, match="images"):
        add_selected(products("bipolar", 64, 3, 2, 2, 3, 1), selects(2, False), out)
