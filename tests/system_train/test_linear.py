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
    SignMagnitudeCounter,
)
from system.arithmetic.base import power_of_two_scale
from system.networks import LAYERS, linear_layers, parameter_count

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


def gradients(product: Product, x: jax.Array, w: jax.Array, devices: Devices) -> Any:
    """Outputs, and gradients of sum(outputs x a fixed cotangent) with respect to x, w and probe."""
    words = words_for(product, x.shape[0])
    pull = jnp.asarray(
        np.random.default_rng(9).normal(size=(x.shape[0], *product.linear.output_shape))
    )

    def total(x: jax.Array, w: jax.Array, probe: jax.Array) -> tuple[jax.Array, jax.Array]:
        outputs = product(x, w, devices, words, probe)
        return jnp.sum(outputs * pull), outputs

    def plain(x: jax.Array, w: jax.Array) -> jax.Array:
        return jnp.sum(reference(product.linear, x, w) * pull)

    found, outputs = jax.jit(jax.grad(total, (0, 1, 2), has_aux=True))(x, w, jnp.zeros(3))
    return outputs, found, jax.jit(jax.grad(plain, (0, 1)))(x, w)


def inputs(linear: Linear, images: int = 4) -> tuple[jax.Array, jax.Array]:
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.normal(size=(images, *linear.input_shape)), jnp.float32)
    return x, jnp.asarray(rng.normal(size=linear.weight_shape), jnp.float32)


@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "valid", "padded"])
def test_exact_products_and_gradients_are_those_of_jax(linear: Linear) -> None:
    x, w = inputs(linear)
    outputs, found, wanted = gradients(Product(Float(), linear), x, w, NOWHERE)
    assert np.allclose(outputs, reference(linear, x, w), atol=1e-4)
    assert np.allclose(found[0], wanted[0], atol=1e-4)
    assert np.allclose(found[1], wanted[1], atol=1e-4)


@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "valid", "padded"])
def test_long_streams_of_equal_devices_give_the_plain_gradients(
    generators: Generators, linear: Linear
) -> None:
    """What is left is the noise of 4,096 bits and the limited code range (p <= 0.975)."""
    x, w = inputs(linear, images=16)
    devices = Devices(
        *(
            Deviation(jnp.zeros(shape), None)
            for shape in (linear.input_shape, linear.weight_shape, linear.output_shape)
        )
    )
    product = Product(SignMagnitudeCounter(generators, 4096), linear)
    outputs, found, wanted = gradients(product, x, w, devices)
    for found_array, wanted_array in (
        (outputs, reference(linear, x, w)),
        *zip(found, wanted, strict=False),
    ):
        ours, plain = np.asarray(found_array), np.asarray(wanted_array)
        error = np.sqrt(np.mean((ours - plain) ** 2))
        assert error < 0.1 * np.std(plain)
        assert np.corrcoef(np.ravel(ours), np.ravel(plain))[0, 1] > 0.995


def test_probe_carries_the_mean_bit_probabilities(generators: Generators) -> None:
    linear = Dense(7, 5)
    x, w = inputs(linear)
    devices = Devices(*(Deviation(jnp.zeros(n), None) for n in ((7,), (7, 5), (5,))))
    product = Product(SignMagnitudeCounter(generators, 64), linear)
    probe = gradients(product, x, w, devices)[1][2]
    for value, mean in zip((x, w), probe[:2], strict=True):
        assert float(jnp.mean(jnp.abs(value) / power_of_two_scale(value))) == pytest.approx(
            float(mean), abs=5e-3
        )


def test_first_layer_makes_no_input_gradient(generators: Generators) -> None:
    linear = LINEARS[2]
    arithmetic = SignMagnitudeCounter(generators, 64)
    with_gradient = Product(arithmetic, linear).words(3)
    without = Product(arithmetic, linear, needs_input_gradient=False).words(3)
    assert without[0] == with_gradient[0] and without[1] < with_gradient[1]
    x, w = inputs(linear)
    found = gradients(Product(Float(), linear, False), x, w, NOWHERE)[1]
    assert np.all(np.asarray(found[0]) == 0)


def test_mux_gradients_have_the_variance_of_their_fan_in(generators: Generators) -> None:
    """With all values 0 (p = 1/2) an estimate of n products has the variance n^2/N.

    2,000 images give a standard error of 3.2 % at each input and 0.6 % over all outputs.
    """
    linear = Convolution(2, 6, 3, 3)
    product = Product(BipolarMux(generators, 100), linear)
    half = float(generators.probability(jnp.asarray(0.5), Deviation(jnp.zeros(()), None)))
    assert half == pytest.approx(0.5, abs=0.005)
    images = 2_000
    devices = Devices(
        *(
            Deviation(jnp.zeros(shape), None)
            for shape in (linear.input_shape, linear.weight_shape, linear.output_shape)
        )
    )
    x, w = jnp.zeros((images, *linear.input_shape)), jnp.zeros(linear.weight_shape)
    words = words_for(product, images)

    def outputs(x: jax.Array, w: jax.Array) -> jax.Array:
        return product(x, w, devices, words, jnp.zeros(3))

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
    for value, scale in (
        (0.0, 1),
        (1.0, 1),
        (1.0001, 2),
        (0.25, 0.25),
        (-0.3, 0.5),
        (3e-5, 2**-15),
    ):
        assert float(power_of_two_scale(jnp.array([value, 0.0]))) == scale


def test_lenet_has_the_known_size() -> None:
    layers = linear_layers(10)
    assert dict(zip(LAYERS, (layer.macs for layer in layers), strict=True)) == {
        "conv1": 117_600,
        "conv2": 240_000,
        "fc1": 48_000,
        "fc2": 10_080,
        "fc3": 840,
    }
    assert parameter_count(10) == 61_706
