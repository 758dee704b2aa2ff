"""Exact layers against their plain definition, bit for bit, and against themselves in pieces."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import pytest

from devices.presets import knag2014
from system.arithmetic.exact import PAIRS, ExactLayers
from system.arithmetic.exact.definition import sums_definition
from system.arithmetic.exact.gather import ProductName, meeting
from system.arithmetic.linear import Convolution, Dense, Linear
from system.arithmetic.operands import ReadOut
from system.bitstream import BATCH, Encoded, StreamRules
from system.bitstream.sources.base import BitSource
from system.bitstream.sources.bernoulli import Bernoulli
from system.bitstream.sources.device import DeviceSource
from system.bitstream.sources.lfsr import Lfsr

KEY = np.array([7, 11], np.uint32)
IMAGES, LENGTH = 3, 70
"""Streams that end inside their second word."""
LINEARS: tuple[Linear, ...] = (Dense(3, 2), Convolution(2, 3, 2, 2, padding=1))
PRODUCTS: tuple[ProductName, ...] = ("forward", "input_gradient", "weight_gradient")
CHAIN = DeviceSource(knag2014().set, ReadOut(reset=0.7, e01=0.0, e10=0.0))


def operands(
    linear: Linear, product: ProductName, encoding: str, images: int = IMAGES
) -> tuple[Encoded, Encoded]:
    """Random numbers of every value and, where the encoding has one, sign."""
    shapes = {
        "x": (images, *linear.input_shape),
        "w": linear.weight_shape,
        "d": (images, *linear.output_shape),
    }
    names = {"forward": "xw", "input_gradient": "dw", "weight_gradient": "xd"}[product]
    rng = np.random.default_rng(5)
    made = []
    for name in names:
        probability = rng.uniform(0, 1, shapes[name])
        signed = encoding == "sign-magnitude"
        sign = rng.choice([-1.0, 1.0], shapes[name]) if signed else np.ones(shapes[name])
        made.append(Encoded(probability, sign))
    return made[0], made[1]


@pytest.fixture
def _threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "convolution"])
@pytest.mark.parametrize("pair", PAIRS, ids=[" ".join(pair) for pair in PAIRS])
def test_results_are_those_of_the_definition(
    pair: tuple[str, str], linear: Linear, product: ProductName
) -> None:
    layers = ExactLayers(*pair, LENGTH, Bernoulli(), chunk_words=1, block_bytes=1)
    a, b = operands(linear, product, pair[0])
    wanted = sums_definition(layers, linear, product, a, b, KEY)
    assert np.array_equal(layers.sums(linear, product, a, b, KEY), wanted)
    assert np.unique(wanted).size > 1


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(
    ("rules", "source"),
    [
        (StreamRules(BATCH), Bernoulli()),
        (StreamRules(2), CHAIN),
        (StreamRules(1, "use"), Lfsr(16)),
        (StreamRules(2, "use"), Bernoulli()),
        (StreamRules(1, "turns", 3), Lfsr()),
        (StreamRules(BATCH, "turns", 2), Bernoulli()),
        (StreamRules(2, "common", 2), Bernoulli()),
    ],
    ids=lambda value: getattr(value, "name", None) or f"{value.life_text} {value.sharing_text}",
)
def test_every_stream_rule_is_followed(
    rules: StreamRules, source: BitSource, product: ProductName
) -> None:
    linear = LINEARS[1]
    layers = ExactLayers("sign-magnitude", "exact-counter", LENGTH, source, rules, 1)
    a, b = operands(linear, product, "sign-magnitude")
    wanted = sums_definition(layers, linear, product, a, b, KEY)
    assert np.array_equal(layers.sums(linear, product, a, b, KEY), wanted)


@pytest.mark.parametrize("product", PRODUCTS[:2])
@pytest.mark.parametrize("pair", [PAIRS[0], ("bipolar", "mux")], ids=["counter", "mux"])
def test_each_use_may_have_a_number_of_its_own(pair: tuple[str, str], product: ProductName) -> None:
    """Generators of their own are devices of their own, with other probabilities."""
    linear = LINEARS[1]
    layers = ExactLayers(*pair, LENGTH, Bernoulli(), StreamRules(1, "use"))
    a, w = operands(linear, product, pair[0])
    rng = np.random.default_rng(6)
    b = Encoded(*(np.broadcast_to(part, (16, *part.shape)).copy() for part in w))
    b.probability[:] = rng.uniform(0, 1, b.probability.shape)
    wanted = sums_definition(layers, linear, product, a, b, KEY)
    assert np.array_equal(layers.sums(linear, product, a, b, KEY), wanted)
    assert not np.array_equal(layers.sums(linear, product, a, w, KEY), wanted)


@pytest.mark.parametrize("pair", PAIRS, ids=[" ".join(pair) for pair in PAIRS])
@pytest.mark.usefixtures("_threads")
def test_pieces_blocks_and_threads_change_nothing(pair: tuple[str, str]) -> None:
    linear = Convolution(2, 6, 5, 3, padding=1)
    for product in PRODUCTS:
        a, b = operands(linear, product, pair[0], images=7)
        numba.set_num_threads(1)
        whole = ExactLayers(*pair, 333, CHAIN, StreamRules(3)).sums(linear, product, a, b, KEY)
        numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
        pieces = ExactLayers(*pair, 333, CHAIN, StreamRules(3), chunk_words=2, block_bytes=20_000)
        assert np.array_equal(pieces.sums(linear, product, a, b, KEY), whole)


@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "convolution"])
def test_certain_bits_give_the_product_itself(linear: Linear) -> None:
    """Probabilities of 0 and 1 leave no chance: the sums are those of numbers -1, 0, 1."""
    rng = np.random.default_rng(2)
    layers = ExactLayers("sign-magnitude", "exact-counter", 65, Bernoulli())
    x = rng.integers(-1, 2, (IMAGES, *linear.input_shape))
    w = rng.integers(-1, 2, linear.weight_shape)
    a, b = (Encoded(np.abs(v).astype(float), np.where(v < 0, -1.0, 1.0)) for v in (x, w))
    found = layers.values(linear, "forward", a, b, KEY)
    if isinstance(linear, Dense):
        assert np.array_equal(found, x @ w)
        return
    assert isinstance(linear, Convolution)
    edge = ((0, 0), (0, 0), (linear.padding,) * 2, (linear.padding,) * 2)
    seen = np.lib.stride_tricks.sliding_window_view(np.pad(x, edge), (2, 2), (2, 3))
    kernel = w.reshape(linear.channels, 2, 2, linear.outputs)
    assert np.array_equal(found, np.einsum("bcyxij,cijo->boyx", seen, kernel))


def test_batches_and_layers_have_keys_of_their_own() -> None:
    linear = LINEARS[1]
    layers = ExactLayers("sign-magnitude", "exact-counter", LENGTH, Bernoulli())
    a, b = operands(linear, "forward", "sign-magnitude")
    first = layers.sums(linear, "forward", a, b, KEY)
    assert not np.array_equal(first, layers.sums(linear, "forward", a, b, KEY[::-1].copy()))


def test_an_image_keeps_its_bits_whatever_comes_after_it() -> None:
    linear = LINEARS[1]
    layers = ExactLayers("bipolar", "mux", LENGTH, Bernoulli())
    a, b = operands(linear, "forward", "bipolar")
    alone = layers.sums(linear, "forward", Encoded(*(part[:2] for part in a)), b, KEY)
    assert np.array_equal(layers.sums(linear, "forward", a, b, KEY)[:2], alone)


def test_terms_are_those_the_moments_count() -> None:
    linear = Convolution(2, 6, 5, 3, padding=1)
    terms = meeting(linear, "input_gradient").terms
    assert np.array_equal(np.tile(terms, 2).reshape(2, 6, 6), linear.input_gradient_terms)
    assert set(meeting(linear, "forward").terms) == {linear.fan_ins[0]}
    assert set(meeting(linear, "weight_gradient").terms) == {linear.fan_ins[2]}


def test_what_cannot_be_made_is_refused_by_name() -> None:
    def made(*pair: str, source: BitSource = CHAIN, **rules: object) -> ExactLayers:
        return ExactLayers(*pair, 64, source, StreamRules(**rules))  # type: ignore[arg-type]

    with pytest.raises(ValueError, match="sign-magnitude with mux: expected one of"):
        made("sign-magnitude", "mux")
    with pytest.raises(ValueError, match="turns:2 with devices whose bit depends on the bit"):
        made("bipolar", "mux", kind="turns", group=2)
    with pytest.raises(ValueError, match="common:2 lets parameters compare with one random"):
        made("bipolar", "mux", kind="common", group=2)
    with pytest.raises(ValueError, match="0 bits"):
        ExactLayers("bipolar", "mux", 0, CHAIN)
    linear = LINEARS[1]
    a, w = operands(linear, "forward", "sign-magnitude")
    with pytest.raises(ValueError, match="no sign, but there are negative numbers"):
        made("unipolar", "mux").sums(linear, "forward", a, w, KEY)
    for_uses = Encoded(*(np.stack([part] * 16) for part in w))
    with pytest.raises(ValueError, match="weights for 16 uses: expected 1 or 1"):
        made("sign-magnitude", "exact-counter").sums(linear, "forward", a, for_uses, KEY)
