"""Training on conductances alone: nothing else passes from step to step."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from system.images import Images
from system.networks import with_layers
from system.synapses.crossbars import Conductances, network_of, step_of, values_of
from system.synapses.evaluate import right
from system.synapses.floating import Descent, FloatTrainer
from system.synapses.learning import (
    Trainer,
    _gradient_step,
    mean_loss,
    no_writes,
    order,
    outer_factors,
)

VARIED = {"sigma_step": 0.3, "sigma_ends": 0.1, "stuck": 0.02}


def trained(
    bench: Any, images: Images, start: Conductances, epochs: range, course: Any = None
) -> tuple[Conductances, Any]:
    """Conductances and writes after some epochs from ``start``."""
    trainer = Trainer(course or bench.course, bench.start.ends, images)
    held, writes = jax.tree.map(jnp.array, start), no_writes(start)
    for number in epochs:
        held, writes, _ = trainer.epoch(number, held, writes)
    return held, writes


def same(first: Any, second: Any) -> bool:
    return all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    )


@pytest.fixture(scope="module")
def whole(digits: Images) -> Any:
    """Three epochs of devices with all their spread."""
    from tests.system_synapses.conftest import bench

    made = bench(**VARIED)
    return made, *trained(made, digits, made.start.conductances, range(3))


def test_training_goes_on_the_same_from_saved_conductances(
    whole: Any, digits: Images, tmp_path: Any
) -> None:
    """All that is kept are float32 conductances in a file; records of writes begin anew."""
    bench, final, writes = whole
    held, before = trained(bench, digits, bench.start.conductances, range(2))
    leaves, tree = jax.tree.flatten(held)
    np.savez(tmp_path / "held.npz", *[np.asarray(part) for part in leaves])
    with np.load(tmp_path / "held.npz") as file:
        read = jax.tree.unflatten(tree, [jnp.asarray(file[f"arr_{k}"]) for k in range(len(leaves))])
    again, after = trained(bench, digits, read, range(2, 3))
    assert same(again, final)
    assert same(jax.tree.map(jnp.add, before.each, after.each), writes.each)


def test_the_template_gives_its_structure_only(whole: Any, digits: Images) -> None:
    """A network of other (not a number) parameters leads to the same conductances."""
    bench, final, _ = whole
    layers = [
        replace(layer, weight=layer.weight * jnp.nan, bias=layer.bias * jnp.nan)
        for layer in jax.tree.leaves(
            bench.course.template, is_leaf=lambda part: hasattr(part, "linear")
        )
    ]
    hollow = replace(bench.course, template=with_layers(bench.course.template, layers))
    again, _ = trained(bench, digits, bench.start.conductances, range(3), hollow)
    assert same(again, final)


def test_equal_steps_without_error_keep_every_device_on_its_levels(
    make_bench: Any, digits: Images
) -> None:
    """So rounding the state to 32 levels changes nothing: no finer weight is hidden in it."""
    bench = make_bench()
    held, writes = trained(bench, digits, bench.start.conductances, range(3))
    synapse = bench.course.synapse
    for devices in held:
        for part in devices:
            levels = (np.asarray(part, float) - synapse.g_min.value) * 31
            levels /= synapse.g_max.value - synapse.g_min.value
            assert np.abs(levels - np.round(levels)).max() < 1e-3
    assert sum(int(part.sum()) for part in jax.tree.leaves(writes.each)) > 1000


def test_devices_without_pulses_have_not_moved_and_ends_hold(whole: Any) -> None:
    bench, final, writes = whole
    ends = bench.start.ends
    assert sum(int((part == 0).sum()) for part in jax.tree.leaves(writes.each)) > 1000
    for now, then, count, low, high in zip(
        *map(jax.tree.leaves, (final, bench.start.conductances, writes.each, ends.low, ends.high)),
        strict=True,
    ):
        quiet = np.asarray(count) == 0
        assert np.array_equal(np.asarray(now)[quiet], np.asarray(then)[quiet])
        assert np.all(now >= low * (1 - 1e-6)) and np.all(now <= high * (1 + 1e-6))


def test_pulses_of_recentring_are_counted(make_bench: Any, digits: Images) -> None:
    """At a rate that pulses nothing, all pairs at their high ends: 15 or 16 pulses down on each."""
    bench = make_bench(recentre=True)
    course = dataclasses.replace(bench.course, rate=1e-12)
    low, high = (
        jax.tree.map(lambda g, end: jnp.broadcast_to(end, g.shape), bench.start.conductances, ends)
        for ends in (bench.start.ends.low, bench.start.ends.high)
    )
    held, writes = trained(bench, digits, high, range(1), course)
    for part in jax.tree.leaves(writes.each):
        assert set(np.unique(part)) <= {15, 16}
    for now, a, b in zip(*map(jax.tree.leaves, (held, low, high)), strict=True):
        assert np.allclose((now - a) / (b - a), 0.5, atol=0.02)


def test_the_mean_step_is_the_gradient_times_the_rate(make_bench: Any, digits: Images) -> None:
    """2,000 draws of one step; the sum of squared z-scores within 6 sigma of its expectation."""
    bench = make_bench(sigma_step=0.2)
    course, held, ends = bench.course, bench.start.conductances, bench.start.ends
    batch = jnp.asarray(digits.train[:20]), jnp.asarray(digits.train_labels[:20])
    rate, draws = 0.03, 2000

    def values(conductances: Conductances) -> jax.Array:
        network = network_of(course.template, course.crossbars, course.synapse, conductances)
        return values_of(network)[-2]

    def change(number: jax.Array) -> jax.Array:
        key = jax.random.fold_in(jax.random.key(1, impl="threefry2x32"), number)
        made, _ = _gradient_step(course, held, ends, batch, (jnp.float32(rate), number, key))
        return values(tuple(one.conductances for one in made)) - values(held)

    @jax.jit
    def gradient(held: Conductances) -> jax.Array:
        network = network_of(course.template, course.crossbars, course.synapse, held)
        return values_of(jax.grad(mean_loss)(network, *batch))[-2]

    found = np.asarray(jax.jit(lambda n: jax.lax.map(change, n))(np.arange(draws)), float)
    expected = -rate * np.asarray(gradient(held))
    step = step_of(course.crossbars[-2], course.synapse)
    chance = np.abs(expected) / step
    assert chance.max() < 1
    error = step * np.sqrt(np.maximum(chance * 1.04 - chance**2, 1e-12) / draws)
    enough = chance * draws > 20
    z = ((found.mean(axis=0) - expected) / error)[enough]
    assert enough.sum() > 200
    assert abs(np.mean(z**2) - 1) < 6 * np.sqrt(2 / z.size)


def test_taps_and_errors_are_the_factors_of_the_gradient(make_bench: Any, digits: Images) -> None:
    bench = make_bench(network="cnn2")
    course, held = bench.course, bench.start.conductances
    batch = jnp.asarray(digits.train[:5]), jnp.asarray(digits.train_labels[:5])

    @jax.jit
    def both(held: Conductances) -> Any:
        network = network_of(course.template, course.crossbars, course.synapse, held)
        return outer_factors(course, held, batch), jax.value_and_grad(mean_loss)(network, *batch)

    (factors, loss), (expected, slope) = both(held)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    for layer in (slope.conv, slope.fc):
        x, d = factors[layer.name]
        found = jax.jit(layer.linear.weight_gradient)(x, d) / 5
        np.testing.assert_allclose(found, layer.weight, atol=1e-5)


@pytest.mark.parametrize(("cells", "rule"), [("pair", "coincidence"), ("single", "gradient")])
def test_both_rules_learn_on_both_kinds_of_cells(
    make_bench: Any, digits: Images, cells: str, rule: str
) -> None:
    bench = make_bench(cells)
    course = replace(bench.course, rule=rule, epochs=6, recentre=cells == "pair")
    held, _ = trained(bench, digits, bench.start.conductances, range(6), course)
    network = network_of(course.template, course.crossbars, course.synapse, held)
    assert right(network, digits.test, digits.test_labels).mean() > 0.75


def test_an_epoch_has_each_image_once_and_orders_of_its_own() -> None:
    rows = [order(1, epoch, 100, 10) for epoch in (0, 1)]
    assert sorted(rows[0].ravel().tolist()) == list(range(100))
    assert not np.array_equal(*rows)
    assert order(1, 0, 105, 10).shape == (10, 10)


def test_floating_point_descends_like_a_plain_loop(make_bench: Any, digits: Images) -> None:
    template = make_bench().course.template
    trainer = FloatTrainer(digits, 2, 1, batch_size=40, rate=0.1)
    state, _ = trainer.epoch(0, Descent.of(template))
    network, memory = template, jax.tree.map(lambda w: np.zeros(w.shape, np.float32), template)
    slope_of = jax.jit(jax.grad(mean_loss))
    for index, rows in enumerate(order(1, 0, 200, 40)):
        slope = slope_of(network, jnp.asarray(digits.train[rows]), digits.train_labels[rows])
        memory = jax.tree.map(lambda m, g: 0.9 * m + g, memory, slope)
        now = 0.1 * 0.5 * (1 + np.cos(np.pi * index / 10))
        network = jax.tree.map(lambda w, m, now=now: w - now * m, network, memory)
    for found, expected in zip(values_of(state.network), values_of(network), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)
