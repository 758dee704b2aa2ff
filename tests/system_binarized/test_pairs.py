"""Weights on pairs: closed forms of mean and variance, seeds, faults, copies, read noise."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devices.binary_states import BinaryStates
from formats.seeds import generator
from system.binarized.inference import Digits, OnChip, Reader, converted, noise_key
from system.binarized.injection import Injection, drawn_weights, injected
from system.binarized.network import Binarized, digital, product
from system.binarized.pairs import MAPPINGS, Pairs, draw_chip, draw_plane
from system.binarized.representation import Representation, Representations
from system.networks import build_network

SHARP = BinaryStates(1e5, 1e6)
STATES = BinaryStates.of_spread(1e5, 10, 0.3, 0.5)
BINARY = Representations.parse("8-bit", "binary", "binary", "binary", "binary")
pytestmark = pytest.mark.usefixtures("quickly")


def network(name: str = "cnn2", side: int = 8) -> Binarized:
    return Binarized.of(build_network(name, generator(0, "weights"), side, 4))


def signs(*shape: int) -> np.ndarray:
    return np.where(generator(0, "signs").random(shape) < 0.5, -1.0, 1.0)


def variance_of_a_weight(mapping: str, plane: np.ndarray) -> np.ndarray:
    """In units^2: of what a weight conducts, by hand."""
    on, off = STATES.variance_on, STATES.variance_off
    if mapping == "differential":
        return np.full(plane.shape, on + off) / STATES.unit**2
    return (4 * np.where(plane > 0, on, off) + on + off) / STATES.unit**2


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("inner", ["binary", "3-bit"])
def test_without_variation_the_chip_is_the_digital_network(mapping: str, inner: str) -> None:
    """To the last bit where weights are +-1 and activations binary: all sums are of integers."""
    chosen = Representations.parse("binary", "binary", "binary", "binary", inner)
    model = network()
    chip = draw_chip(model, chosen, Pairs(SHARP, mapping), seed=1)
    key = noise_key(0, "test")
    products = OnChip(chip.layers, Pairs(SHARP, mapping), digital((), chosen), {}, key)
    plain = digital(model.layers, chosen)
    both = jax.jit(lambda inputs: [[f(*pair) for f in (products, plain)] for pair in inputs])
    inputs = [
        (layer, 2.0 * (generator(1, layer.name).random((3, *layer.linear.input_shape)) < 0.5))
        for layer in model.layers
    ]
    for ours, theirs in jax.device_get(both(inputs)):
        if inner == "binary":
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_column_currents_have_the_expected_mean_and_variance(mapping: str) -> None:
    """30,000 columns of one pattern; each within 5 standard errors (6e-7 false alarms).

    With references a tile's columns share an error; each of ours has a tile of its own.
    """
    pattern = signs(16, 1)
    x = generator(2, "x").random(16)
    drawn = []
    count = 30_000 if mapping == "differential" else 4_000
    if mapping == "differential":
        weights, _, _ = draw_plane(np.tile(pattern, count), Pairs(STATES), generator(3, "a"))
        drawn = x @ weights
    else:
        random = generator(3, "b")
        drawn = np.array(
            [x @ draw_plane(pattern, Pairs(STATES, mapping), random)[0][:, 0] for _ in range(count)]
        )
    variance = (x[:, None] ** 2 * variance_of_a_weight(mapping, pattern)).sum()
    assert drawn.mean() == pytest.approx(x @ pattern[:, 0], abs=5 * np.sqrt(variance / count))
    # A sum of log-normals has an excess of some; 4 bounds it here.
    assert drawn.var() == pytest.approx(variance, rel=5 * np.sqrt(6 / count))


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_injected_weights_have_the_chips_mean_and_variance(mapping: str) -> None:
    plane = signs(2000, 20)
    injection = Injection(STATES, mapping == "differential")
    drawn = np.asarray(
        jax.jit(lambda p, k: drawn_weights(p, injection, k))(plane, jax.random.key(0))
    )
    for sign in (-1, 1):
        mine = drawn[plane == sign]
        variance = variance_of_a_weight(mapping, np.array([sign]))[0]
        assert mine.mean() == pytest.approx(sign, abs=5 * np.sqrt(variance / 2000))
        assert mine.var() == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_n_copies_lower_the_variance_n_times(mapping: str) -> None:
    plane = signs(300, 122)
    spread = {}
    for copies in (1, 4):
        pairs = Pairs(STATES, mapping, copies=copies)
        weights, _, count = draw_plane(plane, pairs, generator(4, "copies"))
        spread[copies] = (weights - plane).var()
        each = 2 * plane.size if mapping == "differential" else plane.size + 600
        assert count.devices == copies * each
    assert spread[1] / spread[4] == pytest.approx(4, rel=0.1)


def test_only_the_first_layer_has_its_own_copies() -> None:
    plain, copied = (
        draw_chip(network(), BINARY, Pairs(STATES, first_copies=copies), 1) for copies in (1, 4)
    )
    first, *others = plain.counts
    assert copied.counts[first].devices == 4 * plain.counts[first].devices
    assert [copied.counts[k].devices for k in others] == [plain.counts[k].devices for k in others]


def test_every_tile_is_seen_through_its_wires() -> None:
    """Two equal tiles, one below the other: both lose as much as one alone."""
    plane = np.ones((8, 4))
    alone, _, _ = draw_plane(plane, Pairs(SHARP, segment=50.0), generator(0, "wires"))
    both, _, _ = draw_plane(
        np.concatenate([plane, plane]),
        Pairs(SHARP, segment=50.0, tile_rows=8),
        generator(0, "wires"),
    )
    assert np.all(alone < 1)
    np.testing.assert_allclose(both, np.concatenate([alone, alone]), rtol=1e-9)


def test_stuck_devices_are_counted_and_conduct_as_they_are_stuck() -> None:
    """Of 80,000 devices; shares within 5 standard deviations of the binomial."""
    plane = signs(400, 100)
    pairs = Pairs(SHARP, stuck_on=0.02, stuck_off=0.05)
    weights, _, count = draw_plane(plane, pairs, generator(5, "stuck"))
    for found, share in ((count.stuck_on, 0.02), (count.stuck_off, 0.05)):
        assert abs(found - 80_000 * share) < 5 * np.sqrt(80_000 * share * (1 - share))
    lost = np.abs(weights - plane) > 1e-9
    # A weight is lost where its ON device is stuck OFF or its OFF device stuck ON, or both.
    chance = 1 - 0.95 * 0.98
    assert abs(lost.sum() - 40_000 * chance) < 5 * np.sqrt(40_000 * chance)
    assert set(np.round(weights.ravel()).tolist()) <= {-1.0, 0.0, 1.0}
    all_on, _, _ = draw_plane(plane, Pairs(SHARP, stuck_on=1.0), generator(5, "on"))
    assert np.abs(all_on).max() == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"stuck_on": float("nan")}, "stuck devices"),
        ({"copies": 100_000}, "1000 at most"),
        ({"segment": 1e30}, "wire resistance"),
    ],
)
def test_numbers_that_no_chip_has_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Pairs(STATES, **wrong)
    with pytest.raises(ValueError, match="relative spread"):
        BinaryStates.of_spread(1e5, 10, 1e200, 1e200)


def test_a_seed_is_a_chip() -> None:
    model = network()
    first, again, other = (draw_chip(model, BINARY, Pairs(STATES), seed) for seed in (1, 1, 2))
    for name, mapped in first.layers.items():
        np.testing.assert_array_equal(mapped.weights, again.layers[name].weights)
        assert np.any(mapped.weights != other.layers[name].weights)


def test_a_chip_of_twice_the_sigma_is_the_same_chip() -> None:
    """All ON and all OFF: ln G lies twice as far from its median, device by device."""
    near, far = (BinaryStates(1e5, 1e9, sigma, 0.0) for sigma in (0.2, 0.4))
    drawn = [
        draw_plane(np.ones((6, 4)), Pairs(states), generator(0, "same"))[0] * states.unit + 1e-9
        for states in (near, far)
    ]
    logs = [np.log(g * 1e5) for g in drawn]
    np.testing.assert_allclose(logs[1], 2 * logs[0])


def test_read_noise_has_the_variance_of_independent_devices() -> None:
    pairs = Pairs(STATES, read_noise=0.1, tile_rows=7)
    chip = draw_chip(network("mlp", 4), BINARY, pairs, 1)
    layer = network("mlp", 4).layers[0]
    x = jnp.asarray(generator(0, "x").random((1, 16)))
    read = jax.vmap(lambda key: OnChip(chip.layers, pairs, digital((), BINARY), {}, key)(layer, x))
    reads = jax.jit(read)(jax.random.split(jax.random.key(0), 400))
    noise = np.asarray(reads)[:, 0] - np.asarray(x @ chip.layers["hidden"].weights[0])
    expected = 0.01 * np.asarray(jnp.square(x) @ chip.layers["hidden"].squares[0])[0]
    ratio = noise.var(axis=0) / expected
    assert ratio.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 400 / 128))


def test_a_converter_rounds_to_its_codes() -> None:
    """3 bits: 7 codes from -3 to 3, ties to even; beyond the range its ends."""
    current = jnp.asarray([-9.0, -3.0, -1.4, -0.2, 0.5, 1.5, 2.6, 9.0])
    found = np.asarray(jax.jit(converted, static_argnums=2)(current, jnp.asarray(3.0), 3))
    np.testing.assert_allclose(found, [-3, -3, -1, 0, 0, 2, 3, 3])
    slope = jax.jit(jax.grad(lambda i: jnp.sum(converted(i, jnp.asarray(3.0), 3))))(current)
    np.testing.assert_array_equal(slope[2:-1], np.ones(5))


def test_tiles_with_fine_converters_give_the_whole_product() -> None:
    model = network()
    chip = draw_chip(model, BINARY, Pairs(STATES), 1)
    fine = Pairs(STATES, adc_bits=16, tile_rows=10)
    images = jnp.asarray(generator(0, "images").random((4, 8, 8)), jnp.float32)
    ranges = {layer.name: jnp.asarray([50.0]) for layer in model.layers}
    digits = Digits.of(model)._replace(ranges=ranges)
    key = jax.random.key(0)
    ours, plain = (
        jax.jit(lambda digits, r=reader: r.logits(chip, digits, images, key)[0])(digits)
        for reader in (Reader(BINARY, fine), Reader(BINARY, Pairs(STATES)))
    )
    np.testing.assert_allclose(ours, plain, atol=0.02)


@pytest.mark.parametrize("text", ["binary", "ternary", "2-bit", "5-bit"])
def test_planes_add_up_to_the_weights(text: str) -> None:
    kind = Representation.parse(text)
    latent = jnp.linspace(-1.2, 1.2, 41).reshape(41, 1)
    weights = kind.weights(latent)
    scales, planes = kind.planes(weights)
    total = sum(s * p for s, p in zip(scales, planes, strict=True))
    np.testing.assert_allclose(total, weights, atol=1e-6)
    assert len(np.unique(np.round(weights, 5))) == kind.levels
    assert (
        np.abs(np.asarray(weights) - np.clip(latent, -1, 1)).max() <= 1 / (kind.levels - 1) + 1e-6
    )


def test_gradients_pass_straight_through_rounding_and_injected_variation() -> None:
    kind, latent = Representation.parse("binary"), jnp.asarray([-0.7, -0.1, 0.2, 0.9])
    slope = jax.jit(jax.grad(lambda w: jnp.sum(kind.weights(w) * jnp.arange(4.0))))(latent)
    np.testing.assert_allclose(slope, np.arange(4.0))
    x = jnp.asarray([0.3, 1.2])
    slope = jax.jit(jax.grad(lambda a: jnp.sum(kind.activations(a, 2.0) ** 2)))(x)
    np.testing.assert_allclose(slope, [0.0, 4.0])
    layer, injection = network("mlp", 4).layers[1], Injection(STATES)
    x = jnp.asarray(generator(0, "x").random((3, 128)), jnp.float32)

    def total(weight: jax.Array) -> jax.Array:
        disturbed = eqx.tree_at(lambda part: part.weight, layer, weight)
        made = injected((layer,), BINARY, injection, jax.random.key(0))
        return jnp.sum(made(disturbed, x))

    slope = jax.jit(jax.grad(total))(layer.weight)
    np.testing.assert_allclose(slope, np.repeat(x.sum(0)[:, None], 4, axis=1), rtol=1e-5)


def test_products_have_the_gradients_of_the_plain_ones() -> None:
    layer = network().layers[0]
    x = jnp.asarray(generator(0, "x").standard_normal((2, *layer.linear.input_shape)))

    def plain(linear: Any, x: jax.Array, w: jax.Array) -> jax.Array:
        return linear.forward(linear.unfold(x), w)

    def slopes(made: Any) -> Any:
        wave = jax.grad(lambda x, w: jnp.sum(jnp.sin(made(layer.linear, x, w))), argnums=(0, 1))
        return jax.jit(wave)(x, layer.weight)

    found = [slopes(f) for f in (product, plain)]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_weights_of_zero_need_two_devices() -> None:
    ternary = Representations.parse("float", "binary", "float", "binary", "ternary")
    with pytest.raises(ValueError, match="ternary weights need differential"):
        draw_chip(network(), ternary, Pairs(SHARP, "reference"), 1)
    assert set(draw_chip(network(), ternary, Pairs(SHARP), 1).layers) == {"fc"}


@pytest.mark.parametrize("text", ["1-bit", "9-bit", "bits", "-2-bit", ""])
def test_other_representations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected binary"):
        Representation.parse(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mapping": "single"},
        {"stuck_on": 0.6, "stuck_off": 0.6},
        {"stuck_on": -0.1},
        {"copies": 0},
        {"adc_bits": 1},
        {"read_noise": -1.0},
        {"tile_columns": 2},
    ],
)
def test_chips_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Pairs(STATES, **wrong)
