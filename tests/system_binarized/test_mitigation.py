"""Calibration and tuning: what they take away, and that devices stay as they are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devices.binary_states import BinaryStates
from formats.seeds import generator
from system.binarized.inference import Digits, Reader
from system.binarized.mitigation import Mitigation
from system.binarized.network import Binarized, Forward, digital
from system.binarized.pairs import Chip, Pairs, draw_chip, no_chip
from system.binarized.representation import Representations
from system.networks import build_network

STATES = BinaryStates.of_spread(1e5, 10, 0.3, 0.3)
BINARY = Representations.parse("8-bit", "binary", "binary", "binary", "binary")
IMAGES = generator(0, "images").random((50, 8, 8)).astype(np.float32)
MODEL = Binarized.of(build_network("cnn2", generator(0, "weights"), 8, 4))
CHIP = draw_chip(MODEL, BINARY, Pairs(STATES), 1)
READER = Reader(BINARY, Pairs(STATES))
MITIGATION = Mitigation(READER)
pytestmark = pytest.mark.usefixtures("quickly")


@jax.jit
def _logits(chip: Chip, digits: Digits) -> jax.Array:
    return READER.logits(chip, digits, jnp.asarray(IMAGES), jax.random.key(0))[0]


def logits(chip: Chip, digits: Digits) -> np.ndarray:
    return np.asarray(_logits(chip, digits))


def test_calibration_takes_a_common_gain_away_exactly() -> None:
    """All conductances doubled: not a bit of the logits moves, but for EPSILON's share."""
    doubled = CHIP._replace(
        layers={n: layer._replace(weights=2 * layer.weights) for n, layer in CHIP.layers.items()}
    )
    calibrated = [
        MITIGATION.calibrated(chip, Digits.of(MODEL), IMAGES, 1) for chip in (CHIP, doubled)
    ]
    for name, norm in calibrated[0].norms.items():
        np.testing.assert_array_equal(calibrated[1].norms[name].mean, 2 * norm.mean)
        np.testing.assert_array_equal(calibrated[1].norms[name].variance, 4 * norm.variance)
    ours, theirs = logits(CHIP, calibrated[0]), logits(doubled, calibrated[1])
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-3 * np.abs(ours).max())
    assert np.abs(logits(doubled, Digits.of(MODEL)) - logits(CHIP, Digits.of(MODEL))).max() > 0.1


def test_calibrated_outputs_have_the_moments_of_training() -> None:
    """On the calibration images each layer's products have mean 0 and variance 1 again."""
    digits = MITIGATION.calibrated(CHIP, Digits.of(MODEL), IMAGES, 1)
    found = logits(CHIP, digits) - np.asarray(digits.biases["fc"])
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(found.var(0), 1, rtol=1e-3)


def test_training_normalises_with_the_batch_and_keeps_what_it_saw() -> None:
    @jax.jit
    def seen() -> tuple[Any, jax.Array]:
        products = digital(MODEL.layers, BINARY)
        forward = Forward(products, MODEL.norms, BINARY, by_batch=True)
        MODEL.network(jnp.asarray(IMAGES), forward)
        x = BINARY.image.activations(jnp.asarray(IMAGES)[:, None], 1.0)
        return forward.seen["conv"], products(MODEL.layers[0], x)

    (mean, variance), y = jax.device_get(seen())
    np.testing.assert_allclose(mean, y.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, y.var((0, 2, 3)), rtol=1e-4)


def test_tuning_lowers_the_loss_and_moves_gains_and_biases_alone() -> None:
    """The labels are what the digital network says."""
    model = Binarized.of(build_network("mlp", generator(0, "weights"), 8, 4))
    chip = draw_chip(model, BINARY, Pairs(STATES), 1)
    reader = Reader(BINARY, Pairs(STATES))
    images, key = jnp.asarray(IMAGES), jax.random.key(0)

    @jax.jit
    def answers(chip: Chip, digits: Digits) -> jax.Array:
        return jax.nn.log_softmax(reader.logits(chip, digits, images, key)[0])

    labels = np.asarray(answers(no_chip(model), Digits.of(model))).argmax(1)
    mitigation = Mitigation(reader)
    digits = mitigation.calibrated(chip, Digits.of(model), IMAGES, 1)
    tuned = mitigation.tuned(chip, digits, IMAGES, labels, 60, 1)

    def loss(digits: Digits) -> float:
        chances = np.asarray(answers(chip, digits))
        return -float(np.mean(chances[np.arange(labels.size), labels]))

    assert loss(tuned) < loss(digits) - 0.05
    for name, norm in digits.norms.items():
        np.testing.assert_array_equal(tuned.norms[name].mean, norm.mean)
        assert np.any(tuned.norms[name].gain != norm.gain)
        assert np.any(tuned.biases[name] != digits.biases[name])


def test_ranges_are_the_largest_currents_of_the_calibration_images() -> None:
    pairs = Pairs(STATES, adc_bits=8, tile_rows=50)
    reader = Reader(BINARY, pairs)
    digits = Mitigation(reader).ranged(CHIP, Digits.of(MODEL), IMAGES, 1)
    linear = MODEL.layers[0].linear
    x = np.round(IMAGES[:, None] * 255) / 255
    made = jax.jit(lambda x, w: linear.forward(linear.unfold(x), w))(
        x, CHIP.layers["conv"].weights[0]
    )
    most = np.abs(np.asarray(made)).max()
    assert float(digits.ranges["conv"][0]) == pytest.approx(most, rel=1e-5)
    assert set(digits.ranges) == {"conv", "fc"}
