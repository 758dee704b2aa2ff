"""The three products of a layer, against JAX's own convolution and its derivatives."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from system.arithmetic import (
    BipolarMux,
    Convolution,
    Dense,
    Deviation,
    Devices,
    Float,
    Generators,
    Linear,
    Product,
    Scales,
    Seen,
    SignMagnitudeCounter,
)
from system.arithmetic.moments import Moments
from system.arithmetic.noise import Tape
from system.networks import LeNet5, layers_of
from system.train.scaling import LOWEST, scale_of
from system.train.score import _least

LINEARS = [Dense(7, 5), Convolution(2, 6, 3, 3), Convolution(1, 8, 4, 5, padding=2)]
NOWHERE = Devices(None, None, None)


def reference(linear: Linear, x: jax.Array, w: jax.Array) -> jax.Array:
    """The layer by jax.lax."""
    if isinstance(linear, Dense):
        return x @ w
    assert isinstance(linear, Convolution)
    kernel = w.T.reshape(linear.outputs, linear.channels, linear.kernel, linear.kernel)
    edge = (linear.padding, linear.padding)
    return (
        jax.lax.conv(x, kernel, (1, 1), "VALID")
        if not linear.padding
        else (jax.lax.conv_general_dilated(x, kernel, (1, 1), (edge, edge)))
    )


def words_for(product: Product, images: int, seed: int = 0) -> tuple[jax.Array, jax.Array]:
    ahead, back = product.words(images)
    keys = jax.random.split(jax.random.key(seed))
    return jax.random.bits(keys[0], (ahead,)), jax.random.bits(keys[1], (back,))


def cotangent(linear: Linear, images: int) -> jax.Array:
    """Errors: derivatives with respect to the outputs."""
    rng = np.random.default_rng(9)
    return jnp.asarray(rng.normal(size=(images, *linear.output_shape)), jnp.float32)


def scales_for(linear: Linear, x: jax.Array, w: jax.Array) -> Scales:
    """The least powers of two that no number is beyond."""
    operands = x, w, cotangent(linear, x.shape[0])
    largest = [float(jnp.max(jnp.abs(values))) for values in operands]
    return Scales(*(jnp.asarray(2.0 ** np.ceil(np.log2(value))) for value in largest))


def equal_devices(linear: Linear) -> Devices:
    """Devices like the nominal one."""
    shapes = linear.input_shape, linear.weight_shape, linear.output_shape
    return Devices(*(Deviation(jnp.zeros(shape), None) for shape in shapes))


def gradients(
    product: Product,
    x: jax.Array,
    w: jax.Array,
    devices: Devices,
    scales: Scales | None = None,
) -> Any:
    """Outputs, and gradients of sum(outputs x a fixed cotangent) with respect to x, w and probe."""
    words = words_for(product, x.shape[0])
    pull = cotangent(product.linear, x.shape[0])
    held = scales_for(product.linear, x, w) if scales is None else scales

    def total(x: jax.Array, w: jax.Array, probe: Seen) -> tuple[jax.Array, jax.Array]:
        outputs = product(x, w, devices, held, words, probe)
        return jnp.sum(outputs * pull), outputs

    def plain(x: jax.Array, w: jax.Array) -> jax.Array:
        return jnp.sum(reference(product.linear, x, w) * pull)

    probe = product.probe(devices)
    found, outputs = jax.jit(jax.grad(total, (0, 1, 2), has_aux=True))(x, w, probe)
    return outputs, found, jax.jit(jax.grad(plain, (0, 1)))(x, w)


def inputs(linear: Linear, images: int = 4) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.normal(size=(images, *linear.input_shape)), jnp.float32)
    return x, jnp.asarray(rng.normal(size=linear.weight_shape), jnp.float32)


@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "valid", "padded"])
def test_exact_products_and_gradients_are_those_of_jax(linear: Linear) -> None:
    x, w = inputs(linear)
    outputs, found, wanted = gradients(Product.of(Float(), linear), x, w, NOWHERE)
    assert np.allclose(outputs, reference(linear, x, w), atol=1e-4)
    assert np.allclose(found[0], wanted[0], atol=1e-4)
    assert np.allclose(found[1], wanted[1], atol=1e-4)


@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "valid", "padded"])
def test_long_streams_of_equal_devices_give_the_plain_gradients(
    generators: Generators, linear: Linear
) -> None:
    """What is left is the noise of 4,096 bits and the limited code range (p <= 0.975)."""
    x, w = inputs(linear, images=16)
    product = Product.of(SignMagnitudeCounter(generators, 4096), linear)
    outputs, found, wanted = gradients(product, x, w, equal_devices(linear))
    for found_array, wanted_array in (
        (outputs, reference(linear, x, w)),
        *zip(found, wanted, strict=False),
    ):
        ours, plain = np.asarray(found_array), np.asarray(wanted_array)
        error = np.sqrt(np.mean((ours - plain) ** 2))
        assert error < 0.1 * np.std(plain)
        assert np.corrcoef(np.ravel(ours), np.ravel(plain))[0, 1] > 0.995


def test_each_product_has_an_arithmetic_of_its_own(generators: Generators) -> None:
    """Only the input gradient on streams: the other two are plain, and need no random words."""
    linear = LINEARS[0]
    x, w = inputs(linear)
    counter, devices = SignMagnitudeCounter(generators, 64), equal_devices(linear)
    mixed = Product(linear, Float(), counter, Float())
    whole = Product.of(counter, linear)
    assert mixed.words(4)[0] == 0 < mixed.words(4)[1] < whole.words(4)[1]
    outputs, found, wanted = gradients(mixed, x, w, devices)
    assert np.allclose(outputs, reference(linear, x, w), atol=1e-4)
    assert np.allclose(found[1], wanted[1], atol=1e-4)
    assert not np.allclose(found[0], wanted[0], atol=0.1)
    words, scales, errors = words_for(mixed, 4)[1], scales_for(linear, x, w), cotangent(linear, 4)

    @jax.jit
    def by_hand(words: jax.Array) -> jax.Array:
        d = counter.encode(errors, devices.d, scales.d)
        return counter.input_gradient(
            linear, d, counter.encode(w, devices.w, scales.w), Tape(words)
        )

    assert np.allclose(found[0], by_hand(words), atol=1e-5)


def test_probe_carries_what_each_generator_and_each_counter_saw(generators: Generators) -> None:
    """Sums over images of P(bit = 1) by generator; shares beyond a scale given and its half."""
    linear, images = Dense(7, 5), 4
    x, w = inputs(linear, images)
    d = cotangent(linear, images)
    product = Product.of(SignMagnitudeCounter(generators, 64), linear)
    seen: Seen = gradients(product, x, w, equal_devices(linear))[1][2]
    held = scales_for(linear, x, w)
    for value, scale, level, times in zip((x, w, d), held, seen.levels, (4, 1, 4), strict=True):
        share = jnp.abs(value) / scale
        assert float(jnp.mean(share)) == pytest.approx(float(jnp.mean(level)) / times, abs=5e-3)
        by_generator = jnp.sum(share.reshape(-1, *level.shape), axis=0)
        # Codes end at P = 0.975, and lie 1/256 apart.
        assert np.allclose(level, by_generator, atol=0.03 * times)
    assert np.all(seen.over == 0) and np.all(np.asarray(seen.above) > 0)
    small = Scales(*(jnp.asarray(size) for size in (0.5, 1.0, 0.25)))
    seen = gradients(Product.of(Float(), linear), x, w, NOWHERE, small)[1][2]
    for index, (value, scale) in enumerate(zip((x, w, d), small, strict=True)):
        assert float(seen.over[index]) == pytest.approx(np.mean(np.abs(value) > scale))
        assert float(seen.above[index]) == pytest.approx(np.mean(np.abs(value) > scale / 2))
    assert np.all(np.asarray(seen.over) > 0)


@pytest.mark.parametrize("kind", [SignMagnitudeCounter, BipolarMux])
def test_a_scale_shifts_numbers_and_saturates_those_beyond_it(
    generators: Generators, kind: type[Moments]
) -> None:
    values = jnp.asarray([-3.0, -0.25, -0.1, 0.0, 0.003, 0.2, 0.25, 0.26, 100.0])
    device = Deviation(jnp.zeros(9), None)
    arithmetic, one = kind(generators, 64), jnp.ones(())
    held = arithmetic.encode(values, device, jnp.asarray(0.25))
    plain = arithmetic.encode(jnp.clip(4 * values, -1, 1), device, one)
    assert np.array_equal(held.probability, plain.probability)
    assert np.array_equal(held.sign, plain.sign) and float(held.scale) == 0.25


def test_first_layer_makes_no_input_gradient(generators: Generators) -> None:
    linear = LINEARS[2]
    arithmetic = SignMagnitudeCounter(generators, 64)
    with_gradient = Product.of(arithmetic, linear).words(3)
    without = Product.of(arithmetic, linear, needs_input_gradient=False).words(3)
    assert without[0] == with_gradient[0] and without[1] < with_gradient[1]
    x, w = inputs(linear)
    found = gradients(Product.of(Float(), linear, False), x, w, NOWHERE)[1]
    assert np.all(np.asarray(found[0]) == 0)


def test_mux_gradients_have_the_variance_of_their_fan_in(generators: Generators) -> None:
    """With all values 0 (p = 1/2) an estimate of n products has the variance n^2/N.

    2,000 images give a standard error of 3.2 % at each input and 0.6 % over all outputs.
    """
    linear = Convolution(2, 6, 3, 3)
    product = Product.of(BipolarMux(generators, 100), linear)
    half = float(generators.probability(jnp.asarray(0.5), Deviation(jnp.zeros(()), None)))
    assert half == pytest.approx(0.5, abs=0.005)
    images = 2_000
    devices, ones = equal_devices(linear), Scales(*(jnp.ones(()),) * 3)
    x, w = jnp.zeros((images, *linear.input_shape)), jnp.zeros(linear.weight_shape)
    words = words_for(product, images)

    def outputs(x: jax.Array, w: jax.Array) -> jax.Array:
        return product(x, w, devices, ones, words, product.probe(devices))

    @jax.jit
    def all_three(x: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        made, pull_back = jax.vjp(outputs, x, w)
        return made, *pull_back(jnp.zeros_like(made))

    made, dx, dw = (np.asarray(array) for array in all_three(x, w))
    assert np.var(made) == pytest.approx(18**2 / 100, rel=0.05)
    terms = linear.input_gradient_terms
    assert np.allclose(np.var(dx, axis=0), terms**2 / 100, rtol=0.16)
    assert terms.sum() == linear.macs and terms.max() == linear.fan_ins[1]
    # 54 sums over the images: 5 standard errors of a variance from 54 values are 96 %.
    assert np.var(dw) == pytest.approx(images * 16**2 / 100, rel=0.96)


def test_scales_are_the_least_powers_of_two() -> None:
    """Those of a network trained in floating point; an eighth of eight numbers may be beyond."""
    for value, scale in (
        (0.0, 2.0**LOWEST),
        (1.0, 1),
        (1.0001, 2),
        (0.25, 0.25),
        (-0.3, 0.5),
        (3e-5, 2**-15),
    ):
        values = np.array([value, 0.0])
        assert float(scale_of(jnp.asarray(_least(values, 0.0)))) == scale
        outlier = np.array([value] * 7 + [1e3])
        assert float(scale_of(jnp.asarray(_least(outlier, 1 / 8)))) == scale
        assert _least(outlier, 0.124) == 10


def test_lenet_has_the_known_size() -> None:
    layers = layers_of(LeNet5.initial(np.random.default_rng(0), 28, 10))
    assert {layer.name: layer.linear.macs for layer in layers} == {
        "conv1": 117_600,
        "conv2": 240_000,
        "fc1": 48_000,
        "fc2": 10_080,
        "fc3": 840,
    }
    assert sum(layer.parameters for layer in layers) == 61_706
