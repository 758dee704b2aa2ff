"""Progressive precision: stages, their means, safe thresholds, and who stops where.

With |z| < 4.9 a comparison has a false-alarm rate of 1e-6, were the seeds free.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from formats.cells import Cells, read_cells
from formats.errors import InputError
from formats.seeds import generator
from formats.training import STAGE_VARIABLES, read_training, write_training
from system.arithmetic import Dense, Devices, Generators, Scales
from system.bitstream import DEFAULT_RULES
from system.networks import Layer, Run
from system.networks.between import flatten
from system.train.learning import draw_devices
from system.train.plan import Plan, Workshop, plans
from system.train.progressive import (
    Logits,
    at_length,
    bit_by_bit,
    by_moments,
    decided,
    leads,
    mean_logits,
    parse_stages,
    progressive,
    safe_thresholds,
    variables,
)
from tests import synthetic_training

STAGES = (16, 32, 64, 128)
NOISE = 4.0
"""Standard deviation of a logit from one bit."""


def noisy(true: np.ndarray, noise: float = NOISE) -> Logits:
    """Logits whose error has variance noise^2 / bits, anew for each part and stage."""

    def logits(part: str, images: np.ndarray, bits: int, stage: int) -> np.ndarray:
        error = generator(1, part, stage).normal(size=(len(images), true.shape[1]))
        return np.asarray(true[images] + noise / math.sqrt(bits) * error)

    return logits


def hard(images: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """True logits with leads down to nothing, and labels the true logits mostly say."""
    rng = np.random.default_rng(2)
    true = rng.normal(size=(images, classes))
    labels = np.where(rng.random(images) < 0.9, true.argmax(1), rng.integers(classes, size=images))
    return true, labels


def test_infinite_thresholds_give_the_accuracy_of_all_bits() -> None:
    true, labels = hard(2000)
    logits, images = noisy(true), np.arange(2000)
    means = mean_logits(logits, STAGES, "test", images)
    found = decided(means, labels, STAGES, [math.inf] * 3)
    total = np.zeros_like(true)
    for stage, bits in enumerate(STAGES):
        total += bits * logits("test", images, bits, stage)
    right = sum(int(np.argmax(row)) == label for row, label in zip(total, labels, strict=True))
    assert found.stage_reached == (2000,) * 4
    assert found.stage_images == (0, 0, 0, 2000)
    assert found.correct == found.correct_in_full == right
    assert found.lost == 0
    assert found.mean_bits == 240


def test_thresholds_of_zero_stop_all_images_at_the_first_stage() -> None:
    true, labels = hard(500)
    true[0] = 0.0
    means = mean_logits(noisy(true, 0.0), STAGES, "test", np.arange(500))
    assert leads(means)[0, 0] == 0  # a tie is decided, too
    found = decided(means, labels, STAGES, [0.0] * 3)
    assert found.stage_reached == found.stage_images == (500, 0, 0, 0)
    assert found.mean_bits == 16


def test_images_stop_where_their_lead_is_enough() -> None:
    """Four images of two classes by hand: leads 3, 1, 1, 1 and 3, 3, 1, 1 with thresholds of 2."""
    one = np.array([[3.0, 0], [1, 0], [0, 1], [1, 0]])
    two = np.array([[0.0, 3], [3, 0], [0, 1], [1, 0]])
    three = np.array([[0.0, 9], [0, 9], [0, 9], [0, 9]])
    found = decided(np.stack([one, two, three]), np.array([1, 0, 1, 0]), (8, 8, 16), (2.0, 2.0))
    assert found.stage_reached == (4, 3, 2)
    assert found.stage_images == (1, 1, 2)
    assert found.stage_correct == (0, 1, 1)
    assert found.mean_bits == (4 * 8 + 3 * 8 + 2 * 16) / 4
    assert (found.correct, found.correct_in_full, found.lost) == (2, 2, 1)


def test_a_mean_over_stages_has_the_noise_of_all_their_bits() -> None:
    """Unbiased, variance NOISE^2 / (bits so far); weights other than the bits would give more."""
    images = 20_000
    means = mean_logits(noisy(np.zeros((images, 10))), STAGES, "test", np.arange(images))
    for stage, total in enumerate(np.cumsum(STAGES)):
        variance, count = NOISE**2 / total, means[stage].size
        assert abs(means[stage].mean()) < 4.9 * math.sqrt(variance / count)
        assert abs(means[stage].var() / variance - 1) < 4.9 * math.sqrt(2 / count)


def test_a_threshold_is_the_quantile_of_what_the_missing_bits_may_change() -> None:
    """Two classes far apart: a rival's gain is normal, of variance 2 s^2 (1/S_k - 1/S)."""
    images, risk = 40_000, 0.03
    true = np.tile([100.0, 0.0], (images, 1))
    found = safe_thresholds(mean_logits(noisy(true), STAGES, "a", np.arange(images)), risk)
    total = np.cumsum(STAGES)
    spread = NOISE * np.sqrt(2 * (1 / total[:-1] - 1 / total[-1]))
    share = risk / 3
    error = math.sqrt(share * (1 - share) / images) / norm.pdf(norm.isf(share))
    assert np.all(np.abs(np.asarray(found) / spread - norm.isf(share)) < 4.9 * error)


