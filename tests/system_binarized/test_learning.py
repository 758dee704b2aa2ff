"""Variation-aware training meets another chip in each batch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from devices.binary_states import BinaryStates
from formats.seeds import generator
from system.binarized.injection import Injection
from system.binarized.learning import Course, State, batches, trained_of
from system.binarized.network import Binarized
from system.binarized.representation import Representations
from system.networks import build_network

BINARY = Representations.parse("8-bit", "binary", "binary", "binary", "binary")
SPREAD = Injection(BinaryStates.of_spread(1e5, 10, 0.5, 0.5))
pytestmark = pytest.mark.usefixtures("quickly")


@pytest.mark.parametrize("injection", [None, SPREAD])
def test_every_batch_meets_a_chip_of_its_own(injection: Injection | None) -> None:
    """The same images thrice, and nothing moves: only a drawn chip can change the loss."""
    rule = optax.sgd(0.0)
    model = Binarized.of(build_network("mlp", generator(0, "weights"), 4, 4))
    state = State(model, rule.init(trained_of(model)), jnp.zeros((), jnp.int32))
    random = generator(0, "images")
    images = jnp.asarray(random.random((8, 4, 4)), jnp.float32)
    rows = jnp.tile(jnp.arange(8), (3, 1))
    run = jax.jit(
        lambda state: batches(
            Course(BINARY, injection), rule, state, images, jnp.arange(8) % 4, rows
        )
    )
    _, losses = run(state)
    assert len(np.unique(np.asarray(losses))) == (1 if injection is None else 3)
