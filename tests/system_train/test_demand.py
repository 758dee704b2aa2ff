"""What a training asks of the hardware: counts, streams and writes of every product of LeNet-5."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from system.arithmetic import Generators
from system.networks import build_network, layers_of
from system.train import TrainOptions
from system.train.plan import plans
from system.train.record import demand
from system.train.wear import Levels

LENET = layers_of(build_network("lenet5", np.random.default_rng(0), 28, 10))
NAMES = [layer.name for layer in LENET]
MEANS = (*Levels._fields[:5], "x2", "w2", "d2")


def asked(
    options: TrainOptions, generators: Generators, *rules: str, **other: float
) -> dict[str, np.ndarray]:
    """What LeNet-5 asks of the hardware where every bit is 1 with probability 1/4, or another."""
    plan = plans(NAMES, mac="sign_magnitude_counter", length=16, rules=rules, schedule="", epochs=1)
    means = {name: np.full(5, other.get(name, 0.25)) for name in MEANS}
    found = demand(LENET, means, plan, options, generators)
    return {name: np.asarray(values) for name, values in found.items()}


def test_demand_is_that_of_lenet(tiny: TrainOptions, generators: Generators) -> None:
    found = asked(tiny, generators)
    macs = found["macs"].sum(axis=0)
    assert macs[0] == macs[2] == 416_520 and macs[1] == 416_520 - 117_600
    assert macs[3] == pytest.approx(2 * 61_706 / 20)  # two products a parameter and batch
    conv2 = {name: values[1, 1] for name, values in found.items()}
    assert (conv2["a_streams"], conv2["b_streams"]) == (1_600, 2_400)
    assert (conv2["outputs"], conv2["fan_in"]) == (1_176, 400)
    update = {name: values[1, 3] for name, values in found.items()}
    assert update["a_streams"] == update["outputs"] == pytest.approx(2 * 2_416 / 20)
    assert update["fan_in"] == 1 and update["b_streams"] == pytest.approx(2 / 20)
    assert all(found[name][0, 1] == 0 for name in ("macs", "a_streams", "writes_per_device"))
    once = asked(dataclasses.replace(tiny, rule="sgd"), generators)
    assert np.allclose(once["macs"][:, 3], found["macs"][:, 3] / 2)


def test_every_product_has_the_means_of_its_operands(
    tiny: TrainOptions, generators: Generators
) -> None:  # x, d, x2, parameters by w, w2, d2, constants
    found = asked(tiny, generators, **{name: 0.1 + i / 20 for i, name in enumerate(MEANS)})
    assert np.allclose(found["operand_a"][1:], [0.1, 0.2, 0.35, 0.25])
    assert np.allclose(found["operand_b"][1:], [0.15, 0.4, 0.45, 0.3])


def test_a_binary_product_has_its_counts_but_no_streams(
    tiny: TrainOptions, generators: Generators
) -> None:
    usual = asked(tiny, generators)
    found = asked(tiny, generators, "fc1.forward:mac=binary", "*.update:mac=binary")
    for name in ("macs", "outputs", "a_streams"):
        assert (
            np.array_equal(found[name][:, :3], usual[name][:, :3]) and not found[name][:, 3].any()
        )
    here = np.zeros((5, 4), bool)
    here[2, 0] = here[:, 3] = True
    assert np.array_equal(np.isnan(found["operand_a"]), here | np.isnan(usual["operand_a"]))
    assert np.array_equal(found["writes_per_device"], usual["writes_per_device"] * ~here)


@pytest.mark.parametrize(
    ("life", "sharing", "forward", "writes"),
    [
        ("image", "parameter", (150, 2_400, 48_000, 10_080, 840), 1.0),
        ("batch", "parameter", (150, 2_400, 48_000, 10_080, 840), 1 / 20),
        ("3", "parameter", (150, 2_400, 48_000, 10_080, 840), 7 / 20),  # 6 lives of 3, one of 2
        ("image", "use", (117_600, 240_000, 48_000, 10_080, 840), 1.0),
        ("image", "turns:4", (150, 2_400, 48_000, 10_080, 840), 4.0),
        ("10", "turns:4", (150, 2_400, 48_000, 10_080, 840), 4 / 10),
    ],
)
def test_demand_follows_the_stream_rules(
    tiny: TrainOptions,
    generators: Generators,
    life: str,
    sharing: str,
    forward: tuple[int, ...],
    writes: float,
) -> None:
    """Streams of weights that an image meets, and how many of them a device makes for it."""
    options = dataclasses.replace(tiny, stream_life=life, sng_sharing=sharing)
    found = asked(options, generators)
    met = found["b_streams"]
    assert met[:, 0].tolist() == list(forward)
    assert met[:, 1].tolist() == [0, *forward[1:]]
    assert met[:, 2].tolist() == [4_704, 1_600, 120, 84, 10]
    assert found["a_streams"][:, 1].tolist() == [0, 1_600, 120, 84, 10]
    made = found["writes_per_device"] / (16 * 0.25)
    assert np.allclose(made[:, 0], writes) and np.allclose(made[1:, 1], writes)
    turns = float(sharing.partition(":")[2] or 1)
    assert np.allclose(made[:, 2], 1) and np.allclose(made[:, 3], turns * 2 / 20)
