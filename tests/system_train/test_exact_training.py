"""Bit-exact arithmetic inside JAX: the same numbers as without it, in training steps too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from system.arithmetic import (
    BipolarMux,
    Convolution,
    Dense,
    Devices,
    Generators,
    Linear,
    Operand,
    Product,
    Scales,
    SignMagnitudeCounter,
)
from system.arithmetic.exact import BitExact
from system.bitstream import BATCH, Encoded, StreamRules
from system.networks import LeNet5, Products, layers_of
from system.networks.exact import ExactProducts, layer_keys
from system.train.learning import draw_devices, scales_of

ROOT = Path(__file__).resolve().parents[2]
LINEARS: tuple[Linear, ...] = (Dense(6, 4), Convolution(2, 6, 3, 3, padding=1))


def exact_of(kind: str, generators: Generators) -> BitExact:
    if kind == "sign-magnitude":
        return BitExact(SignMagnitudeCounter(generators, 70), rules=StreamRules(2))
    return BitExact(BipolarMux(generators, 70))


def streams(operand: Operand) -> Encoded:
    return Encoded(np.asarray(operand.probability), np.asarray(operand.sign))


@pytest.mark.parametrize("kind", ["sign-magnitude", "bipolar"])
@pytest.mark.parametrize("linear", LINEARS, ids=["dense", "convolution"])
def test_a_training_step_gives_what_numpy_gives(
    generators: Generators, linear: Linear, kind: str
) -> None:
    rng = np.random.default_rng(1)
    exact, images = exact_of(kind, generators), 5
    shapes = (linear.input_shape, linear.weight_shape, linear.output_shape)
    devices = Devices(*(generators.draw_devices(rng, shape) for shape in shapes))
    x = jnp.asarray(rng.uniform(-1, 1, (images, *shapes[0])), jnp.float32)
    w = jnp.asarray(rng.uniform(-1, 1, shapes[1]), jnp.float32)
    d = jnp.asarray(rng.uniform(-1, 1, (images, *shapes[2])), jnp.float32)
    product = Product.of(exact, linear)
    scales, probe = Scales(*map(jnp.asarray, (1.0, 0.5, 2.0))), product.probe(devices)
    ahead, back = product.words(images)
    assert (ahead, back) == (2, 4)
    words = tuple(jnp.asarray(rng.integers(0, 2**32, n), jnp.uint32) for n in (ahead, back))

    def loss(x: jax.Array, w: jax.Array) -> jax.Array:
        return jnp.sum(d * product(x, w, devices, scales, words, probe))

    found = jax.jit(jax.grad(loss, argnums=(0, 1)))(x, w)
    out = jax.jit(lambda x, w: product(x, w, devices, scales, words, probe))(x, w)
    encode = jax.jit(exact.encode)
    a, b, e = (encode(*each) for each in zip((x, w, d), devices[:3], scales, strict=True))
    keys = [np.asarray(part) for part in (words[0], words[1][:2], words[1][2:])]
    cases = (
        ("forward", a, b, out),
        ("input_gradient", e, b, found[0]),
        ("weight_gradient", a, e, found[1]),
    )
    for key, (name, left, right, got) in zip(keys, cases, strict=True):
        values = exact.layers.values(linear, name, streams(left), streams(right), key)  # type: ignore[arg-type]
        scale = np.asarray(left.scale * right.scale)
        assert np.array_equal(np.asarray(got), scale * values.astype(np.float32))


def test_a_network_gives_the_same_logits_within_jax_and_outside(generators: Generators) -> None:
    exact = BitExact(SignMagnitudeCounter(generators, 32), rules=StreamRules(BATCH))
    network = LeNet5.initial(np.random.default_rng(0), 28, 10)
    layers = layers_of(network)
    images = np.random.default_rng(1).uniform(0, 1, (250, 28, 28)).astype(np.float32)
    devices = draw_devices(generators, 1, layers)
    scales = scales_of(np.tile([1, 0, 0, 0, 0, 0], (5, 1)), layers)
    products = {layer.name: Product.of(exact, layer.linear) for layer in layers}
    probes = {name: product.probe(devices[name]) for name, product in products.items()}
    key = jax.random.key(3, impl="threefry2x32")

    def run() -> Products:
        return Products.of(products, devices, scales, probes, key, 250)

    inside = jax.jit(lambda x: network(x, run()))(images)
    keys = {name: np.asarray(part.words[0]) for name, part in run().parts.items()}
    kinds = dict.fromkeys(products, exact)
    outside = np.asarray(network(images, ExactProducts(kinds, devices, scales, keys)))
    # A probability rounded otherwise by XLA may move a threshold by 1/65536, and so one bit.
    assert np.mean(np.asarray(inside) != outside) < 0.01
    assert np.max(np.abs(np.asarray(inside) - outside)) < 0.2
    assert np.std(outside) > 0.2


def test_keys_differ_by_layer_and_batch() -> None:
    names = ("one", "two", "three", "four", "five")
    key = np.array([1, 2], np.uint32)
    first, second = (layer_keys(key, names, batch) for batch in (0, 1))
    assert tuple(first) == tuple(second) == names
    found = np.stack([*first.values(), *second.values()])
    assert np.unique(found, axis=0).shape == (10, 2)


def test_callbacks_do_not_wait_for_themselves_on_one_processor() -> None:
    """Large arguments, one thread in XLA's pool: ``jax.pure_callback`` hangs here."""
    script = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax, jax.numpy as jnp
from types import SimpleNamespace
from system.arithmetic import Dense, Operand
from system.arithmetic.noise import Tape
from system.bitstream import BATCH, StreamRules
from system.arithmetic.exact import BitExact
from system.bitstream.sources.bernoulli import Bernoulli
like = SimpleNamespace(encoding="bipolar", adder="exact-counter", length=2, generators=None)
exact = BitExact(like, source=Bernoulli(), rules=StreamRules(BATCH))
one = jnp.ones(())
def step(w, x):
    def body(k, w):
        y = exact.forward(Dense(800, 200), Operand(one, x, one), Operand(one, w, one),
                          Tape(jnp.zeros(2, jnp.uint32)))
        return w * 0.9 + 1e-6 * jnp.mean(y)
    return jax.lax.fori_loop(0, 3, body, w)
run = jax.jit(step)
w = jnp.full((800, 200), 0.5)
for _ in range(5):
    w = run(w, jnp.full((250, 800), 0.5) + 0 * w[0, 0])
w.block_until_ready()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120, cwd=ROOT)
