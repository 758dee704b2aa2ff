"""Cycles of hand-made levels are those counted by hand, and those the file's writes add up to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from formats.training import PRODUCTS
from system.arithmetic import Convolution, Dense, Generators, Linear
from system.arithmetic.operands import ReadOut
from system.bitstream import StreamRules
from system.networks import Layer
from system.train import TrainOptions
from system.train.plan import Plan, Setting
from system.train.record import demand
from system.train.wear import Bits, Levels, cycles, mean_levels, no_bits, with_epoch

STEPS, BATCH, CONSTANTS = 3, 4, 2
IMAGES = STEPS * BATCH
LENGTHS = {"forward": 8, "input_gradient": 5, "weight_gradient": 2, "update": 16}
SURE = ReadOut(reset=1.0, e01=0.0, e10=0.0)


def plan_of(name: str, lengths: dict[str, int]) -> Plan:
    kinds = {bits: "binary" if bits == 0 else "counter" for bits in lengths.values()}
    return Plan({(name, product): Setting(kinds[n], n) for product, n in lengths.items()})


def layer_of(linear: Linear, from_image: bool = False) -> Layer:
    return Layer.initial("fc", linear, np.random.default_rng(0), from_image)


def generators_of(read_out: ReadOut) -> Generators:
    return cast(Generators, SimpleNamespace(read_out=read_out))


LAYER = layer_of(Dense(3, 2))
# Mean P(bit = 1) of each generator, and the sums that a training makes of them.
X = np.array([0.1, 0.5, 0.25])
W = np.array([[0.2, 0.0], [0.75, 0.1], [0.3, 0.4]])
D = np.array([0.05, 0.6])
PARAMETERS = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.25, 0.75])  # weights, then biases
SUMS = Levels(X * IMAGES, W * STEPS, D * IMAGES, PARAMETERS * STEPS * CONSTANTS, np.zeros(2))


def worn(
    rules: StreamRules,
    layer: Layer = LAYER,
    sums: Levels = SUMS,
    epochs: tuple[dict[str, int], ...] = (LENGTHS,),
    read_out: ReadOut = SURE,
) -> dict[str, np.ndarray]:
    bits: tuple[Bits, ...] = (no_bits(sums),)
    for lengths in epochs:
        plan = plan_of(layer.name, lengths)
        bits = with_epoch(bits, (sums,), plan, (layer,), STEPS, BATCH, CONSTANTS)
    return cycles(bits[0], generators_of(read_out), rules, BATCH)


@pytest.mark.parametrize(
    ("life", "lives"), [("image", BATCH), ("batch", 1), ("3", 2), ("2", 2), ("4", 1)]
)
def test_cycles_are_the_ones_in_all_streams(life: str, lives: int) -> None:
    """A sure RESET and no read errors: a cycle for every 1, whoever asked for the stream."""
    found = worn(StreamRules.parse(life, "parameter"))
    assert np.allclose(found["x"], IMAGES * (8 + 2) * X)
    assert np.allclose(found["d"], IMAGES * (5 + 2) * D)
    own = STEPS * lives * (8 + 5) * W.ravel()
    update = STEPS * CONSTANTS * 16 * PARAMETERS
    assert np.allclose(found["w"], np.r_[own + update[:6], update[6:]])


@pytest.mark.parametrize("group", [2, 3, 4, 9])
def test_parameters_that_take_turns_wear_their_generator_together(group: int) -> None:
    alone = worn(StreamRules())["w"]
    found = worn(StreamRules(kind="turns", group=group))["w"]
    starts = np.arange(0, 6, group)
    assert np.allclose(found[: starts.size], np.add.reduceat(alone[:6], starts))
    assert np.allclose(found[starts.size :], alone[6:])  # a bias has a generator of its own


def test_each_use_has_a_generator_of_its_own_and_the_first_makes_the_update() -> None:
    layer = layer_of(Convolution(1, 3, 2, 2))  # 4 positions, 4 taps, 2 outputs
    uses, taps, outputs = 4, 4, 2
    rng = np.random.default_rng(1)
    w, parameters = rng.uniform(0, 1, (uses, taps, outputs)), rng.uniform(0, 1, 10)
    sums = Levels(
        np.zeros((1, 3, 3)), w * STEPS, np.zeros((2, 2, 2)), parameters * STEPS * CONSTANTS,
        np.zeros(2),
    )  # fmt: skip
    found = worn(StreamRules(kind="use"), layer, sums)["w"]
    wanted = STEPS * BATCH * (8 + 5) * w.reshape(uses, -1)
    update = STEPS * CONSTANTS * 16 * parameters
    wanted[0] += update[:8]
    assert np.allclose(found, np.r_[wanted.ravel(), update[8:]])


def test_epochs_of_other_lengths_add_up_and_binary_products_wear_nothing() -> None:
    short = {"forward": 4, "input_gradient": 0, "weight_gradient": 3, "update": 0}
    both, first, second = (
        worn(StreamRules(), epochs=epochs) for epochs in ((LENGTHS, short), (LENGTHS,), (short,))
    )
    for operand in "xwd":
        assert np.allclose(both[operand], first[operand] + second[operand])
    assert np.allclose(second["w"], np.r_[IMAGES * 4 * W.ravel(), 0, 0])
    assert np.allclose(second["d"], IMAGES * 3 * D)
    none = worn(StreamRules(), epochs=(dict.fromkeys(PRODUCTS, 0),))
    assert all(not part.any() for part in none.values())


def test_the_first_layer_has_no_input_gradient() -> None:
    found = worn(StreamRules(), layer_of(Dense(3, 2), from_image=True))
    update = STEPS * CONSTANTS * 16 * PARAMETERS
    assert np.allclose(found["d"], IMAGES * 2 * D)
    assert np.allclose(found["w"], np.r_[IMAGES * 8 * W.ravel() + update[:6], update[6:]])


def test_cycles_are_told_from_read_errors_and_failed_resets() -> None:
    """Of bits read 1 with probability pi (1 - e10) + (1 - pi) e01, the cycles are pi Pr a bit."""
    read_out = ReadOut(reset=0.8, e01=0.02, e10=0.05)

    def read(pi: np.ndarray) -> np.ndarray:
        return pi * (1 - 0.05) + (1 - pi) * 0.02

    sums = Levels(
        read(X) * IMAGES, read(W) * STEPS, read(D) * IMAGES, read(PARAMETERS) * STEPS * CONSTANTS,
        np.zeros(2),
    )  # fmt: skip
    usual, found = worn(StreamRules()), worn(StreamRules(), sums=sums, read_out=read_out)
    for operand in "xwd":
        assert np.allclose(found[operand], 0.8 * usual[operand])


@pytest.mark.parametrize("life", ["image", "batch", "3"])
def test_cycles_agree_with_the_writes_of_one_image(life: str) -> None:
    """The file's ``writes_per_device`` come another way: mean operands, counts of streams."""
    layer, rules = LAYER, StreamRules.parse(life, "parameter")
    options = TrainOptions("cells.nc", batch_size=BATCH, stream_life=life)  # type: ignore[arg-type]
    plan = plan_of("fc", LENGTHS)
    means = mean_levels((SUMS,), STEPS, BATCH, CONSTANTS)
    assert means["x"] == pytest.approx(X.mean()) and means["w"] == pytest.approx(W.mean())
    table = demand((layer,), means, (plan,), options, generators_of(SURE))["writes_per_device"]
    each = dict(zip(PRODUCTS, np.asarray(table.values)[0] * IMAGES, strict=True))
    found = worn(rules)
    streams = each["forward"] + each["input_gradient"]
    assert found["w"].sum() == pytest.approx(6 * streams + 8 * each["update"])
    assert each["weight_gradient"] == pytest.approx(IMAGES * 2 * D.mean())