@pytest.mark.parametrize("risk", [0.0, 0.01, 0.05, 0.3])
def test_no_more_calibration_images_than_the_risk_change_their_decision(risk: float) -> None:
    images = 3000
    means = mean_logits(noisy(hard(images)[0]), STAGES, "calibration", np.arange(images))
    found = decided(means, means[-1].argmax(1), STAGES, safe_thresholds(means, risk))
    assert found.correct_in_full == images
    assert found.lost <= risk * images


def test_the_risk_holds_for_harder_images_than_those_it_was_set_on() -> None:
    """Easy calibration images hardly lose a decision at any threshold; the bound still holds."""
    images, risk = 20_000, 0.05
    true, labels = hard(images)
    easy = np.where(np.arange(10) == 0, 50.0, 0.0) + np.zeros((1000, 1))
    both = np.concatenate([easy, true])
    labels = np.concatenate([np.zeros(1000, int), labels])
    calibration, test = np.arange(1000), np.arange(1000, 1000 + images)
    found = progressive(noisy(both), STAGES, calibration, test, labels[test], risk)
    seen = mean_logits(noisy(both), STAGES, "calibration", calibration)
    assert decided(seen, labels[calibration], STAGES, [0.0] * 3).lost == 0
    assert 0 < found.lost < risk * images
    assert found.stage_images[0] > 0 and found.mean_bits < 240
    without = decided(
        mean_logits(noisy(both), STAGES, "test", test), labels[test], STAGES, [0.0] * 3
    )
    assert without.lost > 2 * risk * images


def test_a_risk_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="risk of 1"):
        safe_thresholds(np.zeros((2, 5, 3)), 1.0)


@pytest.mark.parametrize(
    ("text", "stages"),
    [("", ()), ("16,32,64,128", STAGES), (" 16, 16 ,32", (16, 16, 32)), ("2,4096", (2, 4096))],
)
def test_stages_are_read(text: str, stages: tuple[int, ...]) -> None:
    assert parse_stages(text) == stages


@pytest.mark.parametrize("text", ["16", "16,", "16;32", "16,x", "1,32", "16,4097", "-16,32", "1e2"])
def test_texts_that_are_no_stages_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--progressive.*as in 16,32,64,128"):
        parse_stages(text)


def test_the_file_holds_the_sums_over_the_seeds(shared_cells: Path, tmp_path: Path) -> None:
    true, labels = hard(300)
    means = mean_logits(noisy(true), STAGES, "test", np.arange(300))
    runs = [decided(means, labels, STAGES, [t] * 3) for t in (1.0, 2.0)]
    data = synthetic_training.lenet5().assign(variables(runs))
    path, attributes = tmp_path / "training.nc", synthetic_training.attributes_for(shared_cells)
    write_training(path, attributes, data)
    read = read_training(path).data
    assert set(STAGE_VARIABLES) == set(variables(runs))
    assert tuple(read.stage_length.to_numpy()) == STAGES
    assert read.stage_reached[0] == read.stage_images.sum() == 600
    assert read.stage_correct.sum() == runs[0].correct + runs[1].correct
    after = read.stage_reached.to_numpy()[1:]
    assert np.array_equal((read.stage_reached - read.stage_images).to_numpy()[:-1], after)


