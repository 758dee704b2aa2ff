"""Stuck devices: their bits, which they are, and what the trained network makes of them."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from formats.cells import read_cells
from formats.errors import InputError
from formats.training import read_training
from system.arithmetic import BitExact, Dense, Devices, Generators, SignMagnitudeCounter
from system.arithmetic.conditions import Conditions
from system.arithmetic.noise import Counter, Tape
from system.arithmetic.operands import Deviation, Trim
from system.bitstream import DEFAULT_RULES, StreamRules
from system.networks import Layer
from system.train import TrainOptions, run
from system.train.learning import draw_devices
from system.train.wear import RANK_ENDS, by_rank
from system.train.worn import parse_worn, with_worn

NUMBERS = jnp.asarray([0.0, 0.001, 0.3, 0.9, 1.0])
LAYER = Layer.initial("fc", Dense(40, 25), np.random.default_rng(0))


def worn(
    devices: dict[str, Devices], share: float, in_lrs: bool, rules: StreamRules = DEFAULT_RULES
) -> dict[str, Devices]:
    return with_worn(devices, share, in_lrs, 1, (LAYER,), rules)


def stuck_of(part: Deviation | None) -> np.ndarray:
    assert part is not None
    return np.abs(np.asarray(part.ln_tau)) > 1e4


@pytest.mark.parametrize("spread", [{}, {"d2d_ln_v0": 0.05, "sense_error": 0.01}])
def test_a_stuck_device_gives_the_same_bit_whatever_it_is_asked(
    shared_cells: Path, spread: dict[str, float]
) -> None:
    """Also where nothing is written (0), and with a trim: the read errors remain."""
    conditions = Conditions(d2d_ln_tau=0.3, **spread)  # type: ignore[arg-type]
    generators = Generators.from_cells(read_cells(shared_cells), conditions=conditions)
    own = generators.draw_devices(np.random.default_rng(2), (NUMBERS.size,))
    if spread:
        own = own._replace(trim=Trim(jnp.asarray([-9.0, 3.0, 4.0, 9.0, 2.0]), None))
    error = spread.get("sense_error", 0.0)
    every = np.ones(NUMBERS.size, bool)
    for in_lrs, wanted in ((False, error), (True, 1 - error)):
        found = generators.probability(NUMBERS, own.stuck(every, in_lrs))
        assert np.asarray(found) == pytest.approx(wanted, abs=2e-7)
    some = np.array([True, False, False, True, False])
    kept, before = (
        np.asarray(generators.probability(NUMBERS, part)) for part in (own.stuck(some, True), own)
    )
    assert np.array_equal(kept[~some], before[~some])


def test_a_larger_share_holds_the_devices_of_a_smaller_one(generators: Generators) -> None:
    devices = draw_devices(generators, 1, (LAYER,))
    few, more, lrs, none, every = (
        worn(devices, share, in_lrs)["fc"]
        for share, in_lrs in ((0.1, False), (0.3, False), (0.1, True), (0.0, True), (1.0, True))
    )
    for role in Devices._fields:
        parts = [stuck_of(getattr(each, role)) for each in (few, more, lrs, none, every)]
        assert np.all(parts[1][parts[0]]) and np.array_equal(parts[0], parts[2])
        assert not parts[3].any() and parts[4].all()
    # 1,000 weights: 100 +- 4.9 standard deviations.
    assert abs(stuck_of(few.w).sum() - 100) < 4.9 * np.sqrt(90)
    assert none.w is not None and devices["fc"].w is not None
    assert np.array_equal(none.w.ln_tau, devices["fc"].w.ln_tau)


def test_weights_that_share_a_generator_are_stuck_together(generators: Generators) -> None:
    rules = StreamRules.parse("image", "turns:4")
    devices = draw_devices(generators, 1, (LAYER,), rules)
    found = stuck_of(worn(devices, 0.3, False, rules)["fc"].w).reshape(-1, 4)
    assert np.array_equal(found.all(axis=1), found.any(axis=1)) and found.any()
    each = StreamRules.parse("image", "use")
    assert stuck_of(
        worn(draw_devices(generators, 1, (LAYER,), each), 0.3, True, each)["fc"].w
    ).any()


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("in_lrs", [False, True])
def test_moments_have_the_mean_of_the_bits_with_stuck_devices(
    generators: Generators, in_lrs: bool
) -> None:
    """2,000 images of 16 bits, half of all devices stuck; |z| < 4.9 for each output."""
    runs, linear = 2_000, Dense(6, 3)
    layer = Layer.initial("fc", linear, np.random.default_rng(0))
    devices = draw_devices(generators, 3, (layer,))
    own = with_worn(devices, 0.5, in_lrs, 3, (layer,), DEFAULT_RULES)["fc"]
    moments = SignMagnitudeCounter(generators, 16)
    random = np.random.default_rng(5)
    x = np.broadcast_to(random.uniform(0, 1, linear.input_shape), (runs, *linear.input_shape))
    w = random.uniform(-1, 1, linear.weight_shape)
    found = []
    for kind in (moments, BitExact(moments)):
        a = kind.encode(jnp.asarray(x, jnp.float32), own.x, jnp.ones(()))
        b = kind.encode(jnp.asarray(w, jnp.float32), own.w, jnp.ones(()))
        counter, made = Counter(), partial(kind.forward, linear, a, b)
        jax.eval_shape(partial(made, counter))
        words = jax.random.bits(jax.random.key(3), (counter.used,), jnp.uint32)
        found.append(np.asarray(jax.jit(lambda words, made=made: made(Tape(words)))(words), float))
        stuck = stuck_of(own.x)
        assert np.allclose(np.asarray(a.probability)[:, stuck], float(in_lrs), atol=2e-7)
    first, second = found
    error = np.sqrt((first.var(0) + second.var(0)) / runs) + 1e-6
    assert np.max(np.abs(first.mean(0) - second.mean(0)) / error) < 4.9


def test_with_every_device_stuck_at_0_the_network_is_at_chance(
    tiny: TrainOptions, tiny_files: tuple[Path, Path]
) -> None:
    """Every logit is its bias, so all images get one of the ten classes, three of 30 are right."""
    data = read_training(tiny_files[0]).data
    right = data["worn_correct"].sel(seed=1, stuck="hrs")
    assert data["worn_share"].values.tolist() == [0.0, 0.01, 1.0] and tiny.worn == "1,0.01"
    assert data["worn_images"] == 30 and right.isel(worn=2) == 3
    moments = data["evaluated_correct"].sel(seed=1, arithmetic="sc", evaluation="moments")
    assert np.all(data["worn_correct"].sel(seed=1).isel(worn=0) == moments)


@pytest.mark.usefixtures("quickly")
def test_without_the_what_if_all_other_results_are_the_same(
    tiny: TrainOptions, tiny_files: tuple[Path, Path], tmp_path: Path
) -> None:
    files = run(dataclasses.replace(tiny, worn="", output=tmp_path))
    before, off = (read_training(path).data for path in (tiny_files[0], files[0]))
    assert not [name for name in off.variables if str(name).startswith(("worn", "stuck"))]
    for name in off.data_vars:
        assert off[name].equals(before[name]), name
    assert files[1].read_bytes() == tiny_files[1].read_bytes()


@pytest.mark.parametrize("text", ["2", "-0.1", "x", "0.1,0.1", "nan"])
def test_shares_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="--worn"):
        parse_worn(text)


def test_classes_by_rank_keep_the_sum() -> None:
    shares = np.diff(RANK_ENDS)
    for size in (1, 7, 150, 12_345):
        cycles = np.random.default_rng(size).lognormal(size=size)
        classes = by_rank(cycles)
        assert shares @ classes == pytest.approx(cycles.mean())
        assert np.all(np.diff(classes) >= -1e-12) and classes[-1] <= cycles.max() + 1e-12
    assert by_rank(np.arange(10.0))[:10] == pytest.approx([*range(9), 9.0])
