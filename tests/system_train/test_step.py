"""One step of a training: whose counters move a scale, which streams, which encodings are seen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from formats.training import SCALED
from system.arithmetic import (
    Arithmetic,
    BipolarMux,
    Convolution,
    Dense,
    Deviation,
    Devices,
    Generators,
    Product,
    Scales,
    Seen,
    SignMagnitudeCounter,
)
from system.arithmetic.floating import Float
from system.arithmetic.noise import Tape
from system.networks import Layer, build_network, layers_of
from system.train.learning import Course, State, _first, _levels, draw_devices, training_step
from system.train.plan import Made, Plan, Setting, in_float
from system.train.scaling import Scaling
from system.train.update import Rule, Updated, _Streams, fresh, updated, words_of
from system.train.wear import Levels, mean_levels, no_bits, with_epoch

IMAGES, BATCH = 8, 6
NETWORK = build_network("mlp", np.random.default_rng(0), 4, 3)
LAYERS = layers_of(NETWORK)
NAMES = [layer.name for layer in LAYERS]
Step = Callable[[State, int], tuple[State, jax.Array]]


def stepping(
    made: Made, generators: Generators | None, bits: int | None = None
) -> tuple[State, Step]:
    """The first state of a perceptron on random images, and its step at a number."""
    rule = Rule("sgd", 0.1, 40, BATCH, bits, bits)
    devices = draw_devices(generators, 1, LAYERS)
    course = Course(NETWORK, (), (made,), devices, Scaling.parse((), NAMES), rule, 1, BATCH)
    rng = np.random.default_rng(3)
    pictures = jnp.asarray(rng.uniform(0, 1, (IMAGES, 4, 4)), jnp.float32)
    labels = jnp.asarray(rng.integers(0, 3, IMAGES))
    step = jax.jit(training_step(course, made))

    def at(state: State, number: int) -> tuple[State, jax.Array]:
        return step(state, devices, pictures, labels, jnp.arange(BATCH), jnp.asarray(number))

    return _first(course), at


def equal(first: Any, second: Any) -> bool:
    return bool(jax.tree.all(jax.tree.map(np.array_equal, first, second)))


@cache
def in_binary() -> tuple[State, Step]:
    """A step in floating point, but for registers of 16 bits; compiled once."""
    return stepping(in_float(LAYERS), None, 16)


def test_a_scale_is_moved_by_the_counters_of_its_own_tensor() -> None:
    """Where one is far too small and all others are far too large, it alone goes up."""
    state, step = in_binary()
    shape = len(LAYERS), len(SCALED)
    for place in np.ndindex(shape):
        exponents, wanted = np.full(shape, 8, np.int32), np.full(shape, -1)
        exponents[place], wanted[place] = -24, 1
        after, _ = step(state._replace(exponents=jnp.asarray(exponents)), 0)
        assert np.array_equal(after.exponents - exponents, wanted), place


def on_streams(generators: Generators) -> tuple[State, Step]:
    """A step with the last forward product on streams."""
    plain = in_float(LAYERS)
    last = Product(LAYERS[1].linear, SignMagnitudeCounter(generators, 16), Float(), Float())
    return stepping(Made({**plain.products, "output": last}, plain.updates), generators)


def test_steps_have_streams_of_their_own(generators: Generators) -> None:
    """The same step has the same ones."""
    state, step = on_streams(generators)
    loss = jax.jit(lambda number: step(state, number)[1])
    assert loss(0) == loss(0) and len({float(loss(number)) for number in range(4)}) == 4


def test_all_optimisations_of_the_compiler_change_no_result(generators: Generators) -> None:
    """The tests here compile with few. Another rounding may move a count by one now and then."""
    state, few = on_streams(generators)
    found = [jax.tree.leaves(few(state, 0))]
    every = on_streams(generators)[1]
    jax.config.update("jax_disable_most_optimizations", False)
    try:
        found.append(jax.tree.leaves(every(state, 0)))
    finally:
        jax.config.update("jax_disable_most_optimizations", True)
    assert not equal(jax.tree.leaves(state), found[0][:-1])  # there was a step
    for one, other in zip(*found, strict=True):
        assert np.mean(~np.isclose(one, other, rtol=1e-5, atol=1e-6)) < 0.01


def test_steps_round_by_bits_of_their_own() -> None:
    """The gradient, the same in floating point, enters its registers in other places."""
    state, step = in_binary()
    once, again, other = (step(state, number) for number in (0, 0, 1))
    assert equal(once, again) and once[1] == other[1]
    for first, second in zip(once[0].memory, other[0].memory, strict=True):
        assert np.mean(first.weight != second.weight) > 0.05


def test_constants_are_shifted_to_what_generators_reach_and_the_counts_back(
    generators: Generators,
) -> None:
    """To more than 7/16 and at most 7/8."""
    edges = 0.875 * 2.0 ** -np.arange(4)
    constants = np.r_[edges, np.geomspace(1e-4, 1, 60)].astype(np.float32)
    values, none = jnp.asarray([0.75, -0.5]), Deviation(jnp.zeros(2), None)
    counter = SignMagnitudeCounter(generators, 4096)
    words = np.random.default_rng(5).integers(0, 2**32, (constants.size, 9), np.uint32)

    def times(constant: jax.Array, words: jax.Array) -> tuple[jax.Array, jax.Array]:
        streams = _Streams(counter, none, none, Tape(words))
        made, _, places = streams.times(values, jnp.ones(()), constant, 0)
        return made, places[0]

    made, told = map(np.asarray, jax.jit(jax.vmap(times))(constants, words))
    assert np.all((told > 7 / 16 - 2e-3) & (told < 7 / 8 + 2e-3))
    assert np.allclose(told[:4], 0.875, atol=2e-3)
    shifts = np.log2(constants / told)
    assert np.allclose(shifts, np.round(shifts), atol=0.01)
    assert np.allclose(made / np.outer(constants, values), 1, atol=0.2)


def test_every_product_is_made_by_the_devices_of_its_parameter_and_its_constant(
    generators: Generators,
) -> None:
    """With generators for each use of a weight, by those of the first."""
    rng = np.random.default_rng(8)
    layer = Layer.initial("conv", Convolution(1, 3, 2, 2), rng)  # 4 uses of 4 x 2 weights
    spread = {"w": rng.normal(0, 0.5, (4, 4, 2)), "bias": rng.normal(0, 0.5, 2)}
    spread["constants"] = np.array([0.5, -0.7])
    own = {name: Deviation(jnp.asarray(part), None) for name, part in spread.items()}
    weights, biases = (jnp.asarray(rng.uniform(-1, 1, shape)) for shape in ((4, 2), (2,)))
    counter = SignMagnitudeCounter(generators, 16)

    def told(name: str, part: str) -> jax.Array:
        rule = Rule(name, 0.3, 40, 4)  # at the peak 0.3 / 4 = 0.6 / 8; the leak is 0.8 / 8

        def once() -> Any:
            count = words_of(rule, counter, layer.parameters)
            tape, number = Tape(jnp.zeros(count, jnp.uint32)), jnp.asarray(4)
            new = updated(
                rule, counter, layer, fresh(layer, rule), (weights, biases), jnp.ones(4),
                Devices(x=None, d=None, **own), number, tape,
            )  # fmt: skip
            return getattr(new, part)

        return jax.jit(once)()

    chances = generators.probability(jnp.asarray([0.6, 0.8]), own["constants"])
    assert np.allclose(told("momentum", "constants"), chances, atol=1e-5)
    first = Deviation(jnp.asarray(np.r_[spread["w"][0].ravel(), spread["bias"]]), None)
    shares = jnp.abs(jnp.r_[weights.ravel(), biases])
    assert np.allclose(told("sgd", "levels"), generators.probability(shares, first), atol=1e-5)


X = np.array([[0.5, -0.25, 0.0], [0.25, 0.75, -0.5]])
W = np.array([[0.5, -0.75], [0.0, 0.25], [-0.25, 0.5]])
D = np.array([[0.25, -0.5], [0.75, 0.0]])
ONES = {
    "s": {"x": np.abs(X).sum(0), "w": np.abs(W), "d": np.abs(D).sum(0)},
    "b": {"x": (1 + X).sum(0) / 2, "w": (1 + W) / 2, "d": (1 + D).sum(0) / 2},
}
"""P(bit = 1) summed over both images: of sign-magnitude streams |x|, of bipolar ones (1 + x)/2."""


@pytest.mark.parametrize(
    ("kinds", "x", "w", "d"),
    [  # of forward, input gradient, weight gradient; in whose order the encodings are seen
        ("ssb", "sb", "s", "sb"),
        ("bbs", "bs", "b", "bs"),
        ("sbs", "s", "sb", "bs"),
        ("bsb", "b", "bs", "sb"),
        ("fsb", "b", "s", "sb"),
        ("sfb", "sb", "s", "b"),
        ("s-b", "sb", "s", "b"),
    ],
)
def test_an_operand_shows_both_encodings_of_its_products_in_their_order(
    generators: Generators, kinds: str, x: str, w: str, d: str
) -> None:
    counter, mux = SignMagnitudeCounter(generators, 64), BipolarMux(generators, 64)
    named: dict[str, Arithmetic] = {"s": counter, "b": mux, "f": Float(), "-": counter}
    ways = named[kinds[0]], named[kinds[1]], named[kinds[2]]
    product = Product(Dense(3, 2), *ways, needs_input_gradient="-" not in kinds)
    shapes = (3,), (3, 2), (2,)
    devices = Devices(*(Deviation(jnp.zeros(shape), None) for shape in shapes))
    ahead, back = (jnp.zeros(count, jnp.uint32) for count in product.words(len(X)))
    given = (jnp.asarray(X, jnp.float32), jnp.asarray(W, jnp.float32))

    def seen(errors: jax.Array) -> Any:
        def outputs(probe: Any) -> jax.Array:
            return product(*given, devices, Scales(*jnp.ones(3)), (ahead, back), probe)

        return jax.vjp(outputs, product.probe(devices))[1](errors)[0]

    found = jax.jit(seen)(jnp.asarray(D, jnp.float32))
    for name, order, first, second in zip(
        "xwd", (x, w, d), found.levels, found.second, strict=True
    ):
        assert np.allclose(first, ONES[order[0]][name], atol=6e-3)
        assert (second is None) == (len(order) == 1)
        if second is not None:
            assert np.allclose(second, ONES[order[1]][name], atol=6e-3)


def test_second_encodings_count_in_the_second_products() -> None:
    """In the bits that wear an operand's generators, and in the means of its products."""
    steps, batch, constants = 3, 4, 1
    images = steps * batch
    layer = Layer.initial("a", Dense(3, 2), np.random.default_rng(0))
    lengths = {"forward": 8, "input_gradient": 5, "weight_gradient": 2, "update": 16}
    settings = {("a", name): Setting("counter", bits) for name, bits in lengths.items()}
    x, w, d = (
        part * times for part, times in zip((X[1], W, D[0]), (images, steps, images), strict=True)
    )
    x2, w2, d2 = x + 0.5 * images, w + 0.25 * steps, d - 0.125 * images
    nothing: Any = np.zeros(4)
    rest: tuple[Any, Any] = np.zeros(8), np.zeros(1)
    new = Updated(layer, fresh(layer, Rule("sgd", 0.1, 40, batch)), nothing, nothing, *rest)
    twice = _levels(Seen(nothing, nothing, (x, w, d), (x2, w2, d2)), new)
    once = Levels(x, w, d, *rest)
    bits = with_epoch(
        (no_bits(twice),), (twice,), Plan(settings), (layer,), steps, batch, constants
    )[0]
    assert np.allclose(bits.x, 8 * x + 2 * x2)
    assert np.allclose(bits.w, 8 * w + 5 * w2)
    assert np.allclose(bits.d, 5 * d + 2 * d2)
    assert bits.made.tolist() == [10 * images, 13 * steps, 7 * images, 16 * steps]
    means = mean_levels((twice, once), steps, batch, constants)
    for name, values, more in (("x", X[1], 0.5), ("w", W, 0.25), ("d", D[0], -0.125)):
        assert means[name] == pytest.approx(np.full(2, values.mean()))
        assert means[f"{name}2"] == pytest.approx(values.mean() + np.array([more, 0.0]))
