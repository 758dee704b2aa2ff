"""The moments of a product against explicit bit streams, drawn by numpy.

Every comparison here is a z-test over a fixed seed; with the thresholds used the false-alarm rate
of each test, were the seed free, is below 1e-3.
"""

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
    Float,
    Generators,
    Operand,
    SignMagnitudeCounter,
)
from system.arithmetic.binomial import binomial_counts
from system.arithmetic.noise import Counter, Tape

LENGTH = 16
RUNS = 40_000
DENSE = Dense(4, 3)
CONVOLUTION = Convolution(channels=1, size=3, outputs=2, kernel=2)


def operand(rng: np.random.Generator, shape: tuple[int, ...], images: int, signed: bool) -> Operand:
    """One random tensor; repeated over ``images`` runs where that is not 0."""
    probability = rng.uniform(0.05, 0.95, shape)
    sign = rng.choice([-1.0, 1.0], shape) if signed else np.ones(shape)
    if images:
        probability = np.broadcast_to(probability, (images, *shape))
        sign = np.broadcast_to(sign, (images, *shape))
    return Operand(
        jnp.asarray(sign, jnp.float32), jnp.asarray(probability, jnp.float32), jnp.ones(())
    )


def simulate(call: Any, seed: int = 3) -> np.ndarray:
    """Run a product with as many random words as it asks for."""
    counter = Counter()
    jax.eval_shape(lambda: call(counter))
    words = jax.random.bits(jax.random.key(seed), (counter.used,), jnp.uint32)
    return np.asarray(jax.jit(lambda words: call(Tape(words)))(words), float)


def streams(rng: np.random.Generator, held: Operand, shape: tuple[int, ...]) -> np.ndarray:
    """Bits (runs, units, LENGTH), one stream for each unit and run."""
    p = np.broadcast_to(np.asarray(held.probability), (RUNS, *shape)).reshape(RUNS, -1)
    return rng.random((RUNS, p.shape[1], LENGTH)) < p[..., None]


def tap_index() -> np.ndarray:
    """(tap, position) -> pixel of CONVOLUTION, by hand."""
    return np.array(
        [
            [3 * (r + i) + c + j for r in range(2) for c in range(2)]
            for i in range(2)
            for j in range(2)
        ]
    )


def agree(ours: np.ndarray, bits: np.ndarray) -> None:
    """Equal means and covariances of the outputs (runs, outputs): every |z| < 4.9.

    A z beyond 4.9 has a chance of 1e-6 for each of the at most 500 figures compared.
    """
    ours, bits = ours.reshape(RUNS, -1), bits.reshape(RUNS, -1)
    error = np.sqrt((ours.var(0) + bits.var(0)) / RUNS)
    assert np.max(np.abs(ours.mean(0) - bits.mean(0)) / error) < 4.9
    products = [(x - x.mean(0))[:, :, None] * (x - x.mean(0))[:, None, :] for x in (ours, bits)]
    spread = np.sqrt((products[0].var(0) + products[1].var(0)) / RUNS)
    assert np.max(np.abs(products[0].mean(0) - products[1].mean(0)) / spread) < 4.9


def test_counter_forward_of_a_dense_layer_has_the_moments_of_bit_streams(
    generators: Generators,
) -> None:
    rng = np.random.default_rng(1)
    x, w = operand(rng, (4,), RUNS, True), operand(rng, (4, 3), 0, True)
    arithmetic = SignMagnitudeCounter(generators, LENGTH)
    ours = simulate(lambda tape: arithmetic.forward(DENSE, x, w, tape))
    a, b = streams(rng, x, (4,)), streams(rng, w, (4, 3)).reshape(RUNS, 4, 3, LENGTH)
    count = np.einsum("rit,riot->rio", a.astype(np.float32), b.astype(np.float32))
    signs = np.asarray(x.sign)[0][:, None] * np.asarray(w.sign)
    agree(ours, np.sum(count * signs, axis=1) / LENGTH)


