"""The update: optax in binary, the same on streams but for a noise in closed form.

With generators that do not differ (zero D2D) and the probabilities their DAC codes give.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from system.arithmetic import (
    Arithmetic,
    BipolarMux,
    BitExact,
    Dense,
    Deviation,
    Devices,
    Generators,
    SignMagnitudeCounter,
)
from system.arithmetic.noise import Tape
from system.images import Images
from system.networks import Layer, build_network, layers_of
from system.train.learning import Course, State, _first, draw_devices, training_step
from system.train.plan import Made, in_float, plans
from system.train.scaling import Scaling
from system.train.update import (
    CONSTANTS,
    LEAK,
    RULES,
    Memory,
    Rule,
    Updated,
    _held,
    fresh,
    updated,
    words_of,
)

BATCH, STEPS, LENGTH = 4, 40, 16
ONES = jnp.ones(4)


def devices_of(layer: Layer) -> Devices:
    """Generators that are all the nominal one."""
    shapes = (layer.linear.input_shape, layer.weight.shape, layer.linear.output_shape)
    same = [Deviation(jnp.zeros(shape), None) for shape in (*shapes, layer.bias.shape, (2,))]
    return Devices(*same)


def small_layer(seed: int = 0, inputs: int = 3, outputs: int = 2) -> Layer:
    rng = np.random.default_rng(seed)
    layer = Layer.initial("fc", Dense(inputs, outputs), rng)
    bias = jnp.asarray(rng.uniform(-0.5, 0.5, outputs), jnp.float32)
    return Layer(layer.weight, bias, layer.name, layer.linear)


def binary(rule: Rule, layer: Layer, memory: Memory, gradient: Any, number: int) -> Updated:
    nothing = Tape(jnp.zeros(0, jnp.uint32))
    devices = Devices(None, None, None)
    return updated(rule, None, layer, memory, gradient, ONES, devices, jnp.asarray(number), nothing)


@pytest.mark.parametrize("name", RULES)
def test_the_binary_update_is_that_of_optax_on_the_mean_gradient(name: str) -> None:
    rule, layer = Rule(name, 0.3, STEPS, BATCH), small_layer()
    reference = {
        "sgd": optax.sgd(rule.rate_at),
        "momentum": optax.sgd(rule.rate_at, momentum=0.9),
        "adam": optax.adam(rule.rate_at),
    }[name]
    wanted: Any = (layer.weight, layer.bias)
    state, memory = reference.init(wanted), fresh(layer, rule)
    rng = np.random.default_rng(1)
    moved = 0.0
    step = jax.jit(partial(binary, rule))
    for number in range(12):
        mean = tuple(jnp.asarray(rng.normal(0.1, 1, part.shape), jnp.float32) for part in wanted)
        change, state = reference.update(mean, state, wanted)
        wanted = optax.apply_updates(wanted, change)
        summed = tuple(BATCH * part for part in mean)
        new = step(layer, memory, summed, number)
        layer, memory = new.layer, new.memory
        moved += float(jnp.max(jnp.abs(change[0])))
    for found, part in zip((layer.weight, layer.bias), wanted, strict=True):
        assert np.allclose(found, part, atol=2e-6 * moved)
    assert moved > 0.02


def test_the_rate_rises_then_falls_to_nothing() -> None:
    rule = Rule("sgd", 0.3, 40, BATCH)
    rates = np.asarray(rule.rate_at(jnp.arange(41)))
    assert rates[0] == pytest.approx(0.03) and rates[4] == pytest.approx(0.3)
    assert np.all(np.diff(rates[:5]) > 0) and np.all(np.diff(rates[4:]) < 0) and rates[40] < 1e-9
    for steps in (1, 2, 3):  # the shortest runs move too
        short = Rule("sgd", 0.3, steps, BATCH)
        assert np.all(np.asarray(short.rate_at(jnp.arange(steps))) > 0.02)


SIDE = 2**8
EVERY = np.arange(SIDE**2, dtype=np.uint32) * np.uint32(2**16 + 1)
"""Each of the 2^16 random levels, in both halves of a word."""


def of_all_words(
    value: float, bits: int, scale: float, words: np.ndarray = EVERY
) -> tuple[np.ndarray, np.ndarray]:
    """Registers of w and of m that get ``value``, each with one of the words."""
    side = SIDE
    rule = Rule("sgd", 1e-9, STEPS, BATCH, bits, bits)
    layer = Layer(jnp.full((side, side), value), jnp.zeros(side), "fc", Dense(side, side))
    tape = Tape(jnp.concatenate([jnp.asarray(words), jnp.zeros(side, jnp.uint32)]))
    gradient = (jnp.full((side, side), value), jnp.zeros(side))
    scales = jnp.asarray([scale, scale, 1.0, 1.0])
    nothing = Devices(None, None, None)
    new = updated(
        rule,
        None,
        layer,
        fresh(layer, rule),
        gradient,
        scales,
        nothing,
        jnp.asarray(0),
        tape,
    )
    # The rate leaves w where it is, in 32 bits.
    return np.asarray(new.layer.weight, float), np.asarray(new.memory.weight, float)


@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize("share", [0.3, -0.3, 0.0123, 0.71, -0.86])
def test_stochastic_rounding_has_the_values_mean_and_takes_a_neighbour(
    bits: int, share: float
) -> None:
    scale = 4.0
    place = scale / 2 ** (bits - 1)
    value = float(np.float32(share * scale))
    for held in of_all_words(value, bits, scale):
        assert np.array_equal(held / place, np.round(held / place))
        assert abs(held.mean() - value) <= 2.0**-16 * place
        assert np.all(np.abs(held - value) < place)


@pytest.mark.parametrize("bits", [4, 16])
def test_numbers_a_register_holds_stay_and_larger_ones_saturate(bits: int) -> None:
    scale, most = 2.0, 2 ** (bits - 1)
    for places in (0, 1, -3, most - 1, 1 - most):
        value = places * scale / most
        assert all(np.all(held == value) for held in of_all_words(value, bits, scale))
    end = scale * (1 - 1 / most)
    for value in (1.001 * scale, 50.0):
        assert all(np.all(held == end) for held in of_all_words(value, bits, scale))
        assert all(np.all(held == -end) for held in of_all_words(-value, bits, scale))


def test_weights_and_their_memory_are_rounded_by_bits_of_their_own() -> None:
    """By equal ones, the errors of equal numbers would be one and the same."""
    words = np.random.default_rng(2).integers(0, 2**32, SIDE**2, np.uint32)
    w, m = of_all_words(1.2, 8, 4.0, words)
    assert w.std() > 0 and m.std() > 0
    assert abs(np.corrcoef(w.ravel(), m.ravel())[0, 1]) < 4 / SIDE


@pytest.mark.parametrize("bits", [20, 24])
@pytest.mark.parametrize("change", [0.001, -0.001, 0.3, -7.62])
def test_wide_registers_take_changes_far_below_a_floats_last_place(
    bits: int, change: float
) -> None:
    scale, most = 2.0, 2 ** (bits - 1)
    place = scale / most
    for places in (most - 20, 20 - most, most // 3):
        value = jnp.full(EVERY.shape, places * place, jnp.float32)
        moved = jnp.full(EVERY.shape, change * place, jnp.float32)
        held = _held(value, moved, jnp.asarray(scale), bits, jnp.asarray(EVERY), 0)
        found = np.asarray(held, float) / place - places
        assert abs(found.mean() - change) < 2.0**-15
        assert set(found) <= {np.floor(change), np.ceil(change)}


def kinds(generators: Generators) -> dict[str, Arithmetic | None]:
    counter = SignMagnitudeCounter(generators, LENGTH)
    return {
        "binary": None,
        "counter": counter,
        "mux": BipolarMux(generators, LENGTH),
        "exact": BitExact(counter),
    }


@pytest.mark.parametrize("name", ["sgd", "momentum"])
@pytest.mark.parametrize("bits", [None, 12])
@pytest.mark.parametrize("kind", ["binary", "counter", "mux", "exact"])
def test_an_update_uses_its_random_words_up(
    generators: Generators, kind: str, bits: int | None, name: str
) -> None:
    layer, arithmetic = small_layer(), kinds(generators)[kind]
    rule = Rule(name, 0.1, STEPS, BATCH, bits, bits)
    count = words_of(rule, arithmetic, layer.parameters)
    gradient = (layer.weight, layer.bias)
    used = []

    def made(words: jax.Array) -> jax.Array:
        tape = Tape(words)
        memory, devices = fresh(layer, rule), devices_of(layer)
        number = jnp.asarray(0)
        new = updated(rule, arithmetic, layer, memory, gradient, ONES, devices, number, tape)
        used.append(tape.used)
        return new.layer.weight

    jax.eval_shape(made, jax.ShapeDtypeStruct((count + 5,), jnp.uint32))
    assert used == [count]
    rounding = layer.parameters if bits else 0
    assert (count == rounding) == (kind == "binary") and count >= rounding


class Sampled(NamedTuple):
    """Many updates of one layer, on streams: (repeats, parameters); and what went in."""

    w: np.ndarray
    m: np.ndarray
    w_before: np.ndarray
    m_before: np.ndarray
    gradient: np.ndarray
    scales: np.ndarray
    rate: float


REPEATS = {"moments": 6000, "exact": 400}


def sampled(arithmetic: Arithmetic, repeats: int, one_by_one: bool) -> Sampled:
    layer, rule = small_layer(3), Rule("momentum", 0.4, STEPS, BATCH)
    rng = np.random.default_rng(4)
    drawn = [rng.uniform(-1, 1, layer.parameters).astype(np.float32) for _ in range(2)]
    cut = layer.weight.size
    m, g = drawn[0] * np.r_[np.full(cut, 0.9), np.full(2, 0.4)], drawn[1] * 0.05
    parts = [
        (jnp.asarray(x[:cut].reshape(layer.weight.shape)), jnp.asarray(x[cut:])) for x in (m, g)
    ]
    scales = np.array([1.0, 1.0, 1.0, 0.5], np.float32)
    devices, number = devices_of(layer), jnp.asarray(7)
    count = words_of(rule, arithmetic, layer.parameters)
    words = rng.integers(0, 2**32, (repeats, count), np.uint32)

    def once(words: jax.Array) -> tuple[jax.Array, jax.Array]:
        new = updated(
            rule, arithmetic, layer, Memory(*parts[0]), parts[1], jnp.asarray(scales), devices,
            number, Tape(words),
        )  # fmt: skip
        rows = (new.layer.weight, new.layer.bias), new.memory[:2]
        w, m = (jnp.concatenate([a.reshape(-1), b]) for a, b in rows)
        return w, m

    run = partial(jax.lax.map, once) if one_by_one else jax.vmap(once)
    w_after, m_after = jax.jit(run)(words)
    before = np.concatenate([np.asarray(layer.weight).ravel(), np.asarray(layer.bias)])
    rate = float(rule.rate_at(number)) / BATCH
    per_parameter = np.r_[np.full(cut, scales[1]), np.full(2, scales[3])]
    return Sampled(np.array(w_after), np.array(m_after), before, m, g, per_parameter, rate)


def product_of(
    generators: Generators, values: np.ndarray, scales: np.ndarray, constant: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance and common variance of values times a constant, counted in N bits.

    The constant's stream, bits of mean c, is one for all; the AND with streams of means p is
    counted: Binomial(N, c p) each, and two of them meet in p q c (1 - c)/N (derived: their bits are
    independent given the constant's). The latter as a factor of each parameter.
    """
    mantissa, exponent = np.frexp(constant)
    none = Deviation(jnp.zeros(1), None)
    c = float(generators.probability(jnp.asarray([mantissa], jnp.float32), none)[0])
    share = jnp.asarray(np.abs(values) / scales, jnp.float32)
    p = np.asarray(generators.probability(share, Deviation(jnp.zeros(share.shape), None)), float)
    unit = np.sign(values) * scales * 2.0**exponent
    factor = unit * p * np.sqrt(c * (1 - c) / LENGTH)
    return unit * p * c, unit**2 * c * p * (1 - c * p) / LENGTH, factor