class Single(eqx.Module):
    """One dense layer on images of 2 x 2 pixels."""

    only: Layer

    def __call__(self, images: jax.Array, run: Run) -> jax.Array:
        return self.only(flatten(images), run)


Hardware = tuple[Single, Plan, dict[str, Devices], dict[str, Scales], Cells]


@pytest.fixture(scope="module")
def single(shared_cells: Path, generators: Generators) -> Hardware:
    """A network, its plan at 256 bits, its generators and scales."""
    cells = read_cells(shared_cells)
    network = Single(Layer.initial("only", Dense(4, 3), generator(1, "weights"), True))
    mac = str(cells.attributes["default_mac"])
    plan = plans(["only"], mac=mac, length=256, rules=[], schedule="", epochs=1)[0]
    one = jnp.ones(())
    scales = {"only": Scales(one, 2 * one, one)}
    return network, plan, draw_devices(generators, 1, [network.only]), scales, cells


IMAGES = np.tile(np.array([[[0.9, 0.3], [0.5, 0.7]]], np.float32), (2100, 1, 1))
"""One image again and again: the logits of a stage differ by their streams only."""


@pytest.fixture(scope="module")
def moments(single: Hardware, generators: Generators) -> tuple[Logits, list[int]]:
    """Stages by moments, and the batches they report."""
    network, plan, devices, scales, cells = single
    shop = Workshop(cells, generators, DEFAULT_RULES, "moments")
    seen: list[int] = []
    return by_moments(network, shop, plan, devices, scales, 1, seen.append), seen


def test_the_streams_of_stages_and_parts_are_independent(
    moments: tuple[Logits, list[int]],
) -> None:
    """Uncorrelated, repeatable, and of a variance in proportion to 1 / bits."""
    logits, seen = moments
    made = [
        logits(part, IMAGES, bits, stage)[:, 0]
        for part, bits, stage in (
            ("test", 16, 0), ("test", 16, 1), ("test", 64, 2), ("calibration", 16, 0)
        )
    ]  # fmt: skip
    assert sum(seen) == 4 * 2100 and max(seen) < 2100
    assert np.array_equal(logits("test", IMAGES, 16, 1)[:, 0], made[1])
    for one, other in itertools.combinations(made, 2):
        assert abs(np.corrcoef(one, other)[0, 1]) < 4.9 / math.sqrt(2100)
    assert abs(made[0].var() / made[2].var() / 4 - 1) < 4.9 * math.sqrt(4 / 2100)


def test_a_stage_bit_by_bit_has_the_mean_and_variance_of_the_moments(
    single: Hardware, generators: Generators, moments: tuple[Logits, list[int]]
) -> None:
    network, plan, devices, scales, cells = single
    shop = Workshop(cells, generators, DEFAULT_RULES, "exact")
    ours = bit_by_bit(network, shop, plan, devices, scales, 1)("test", IMAGES, 16, 0)
    theirs = moments[0]("test", IMAGES, 16, 0)
    error = np.sqrt((ours.var(0) + theirs.var(0)) / 2100)
    assert np.all(np.abs(ours.mean(0) - theirs.mean(0)) < 4.9 * error)
    assert np.all(np.abs(ours.var(0) / theirs.var(0) - 1) < 4.9 * math.sqrt(4 / 2100))


def test_a_stage_shortens_the_forward_products_on_streams_only(single: Hardware) -> None:
    mac = str(single[4].attributes["default_mac"])

    def planned(rule: str) -> Plan:
        return plans(["a", "b"], mac=mac, length=256, rules=[rule], schedule="", epochs=1)[0]

    short = at_length(planned("b.forward:mac=binary"), 16)
    assert {place: s.length for place, s in short.settings.items() if s.streamed} == {
        ("a", "forward"): 16
    }
    with pytest.raises(InputError, match="no forward product"):
        at_length(planned("*.forward:mac=binary"), 16)
