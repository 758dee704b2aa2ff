"""Exact mode against moment mode: means, variances and all covariances of small layers.

Each run is one image of a batch. With |z| < 4.9 each of the figures compared has a false-alarm rate
of 1e-6, were the seeds free.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from system.arithmetic import BitExact, Convolution, Generators, Operand, SignMagnitudeCounter
from system.arithmetic.choice import MOMENTS
from system.arithmetic.moments import Moments
from system.arithmetic.noise import Counter, Tape
from system.bitstream import DEFAULT_RULES, StreamRules
from system.bitstream.encodings import Encoded

RUNS, LENGTH = 10_000, 16
CONVOLUTION = Convolution(channels=1, size=3, outputs=2, kernel=2, padding=0)


def operand(shape: tuple[int, ...], images: int, signed: bool, seed: int) -> Operand:
    rng = np.random.default_rng(seed)
    probability = np.rint(rng.uniform(0.05, 0.95, shape) * 65536) / 65536
    sign = rng.choice([-1.0, 1.0], shape) if signed else np.ones(shape)
    if images:
        probability = np.broadcast_to(probability, (images, *shape))
        sign = np.broadcast_to(sign, (images, *shape))
    return Operand(
        jnp.asarray(sign, jnp.float32), jnp.asarray(probability, jnp.float32), jnp.ones(())
    )


def simulated(call: Callable[[Tape], jax.Array]) -> np.ndarray:
    counter = Counter()
    jax.eval_shape(lambda: call(counter))
    words = jax.random.bits(jax.random.key(3), (counter.used,), jnp.uint32)
    made = jax.jit(lambda words: call(Tape(words)))(words)
    return np.asarray(made, float).reshape(RUNS, -1)


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    runs = len(ours)
    error = np.sqrt((ours.var(0) + theirs.var(0)) / runs)
    assert np.max(np.abs(ours.mean(0) - theirs.mean(0)) / error) < 4.9
    products = [(x - x.mean(0))[:, :, None] * (x - x.mean(0))[:, None, :] for x in (ours, theirs)]
    spread = np.sqrt((products[0].var(0) + products[1].var(0)) / runs)
    assert np.max(np.abs(products[0].mean(0) - products[1].mean(0)) / spread) < 4.9


@pytest.mark.parametrize(
    ("kind", "rules"),
    [(kind, DEFAULT_RULES) for kind in MOMENTS.values()]
    + [(MOMENTS["bipolar", "mux"], StreamRules(1, "use"))],
    ids=lambda value: getattr(value, "__name__", None) or value.sharing_text,
)
def test_outputs_of_a_convolution_have_the_same_moments(
    generators: Generators, kind: type[Moments], rules: StreamRules
) -> None:
    """Positions share weight streams (not with a generator for each use), channels activations."""
    signed = kind.encoding == "sign-magnitude"
    x = operand(CONVOLUTION.input_shape, RUNS, signed, 1)
    w = operand(CONVOLUTION.weight_shape, 0, signed, 2)
    if rules.kind == "use":
        w = Operand(*(jnp.broadcast_to(part, (4, 4, 2)) for part in w[:2]), w.scale)
    moments = kind(generators, LENGTH, rules)
    exact = BitExact(moments)
    agree(
        simulated(lambda tape: exact.forward(CONVOLUTION, x, w, tape)),
        simulated(lambda tape: moments.forward(CONVOLUTION, x, w, tape)),
    )


def test_input_gradients_of_a_convolution_have_the_same_moments(generators: Generators) -> None:
    d = operand(CONVOLUTION.output_shape, RUNS, True, 3)
    w = operand(CONVOLUTION.weight_shape, 0, True, 4)
    moments = SignMagnitudeCounter(generators, LENGTH)
    exact = BitExact(moments)
    agree(
        simulated(lambda tape: exact.input_gradient(CONVOLUTION, d, w, tape)),
        simulated(lambda tape: moments.input_gradient(CONVOLUTION, d, w, tape)),
    )


@pytest.mark.parametrize("kind", list(MOMENTS.values()), ids=lambda kind: kind.__name__)
def test_weight_gradients_of_a_convolution_have_the_same_moments(
    generators: Generators, kind: type[Moments]
) -> None:
    """Summed over batches of two images; every run is a batch with a key of its own."""
    signed = kind.encoding == "sign-magnitude"
    x = operand(CONVOLUTION.input_shape, 2, signed, 5)
    d = operand(CONVOLUTION.output_shape, 2, signed, 6)
    moments, batches = kind(generators, LENGTH), 400
    layers = BitExact(moments).layers
    a, b = (
        Encoded(
            np.asarray(part.probability, float),
            np.broadcast_to(np.asarray(part.sign), part.probability.shape),
        )
        for part in (x, d)
    )
    exact = [
        layers.values(CONVOLUTION, "weight_gradient", a, b, np.array([9, run], np.uint32))
        for run in range(batches)
    ]
    counter = Counter()
    jax.eval_shape(lambda: moments.weight_gradient(CONVOLUTION, x, d, counter))
    words = jax.random.bits(jax.random.key(4), (batches, counter.used), jnp.uint32)
    made = jax.jit(jax.vmap(lambda words: moments.weight_gradient(CONVOLUTION, x, d, Tape(words))))(
        words
    )
    agree(np.reshape(exact, (batches, -1)), np.asarray(made, float).reshape(batches, -1))