def agree(samples: np.ndarray, variance: np.ndarray, factor: np.ndarray) -> None:
    """Rows of mean 0, this variance (of each row, or all) and covariances of the factors."""
    repeats = len(samples)
    variance, factor = (np.atleast_2d(part) for part in (variance, factor))
    error = np.sqrt(variance.mean(0) / repeats)
    assert np.all(np.abs(samples.mean(0)) < 4 * error)
    second = samples[:, :, None] * samples[:, None, :]
    wanted = (factor[:, :, None] * factor[:, None, :]).mean(0)
    wanted[np.diag_indices(samples.shape[1])] = variance.mean(0)
    assert np.all(np.abs(second.mean(0) - wanted) < 4.5 * second.std(0) / np.sqrt(repeats))


@pytest.mark.parametrize("kind", ["moments", "exact"])
def test_on_streams_the_update_has_the_binary_mean_and_the_counts_variance(
    generators: Generators, kind: str
) -> None:
    """And the covariance that the shared stream of the constant gives two parameters."""
    counter = SignMagnitudeCounter(generators, LENGTH)
    arithmetic = BitExact(counter) if kind == "exact" else counter
    found = sampled(arithmetic, REPEATS[kind], kind == "exact")
    leaked, variance, factor = product_of(generators, found.m_before, found.scales, LEAK)
    agree(found.m - (found.m_before + found.gradient - leaked), variance, factor)
    # What w moves by, given the memory that came out of the first product.
    moved, variance, factor = product_of(generators, found.m, found.scales, found.rate)
    agree(found.w_before - found.w - moved, variance, factor)
    # Beyond the noise there are the DAC's steps only.
    ideal_m = found.m_before * (1 - LEAK) + found.gradient
    noise = 4 * found.m.std(0) / np.sqrt(REPEATS[kind])
    assert np.all(np.abs(found.m.mean(0) - ideal_m) < noise + 2e-3 * LEAK)
    ideal_w = found.w_before - found.rate * ideal_m
    noise = 4 * found.w.std(0) / np.sqrt(REPEATS[kind])
    assert np.all(np.abs(found.w.mean(0) - ideal_w) < noise + 4e-3 * found.rate)
    assert np.min(np.abs(factor)) > 0  # all parameters took part