def test_counter_input_gradient_of_a_dense_layer_has_the_moments_of_bit_streams(
    generators: Generators,
) -> None:
    rng = np.random.default_rng(2)
    d, w = operand(rng, (3,), RUNS, True), operand(rng, (4, 3), 0, True)
    arithmetic = SignMagnitudeCounter(generators, LENGTH)
    ours = simulate(lambda tape: arithmetic.input_gradient(DENSE, d, w, tape))
    a, b = streams(rng, d, (3,)), streams(rng, w, (4, 3)).reshape(RUNS, 4, 3, LENGTH)
    count = np.einsum("rot,riot->rio", a.astype(np.float32), b.astype(np.float32))
    signs = np.asarray(d.sign)[0][None] * np.asarray(w.sign)
    agree(ours, np.sum(count * signs, axis=2) / LENGTH)


def test_counter_forward_of_a_convolution_covaries_as_bit_streams_do(
    generators: Generators,
) -> None:
    rng = np.random.default_rng(3)
    x, w = operand(rng, (1, 3, 3), RUNS, True), operand(rng, (4, 2), 0, True)
    arithmetic = SignMagnitudeCounter(generators, LENGTH)
    ours = simulate(lambda tape: arithmetic.forward(CONVOLUTION, x, w, tape))
    a = streams(rng, x, (1, 3, 3)).astype(np.float32) * np.asarray(x.sign)[0].reshape(9, 1)
    b = streams(rng, w, (4, 2)).astype(np.float32) * np.asarray(w.sign).reshape(8, 1)
    taps = a[:, tap_index()]  # runs, tap, position, clock
    bits = np.einsum("rkpt,rkot->rop", taps, b.reshape(RUNS, 4, 2, LENGTH)) / LENGTH
    agree(ours, bits)


def test_counter_input_gradient_of_a_convolution_covaries_as_bit_streams_do(
    generators: Generators,
) -> None:
    rng = np.random.default_rng(4)
    d, w = operand(rng, (2, 2, 2), RUNS, True), operand(rng, (4, 2), 0, True)
    arithmetic = SignMagnitudeCounter(generators, LENGTH)
    ours = simulate(lambda tape: arithmetic.input_gradient(CONVOLUTION, d, w, tape))
    a = streams(rng, d, (2, 2, 2)).astype(np.float32) * np.asarray(d.sign)[0].reshape(8, 1)
    b = streams(rng, w, (4, 2)).astype(np.float32) * np.asarray(w.sign).reshape(8, 1)
    pairs = np.einsum(
        "ropt,rkot->rkp", a.reshape(RUNS, 2, 4, LENGTH), b.reshape(RUNS, 4, 2, LENGTH)
    )
    bits = np.zeros((RUNS, 9))
    for tap, places in enumerate(tap_index()):
        bits[:, places] += pairs[:, tap] / LENGTH
    agree(ours, bits)


@pytest.mark.parametrize("linear", [DENSE, CONVOLUTION], ids=["dense", "convolution"])
def test_counter_weight_gradient_has_the_moments_of_bit_streams(
    generators: Generators, linear: Any
) -> None:
    """Summed over the batch, so each run is a batch of two equal images (vmapped)."""
    rng = np.random.default_rng(5)
    x = operand(rng, linear.input_shape, 1, True)
    d = operand(rng, linear.output_shape, 1, True)
    arithmetic = SignMagnitudeCounter(generators, LENGTH)
    counter = Counter()
    jax.eval_shape(lambda: arithmetic.weight_gradient(linear, x, d, counter))
    words = jax.random.bits(jax.random.key(5), (RUNS, counter.used), jnp.uint32)
    run = jax.vmap(lambda words: arithmetic.weight_gradient(linear, x, d, Tape(words)))
    ours = np.asarray(jax.jit(run)(words), float)
    size, outputs = int(np.prod(linear.input_shape)), int(np.prod(linear.output_shape))
    a = streams(rng, x, linear.input_shape) * np.asarray(x.sign).reshape(size, 1)
    b = streams(rng, d, linear.output_shape) * np.asarray(d.sign).reshape(outputs, 1)
    a, b = a.astype(np.float32), b.astype(np.float32)
    if linear is DENSE:
        bits = np.einsum("rit,rot->rio", a, b) / LENGTH
    else:
        bits = (
            np.einsum("rkpt,ropt->rko", a[:, tap_index()], b.reshape(RUNS, 2, 4, LENGTH)) / LENGTH
        )
    agree(ours, bits)


