"""Every arithmetic, product and stream rule by its moments, against explicit bit streams.

The streams are drawn by numpy and every multiplication of a small layer is listed by hand, so that
nothing is shared with what is tested. Means and all covariances, of outputs of one image and of
different images, are compared by z-tests over a fixed seed: |z| < 5.5, which one of the at most
1,600 figures of a case exceeds with a chance of 1e-4.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from system.arithmetic import (
    BipolarCounter,
    BipolarMux,
    Convolution,
    Dense,
    Float,
    Generators,
    Operand,
    SignMagnitudeCounter,
)
from system.arithmetic.moments import Moments
from system.arithmetic.noise import Counter, Tape
from system.bitstream import DEFAULT_RULES, StreamRules

LENGTH, IMAGES, RUNS = 5, 3, 6_000
DENSE = Dense(3, 2)
PADDED = Convolution(channels=1, size=2, outputs=2, kernel=2, padding=1)
SIDE = 3
"""Side of the output of PADDED; the padded image has 4 x 4 places."""
PRODUCTS = ("forward", "input_gradient", "weight_gradient")


def places(linear: Dense | Convolution) -> tuple[np.ndarray, np.ndarray]:
    """(tap, position) -> activation, or -1 - place in the padding; how many there are of both."""
    if isinstance(linear, Dense):
        return np.arange(3)[:, None], np.array([3, 0])
    number = np.full((4, 4), -1)
    number[1:3, 1:3] = np.arange(4).reshape(2, 2)
    number[number < 0] = -1 - np.arange(12)
    found = [
        [number[row + i, column + j] for row in range(SIDE) for column in range(SIDE)]
        for i in range(2)
        for j in range(2)
    ]
    return np.array(found), np.array([4, 12])


class Streams:
    """Streams of +-1 (bipolar) or of 0 and the sign (sign-magnitude), by numpy."""

    def __init__(self, seed: int, bipolar: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.bipolar = bipolar

    def draw(self, p: np.ndarray, sign: np.ndarray) -> np.ndarray:
        """(runs, *shape of p, clocks)."""
        bits = self.rng.random((RUNS, *p.shape, LENGTH), np.float32) < p[..., None]
        held = 2 * bits.astype(np.int8) - 1 if self.bipolar else bits.astype(np.int8)
        return held * sign[..., None].astype(np.int8)


def explicit(
    arithmetic: Moments, linear: Any, product: str, x: Operand, w: Operand, d: Operand
) -> np.ndarray:
    """The product (runs, all outputs) from bits. ``w`` has an axis of positions before."""
    bipolar = arithmetic.encoding == "bipolar"
    streams = Streams(11, bipolar)
    taps, (units, padded) = places(linear)
    positions = taps.shape[1]

    def of(operand: Operand, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        p = np.asarray(operand.probability).reshape(shape)
        return p, np.broadcast_to(np.asarray(operand.sign), operand.probability.shape).reshape(
            shape
        )

    a = streams.draw(*of(x, (IMAGES, units)))
    around = streams.draw(np.full((IMAGES, padded), 0.5), np.ones((IMAGES, padded)))
    a = np.concatenate([a, (around if bipolar else 0 * around)[:, :, ::-1]], axis=2)[:, :, taps]
    b = streams.draw(*of(d, (IMAGES, 2, positions))).swapaxes(2, 3)  # run, image, position, output
    lives = arithmetic.rules.lives(IMAGES)
    if arithmetic.rules.kind == "use":
        p, s = of(w, (positions, *linear.weight_shape))
    else:
        p, s = (part[:1] for part in of(w, (positions, *linear.weight_shape)))
    every = (lives.max() + 1, *p.shape)
    c = streams.draw(np.broadcast_to(p, every), np.broadcast_to(s, every))[:, lives]
    exists = taps >= 0
    if product == "forward":  # run, image, position, tap, output, clock
        made = a.swapaxes(2, 3)[:, :, :, :, None] * c
        return added(arithmetic, made.swapaxes(3, 4).swapaxes(2, 3), streams)
    if product == "input_gradient":
        made = (b[:, :, :, None] * c).swapaxes(2, 3)  # run, image, tap, position, output, clock
        sums = [
            added(
                arithmetic,
                made[:, :, exists & (taps == unit)].reshape(RUNS, IMAGES, 1, -1, LENGTH),
                streams,
            )
            for unit in range(units)
        ]
        return np.concatenate([part.reshape(RUNS, IMAGES, 1) for part in sums], 2).reshape(RUNS, -1)
    made = a[:, :, :, None] * b.swapaxes(2, 3)[:, :, None]  # run, image, tap, output, position
    sums = added(arithmetic, made, streams).reshape(RUNS, IMAGES, -1)
    return sums.sum(1)


def added(arithmetic: Moments, made: np.ndarray, streams: Streams) -> np.ndarray:
    """Sums over the last axis but one, by a counter or through a MUX of its own selects."""
    terms = made.shape[-2]
    if arithmetic.adder == "exact-counter":
        return made.sum((-2, -1), dtype=np.int32).reshape(RUNS, -1) / LENGTH
    shape = (*made.shape[:-2], 1, LENGTH)
    chosen = streams.rng.integers(0, terms, shape, dtype=np.uint8)
    picked = np.take_along_axis(made, chosen, -2)
    return terms * picked.sum((-2, -1), dtype=np.int32).reshape(RUNS, -1) / LENGTH


def operands(arithmetic: Moments, linear: Any) -> tuple[Operand, Operand, Operand]:
    """Different numbers for every image; weights by their rules (of each use, if they have one)."""
    rng = np.random.default_rng(2)

    def operand(shape: tuple[int, ...], axes: int) -> Operand:
        p = rng.uniform(0.1, 0.9, shape)
        sign = rng.choice([-1.0, 1.0], shape[axes:])
        sign = np.broadcast_to(sign, shape) if arithmetic.encoding != "bipolar" else np.ones(())
        return Operand(jnp.asarray(sign, jnp.float32), jnp.asarray(p, jnp.float32), jnp.ones(()))

    x = operand((IMAGES, *linear.input_shape), 0)
    w = operand((linear.uses, *linear.weight_shape), 1)
    return x, w, operand((IMAGES, *linear.output_shape), 0)


def by_moments(
    arithmetic: Moments, linear: Any, product: str, x: Operand, w: Operand, d: Operand
) -> np.ndarray:
    own_use = arithmetic.rules.kind == "use" and linear.uses > 1
    held = [part if part.ndim < 3 or own_use else part[0] for part in (w.sign, w.probability)]
    held[0] = held[0][0] if held[0].ndim == 3 else held[0]
    w = Operand(held[0], held[1], w.scale)
    a, b = {"forward": (x, w), "input_gradient": (d, w), "weight_gradient": (x, d)}[product]
    call = getattr(arithmetic, product)
    counter = Counter()
    jax.eval_shape(lambda: call(linear, a, b, counter))
    words = jax.random.bits(jax.random.key(4), (RUNS, counter.used), jnp.uint32)
    made = jax.jit(jax.vmap(lambda words: call(linear, a, b, Tape(words))))(words)
    return np.asarray(made, float).reshape(RUNS, -1)


def farthest(ours: np.ndarray, bits: np.ndarray) -> float:
    """The largest |z| of the differences of means and covariances."""
    assert ours.shape == bits.shape
    error = np.sqrt((ours.var(0) + bits.var(0)) / RUNS)
    means = np.abs(ours.mean(0) - bits.mean(0)) / error
    moments = []
    for values in (ours, bits):
        centred = values - values.mean(0)
        second = centred.T @ centred / RUNS
        fourth = (centred**2).T @ centred**2 / RUNS
        moments.append((second, fourth - second**2))
    spread = np.sqrt((moments[0][1] + moments[1][1]) / RUNS)
    return float(max(means.max(), np.max(np.abs(moments[0][0] - moments[1][0]) / spread)))


RULES = {
    "image": DEFAULT_RULES,
    "batch": StreamRules(life=0),
    "two images": StreamRules(life=2),
    "use": StreamRules(kind="use"),
    "use, batch": StreamRules(life=0, kind="use"),
    "turns": StreamRules(kind="turns", group=2),
}
COUNTER, BIPOLAR, MUX = SignMagnitudeCounter, BipolarCounter, BipolarMux
CASES = [
    *(
        (kind, product, "image", linear)
        for kind in (COUNTER, BIPOLAR, MUX)
        for product in PRODUCTS
        for linear in (DENSE, PADDED)
    ),
    *(
        (COUNTER, product, rules, linear)
        for product in PRODUCTS[:2]
        for rules in ("batch", "two images")
        for linear in (DENSE, PADDED)
    ),
    *(
        (COUNTER, product, rules, PADDED)
        for product in PRODUCTS[:2]
        for rules in ("use", "use, batch")
    ),
    (COUNTER, "forward", "turns", PADDED),
    (BIPOLAR, "forward", "two images", PADDED),
    (MUX, "forward", "batch", DENSE),
    (MUX, "input_gradient", "use", PADDED),
]


@pytest.mark.parametrize(
    ("kind", "product", "rules", "linear"),
    CASES,
    ids=[f"{k.__name__}, {p}, {r}, {type(linear).__name__}" for k, p, r, linear in CASES],
)
def test_moments_are_those_of_bit_streams(
    generators: Generators, kind: type[Moments], product: str, rules: str, linear: Any
) -> None:
    arithmetic = kind(generators, LENGTH, RULES[rules])
    x, w, d = operands(arithmetic, linear)
    ours = by_moments(arithmetic, linear, product, x, w, d)
    assert farthest(ours, explicit(arithmetic, linear, product, x, w, d)) < 5.5


@pytest.mark.parametrize("linear", [DENSE, PADDED], ids=["dense", "padded"])
def test_the_comparison_would_see_a_wrong_life(generators: Generators, linear: Any) -> None:
    rules = RULES["batch"]
    right, wrong = (
        SignMagnitudeCounter(generators, LENGTH, rules),
        SignMagnitudeCounter(generators, LENGTH),
    )
    x, w, d = operands(right, linear)
    ours = by_moments(wrong, linear, "forward", x, w, d)
    assert farthest(ours, explicit(right, linear, "forward", x, w, d)) > 10


def test_common_random_numbers_are_refused(generators: Generators) -> None:
    rules = StreamRules(kind="common", group=4)
    for kind in (SignMagnitudeCounter, BipolarCounter, BipolarMux):
        with pytest.raises(ValueError, match=r"common:4.*exact mode"):
            kind(generators, LENGTH, rules)


def test_long_streams_give_the_exact_product_and_error_falls_as_the_root(
    generators: Generators,
) -> None:
    rng = np.random.default_rng(8)
    linear, images = Convolution(6, 14, 16, 5), 8

    def operand(shape: tuple[int, ...]) -> Operand:
        sign = jnp.asarray(rng.choice([-1.0, 1.0], shape), jnp.float32)
        return Operand(sign, jnp.asarray(rng.uniform(0.05, 0.95, shape), jnp.float32), jnp.ones(()))

    x, w = operand((images, 6, 14, 14)), operand((150, 16))
    value = [Operand(o.sign * o.probability, o.probability, o.scale) for o in (x, w)]
    wanted = np.asarray(Float().forward(linear, *value, Tape(jnp.zeros(0, jnp.uint32))))
    error = {}
    for length in (64, 4096):
        arithmetic = SignMagnitudeCounter(generators, length)
        counter = Counter()
        jax.eval_shape(lambda a=arithmetic, c=counter: a.forward(linear, x, w, c))
        words = jax.random.bits(jax.random.key(3), (counter.used,), jnp.uint32)
        ours = np.asarray(
            jax.jit(lambda words, a=arithmetic: a.forward(linear, x, w, Tape(words)))(words), float
        )
        error[length] = np.sqrt(np.mean((ours - wanted) ** 2))
    assert error[64] / error[4096] == pytest.approx(8, rel=0.1)
    assert error[4096] < 0.02 * wanted.std()