def test_the_constants_probabilities_are_told_for_each_product(generators: Generators) -> None:
    layer, counter = small_layer(), SignMagnitudeCounter(generators, LENGTH)
    for name, wanted in (("sgd", [0.8]), ("momentum", [0.8, 0.8])):
        rule = Rule(name, 0.1 * BATCH, 1000, BATCH)  # at the peak 0.1 = 0.8 / 8, as the leak is

        def told(words: jax.Array, rule: Rule = rule) -> tuple[jax.Array, jax.Array]:
            memory, number = fresh(layer, rule), jnp.asarray(100)
            gradient = (layer.weight, layer.bias)
            new = updated(
                rule, counter, layer, memory, gradient, ONES, devices_of(layer), number, Tape(words)
            )
            return new.levels, new.constants

        words = jnp.zeros(words_of(rule, counter, layer.parameters), jnp.uint32)
        levels, constants = jax.jit(told)(words)
        assert np.allclose(constants, wanted, atol=2e-3) and len(wanted) == CONSTANTS[name]
        assert levels.shape == (layer.parameters,)


def course(rule: str, made: Made, generators: Generators) -> Course:
    network = build_network("mlp", np.random.default_rng(0), 4, 3)
    layers = layers_of(network)
    names = [layer.name for layer in layers]
    plan = plans(names, mac="x", length=LENGTH, rules=(), schedule="", epochs=1)
    return Course(
        network, plan, [made], draw_devices(generators, 1, layers), Scaling.parse((), names),
        Rule(rule, 0.1, STEPS, BATCH, 16, 16), 1, BATCH,
    )  # fmt: skip