def test_mux_output_has_the_mean_and_variance_of_a_selected_stream(generators: Generators) -> None:
    """Marginals only: the covariance through shared select lines is not modelled, and said so."""
    rng = np.random.default_rng(6)
    x, w = operand(rng, (4,), RUNS, False), operand(rng, (4, 3), 0, False)
    arithmetic = BipolarMux(generators, LENGTH)
    ours = simulate(lambda tape: arithmetic.forward(DENSE, x, w, tape))
    a, b = streams(rng, x, (4,)), streams(rng, w, (4, 3)).reshape(RUNS, 4, 3, LENGTH)
    chosen = rng.integers(0, 4, (RUNS, LENGTH))
    run, clock = np.arange(RUNS)[:, None], np.arange(LENGTH)[None]
    bits = np.empty((RUNS, 3))
    for output in range(3):
        same = a[run, chosen, clock] == b[run, chosen, output, clock]
        bits[:, output] = 4 * np.mean(2.0 * same - 1, axis=1)
    error = np.sqrt((ours.var(0) + bits.var(0)) / RUNS)
    assert np.all(np.abs(ours.mean(0) - bits.mean(0)) < 4.9 * error)
    # Relative error of a variance from RUNS nearly normal values: sqrt(2/RUNS) each.
    assert np.all(np.abs(ours.var(0) / bits.var(0) - 1) < 4.9 * np.sqrt(4 / RUNS))


@pytest.mark.parametrize("length", [2, 7, 256, 4096])
def test_counts_are_binomial(length: int) -> None:
    """Mean and variance at 12 probabilities (false-alarm rate 12 x 2 x 1e-6), range and grid."""
    runs = 50_000
    probability = np.array([0, 1e-5, 1e-3, 0.01, 0.1, 0.3, 0.4999, 0.5, 0.7, 0.95, 0.9999, 1.0])
    words = jax.random.bits(jax.random.key(1), (runs, 12), jnp.uint32)
    counts = binomial_counts(length)
    asked = jnp.broadcast_to(jnp.asarray(probability, jnp.float32), (runs, 12))
    share = np.asarray(jax.jit(counts.draw)(words, asked))
    drawn = np.round(share.astype(float) * length)
    assert np.allclose(share, drawn / length, rtol=1e-6, atol=0)
    assert drawn.min() >= 0 and drawn.max() <= length
    assert np.all(drawn[:, 0] == 0) and np.all(drawn[:, -1] == length)
    variance = length * probability * (1 - probability)
    slack = 1e-5 * length
    assert np.all(
        np.abs(drawn.mean(0) - length * probability) <= 4.9 * np.sqrt(variance / runs) + slack
    )
    fourth = variance * (1 + 3 * variance * (length - 2) / length)  # 4th central moment
    error = np.sqrt(np.maximum(fourth - variance**2, 0) / runs)
    excess = length / 512**2 * variance + slack
    assert np.all(np.abs(drawn.var(0) - variance) <= 4.9 * error + excess)


def test_long_streams_give_the_exact_product_and_error_falls_as_the_root(
    generators: Generators,
) -> None:
    rng = np.random.default_rng(8)
    x, w = operand(rng, (6, 14, 14), 8, True), operand(rng, (150, 16), 0, True)
    linear = Convolution(6, 14, 16, 5)
    exact = Float()
    value = [Operand(o.sign * o.probability, o.probability, o.scale) for o in (x, w)]
    wanted = np.asarray(exact.forward(linear, *value, Tape(jnp.zeros(0, jnp.uint32))))
    error = {}
    for length in (64, 4096):
        arithmetic = SignMagnitudeCounter(generators, length)
        ours = simulate(lambda tape, a=arithmetic: a.forward(linear, x, w, tape))
        error[length] = np.sqrt(np.mean((ours - wanted) ** 2))
    assert error[64] / error[4096] == pytest.approx(8, rel=0.1)
    assert error[4096] < 0.02 * wanted.std()
