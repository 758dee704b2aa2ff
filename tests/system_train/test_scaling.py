"""Scales are powers of two that two counters move: up, down or not at all, one place a batch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from formats.errors import InputError
from formats.training import SCALED
from system.arithmetic.products import shares_beyond
from system.images import Images
from system.networks import build_network, layers_of
from system.train.scaling import (
    HIGHEST,
    HYSTERESIS,
    LOWEST,
    OVERFLOW,
    REGISTERS,
    Scaling,
    scale_of,
)
from system.train.score import CALIBRATION_IMAGES, mapped_exponents

LAYERS = ("conv1", "conv2", "fc")
USUAL = Scaling.parse((), LAYERS)
SHAPE = (len(LAYERS), len(SCALED))


def step(scaling: Scaling, exponent: int, over: float, above: float) -> np.ndarray:
    """How far every exponent moves for equal shares."""
    start = jnp.full(SHAPE, exponent, jnp.int32)
    shares = (jnp.full(SHAPE, share, jnp.float32) for share in (over, above))
    return np.asarray(scaling.moved(start, *shares) - start)


_seen = jax.jit(jax.vmap(shares_beyond, in_axes=(None, 0)))


def walked(scaling: Scaling, values: np.ndarray, batches: int, start: int = 0) -> np.ndarray:
    """Exponents (batches + 1, operands) of the first layer, whose tensors all hold ``values``."""
    found = [np.full(len(SCALED), start)]
    for _ in range(batches):
        shares = _seen(values, 2.0 ** found[-1])
        rows = [np.broadcast_to(part, SHAPE) for part in (found[-1], *np.asarray(shares).T)]
        found.append(np.asarray(scaling.moved(*map(jnp.asarray, rows)))[0])
    return np.array(found)


def test_the_counters_double_or_halve_by_the_rule_and_never_both() -> None:
    registers = np.broadcast_to(REGISTERS, SHAPE)
    kept = OVERFLOW / HYSTERESIS
    for over, above, activations, held in (
        (2 * OVERFLOW, 1.0, 1, 1),
        (OVERFLOW, OVERFLOW, 0, 0),  # as many as are tolerated
        (0.0, 2 * kept, 0, 0),
        (0.0, kept, -1, 0),  # activations may lose a few numbers, registers none
        (0.0, 0.0, -1, -1),
        (2 * OVERFLOW, 0.0, 1, 1),  # cannot be; then overflow counts
    ):
        wanted = np.where(registers, held, activations)
        assert np.array_equal(step(USUAL, 3, over, above), wanted), (over, above)


def test_exponents_stay_within_their_register() -> None:
    assert not step(USUAL, HIGHEST, 1.0, 1.0).any()
    assert not step(USUAL, LOWEST, 0.0, 0.0).any()
    assert np.all(step(USUAL, LOWEST, 1.0, 1.0) == 1)
    assert HIGHEST - LOWEST + 1 == 2**6


@pytest.mark.parametrize("size", [1.0, 0.75, 5.0, 8.0, 0.02, 2.0**-7])
@pytest.mark.parametrize("start", [-3, 0, 6])
def test_a_constant_tensor_ends_at_the_least_scale_that_covers_it(size: float, start: int) -> None:
    least = int(np.ceil(np.log2(size)))
    away = abs(least - start)
    exponents = walked(USUAL, np.array([size, -size], np.float32), away + 3, start)
    assert np.all(exponents[away:] == least)
    assert np.all(np.abs(np.diff(exponents, axis=0)) <= 1)


def test_operands_twice_as_large_have_exponents_one_higher() -> None:
    values = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    usual = walked(USUAL, values, 6)
    for shift in (-4, 1, 9):
        moved = walked(USUAL, values * np.float32(2.0**shift), 6, shift)
        assert np.array_equal(moved, usual + shift)


def test_scales_leave_no_more_beyond_them_than_is_tolerated() -> None:
    """And would leave too much at half of it: of activations the share, of registers any."""
    values = np.random.default_rng(1).normal(size=20_000).astype(np.float32) * 3
    for share in (OVERFLOW, 0.05):
        scaling = Scaling.parse((f"*.*=overflow:{share}",), LAYERS)
        last = walked(scaling, values, 12)[-1]
        for exponent, register in zip(last, REGISTERS, strict=True):
            beyond = np.mean(np.abs(values) > 2.0**exponent)
            halved = np.mean(np.abs(values) > 2.0 ** (exponent - 1))
            assert beyond <= share
            assert halved > (0 if register else share / HYSTERESIS)


def test_a_register_loses_no_number_when_its_scale_halves() -> None:
    """Halved only where all numbers fit below the new scale."""
    grid = np.arange(-127, 128) / 128
    for largest in (20, 63, 64, 65, 100):
        values = grid[np.abs(grid) <= largest / 128].astype(np.float32)
        after = walked(USUAL, values, 1)[-1]
        for exponent, register in zip(after, REGISTERS, strict=True):
            if register:
                assert np.max(np.abs(values)) <= 2.0**exponent
                assert exponent == (-1 if largest <= 64 else 0)


def test_texts_fix_a_scale_or_tolerate_more() -> None:
    rules = ("conv*.x=-2", "*.d=overflow:0.25", "conv2.x=overflow:0", "fc.bias=31")
    scaling = Scaling.parse(rules, LAYERS)
    x, d, bias = (SCALED.index(name) for name in ("x", "d", "bias"))
    start = np.asarray(scaling.start())
    assert start[0, x] == -2 and start[2, bias] == 31 and np.count_nonzero(start) == 2
    up, down = step(scaling, 0, 0.1, 0.1), step(scaling, 0, 0.0, 0.0)
    assert up[0, x] == down[0, x] == up[2, bias] == 0  # fixed
    assert up[1, x] == 1 and down[1, x] == -1  # the later text freed it
    assert not up[:, d].any() and np.all(step(scaling, 0, 0.3, 0.3)[:, d] == 1)
    others = np.ones(SHAPE, bool)
    others[:2, x] = others[:, d] = others[2, bias] = False
    assert np.all(up[others] == 1) and np.all(down[others] == -1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("fc9.x=0", "conv1, conv2, fc with x, w, d, m, bias, bias_m"),
        ("fc.y=0", "'fc.y=0' is for no operand"),
        ("fc.x=0.5", "a whole exponent from -32 to 31"),
        ("fc.x=32", "a whole exponent"),
        ("fc.x=", "a whole exponent"),
        ("fc.x=nan", "a whole exponent"),
        ("fc.x=overflow:1", "a share from 0 to below 1"),
        ("fc.x=overflow:-0.1", "overflow:SHARE"),
        ("fc.x=overflow:nan", "overflow:SHARE"),
    ],
)
def test_a_text_that_is_none_is_refused(rule: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        Scaling.parse((rule,), LAYERS)
    assert caught.value.where == "--scale"


def test_scales_are_powers_of_two_exactly() -> None:
    exponents = np.arange(LOWEST, HIGHEST + 1)
    assert np.array_equal(np.asarray(scale_of(jnp.asarray(exponents))), 2.0**exponents)


def test_a_mapped_network_has_scales_for_all_classes_of_a_sorted_set() -> None:
    """The last class alone is bright: the first 1,000 images would not tell."""
    pixels = np.repeat(np.array([0.0, 1.0], np.float32), CALIBRATION_IMAGES)[:, None, None]
    train = np.broadcast_to(pixels, (pixels.size, 8, 8))
    labels = np.repeat(np.arange(2, dtype=np.int32), CALIBRATION_IMAGES)
    images = Images("toy", "", train, labels, train[:2], labels[:2], (0, 1))
    network = build_network("mlp", np.random.default_rng(0), 8, 2)
    names = [layer.name for layer in layers_of(network)]
    found = mapped_exponents(network, images, Scaling.parse((), names))
    assert found[0, SCALED.index("x")] == 0