def shapes(tree: Any) -> Any:
    return jax.tree.map(lambda part: (part.shape, part.dtype), tree)


@pytest.mark.parametrize("streams", [False, True], ids=["binary", "streams"])
@pytest.mark.parametrize("rule", RULES)
def test_a_step_keeps_the_shapes_of_its_state(
    generators: Generators, rule: str, streams: bool
) -> None:
    """Or it is compiled twice, and a checkpoint does not fit the run it goes on with."""
    layers = layers_of(build_network("mlp", np.random.default_rng(0), 4, 3))
    counter = SignMagnitudeCounter(generators, LENGTH)
    update = counter if streams and rule != "adam" else None
    made = Made(in_float(layers).products, {layer.name: update for layer in layers})
    run = course(rule, made, generators)
    state = _first(run)
    pictures, labels = np.zeros((8, 4, 4), np.float32), np.zeros(8, np.int32)
    images = Images("", "", pictures, labels, pictures, labels, (0, 1, 2))
    step: Callable[..., tuple[State, jax.Array]] = training_step(run, made)
    arguments = run.devices, images.train, images.train_labels, jnp.arange(BATCH), jnp.asarray(0)
    after, loss = jax.eval_shape(step, state, *arguments)
    assert shapes(after) == shapes(state) and loss.shape == ()
