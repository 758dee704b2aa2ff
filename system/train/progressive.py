"""Progressive precision: an inference in stages of streams that stops when its decision is safe.

A layer's operands are encoded from the finished counts of the layer before, so no stream of one
pass can be cut short by looking at that pass's logits. A stage is therefore a whole pass of the
network with a few fresh bits; the logits are the mean of the stages so far, weighted by their bits.
In hardware the counters of the last layer go on through the stages instead of being cleared. An
image is done where the largest mean logit leads the second by a threshold of the stage. (To decide
early is the idea of Kim et al., DAC 2016, doi 10.1145/2897937.2898011, of which the abstract was
read; stages and thresholds are ours.)

Counters of earlier layers that go on too, so that later layers are encoded from all bits so far,
gain nothing: with those of the first layer the accuracies did not differ, with those of all layers
they were about 0.5 points lower, as each stage then repeats the errors of those before (LeNet-5,
simulated).

*Thresholds.* A decision is changed where a class leads in a stage and another one after all stages:
then it had gained more on that other one, by the noise of the streams left out, than the threshold
it passed. So a stage's threshold is what rivals gain on a small share of the calibration images
only; the shares of all stages add up to the ``risk``, and about so many images at most change their
decision, however hard they are. This takes the noise alone from the calibration images, which is
much the same in training and new images, where the leads are not: to count the decisions that
training images lose finds too few. Nor does it take labels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from formats.errors import InputError
from formats.seeds import integer_seed, seed_sequence
from system.arithmetic import Devices, Product, Scales
from system.arithmetic.binomial import LONGEST
from system.networks import Products, layers_of
from system.networks.exact import ExactProducts, layer_keys
from system.train.compilation import compiled
from system.train.evaluate import EVALUATION_BATCH
from system.train.plan import SHORTEST, Plan, Workshop

RISK = 0.05
"""Largest share of images that may change their decision (chosen). It bounds the loss for images of
any difficulty; few of MNIST's are near a second class, and 0 to 0.06 % were lost (LeNet-5,
simulated)."""
STREAMS = "progressive streams"

Logits = Callable[[str, np.ndarray, int, int], np.ndarray]
"""Logits (images, classes) of (part, images, bits, stage): one stage alone, with streams that no
other stage and no other part ("calibration", "test") has."""


@dataclass(frozen=True)
class Progressive:
    """What became of the test images, stage by stage.

    ``stage_length`` bits were run by ``stage_reached`` images; ``stage_images`` were decided there,
    ``stage_correct`` of them right. ``thresholds`` are the leads (in logits) that decide in all
    stages but the last, which decides the rest. ``correct_in_full`` images would be right had all
    run all stages; ``lost`` of these were decided wrongly before.
    """

    stage_length: tuple[int, ...]
    stage_reached: tuple[int, ...]
    stage_correct: tuple[int, ...]
    stage_images: tuple[int, ...]
    thresholds: tuple[float, ...]
    correct_in_full: int
    lost: int

    @property
    def correct(self) -> int:
        """Images decided right."""
        return sum(self.stage_correct)

    @property
    def mean_bits(self) -> float:
        """Bits of an image's streams in all stages it ran, mean over the images."""
        ran = np.dot(self.stage_reached, self.stage_length)
        return float(ran) / self.stage_reached[0]


def parse_stages(text: str) -> tuple[int, ...]:
    """Bits of each stage, of ``16,32,64,128``; none for "". Raises :class:`InputError`."""
    if not text.strip():
        return ()
    found = []
    for part in text.split(","):
        word = part.strip()
        if not (word.isdecimal() and SHORTEST <= int(word) <= LONGEST):
            raise InputError(
                "--progressive",
                f"{part!r} in {text!r}: expected the bits of each stage, {SHORTEST} to {LONGEST}, "
                "as in 16,32,64,128",
            )
        found.append(int(word))
    if len(found) < 2:
        raise InputError(
            "--progressive",
            f"is {text!r}, a single stage that nothing can stop before; expected two or more, as "
            "in 16,32,64,128, or none for inference at --stream-length",
        )
    return tuple(found)


def progressive(
    logits: Logits,
    stages: Sequence[int],
    calibration: np.ndarray,
    test: np.ndarray,
    labels: np.ndarray,
    risk: float = RISK,
) -> Progressive:
    """Set the thresholds on the ``calibration`` images, then decide the ``test`` images.

    All images run all stages, those decided early for ``correct_in_full`` only. Raises ValueError
    for a ``risk`` outside [0, 1).
    """
    seen = mean_logits(logits, stages, "calibration", calibration)
    thresholds = safe_thresholds(seen, risk)
    return decided(mean_logits(logits, stages, "test", test), labels, stages, thresholds)


def mean_logits(logits: Logits, stages: Sequence[int], part: str, images: np.ndarray) -> np.ndarray:
    """Logits (stages, images, classes) after each stage: means over all bits so far."""
    made = [logits(part, images, bits, stage) for stage, bits in enumerate(stages)]
    weight = np.asarray(stages, float)
    sums = np.cumsum(np.asarray(made, float) * weight[:, None, None], axis=0)
    return np.asarray(sums / np.cumsum(weight)[:, None, None])


def leads(means: np.ndarray) -> np.ndarray:
    """By how much the largest logit exceeds the second, of (..., classes)."""
    two = np.partition(means, -2, axis=-1)[..., -2:]
    return np.asarray(two[..., 1] - two[..., 0])


def gains(means: np.ndarray) -> np.ndarray:
    """What rivals gained at most on the final decision (stages, images).

    ``means`` (stages, images, classes) as :func:`mean_logits` gives them; a gain is a rival's
    lead over the class decided after all stages, less the one it has then.
    """
    final = means[-1].argmax(axis=-1)[None, :, None]
    ahead = means - np.take_along_axis(means, final, axis=-1)
    gained = ahead - ahead[-1]
    np.put_along_axis(gained, np.broadcast_to(final, (len(means), *final.shape[1:])), -np.inf, -1)
    return np.asarray(gained.max(axis=-1))


def safe_thresholds(means: np.ndarray, risk: float) -> tuple[float, ...]:
    """The least lead that decides, of each stage but the last, from calibration images.

    In each stage rivals gain as much on no more than ``risk`` / (stages - 1) of the images. With
    too few images for such a share, on none of them.
    """
    if not 0 <= risk < 1:
        raise ValueError(f"a risk of {risk} is outside [0, 1)")
    early = gains(means)[:-1]
    allowed = int(risk / len(early) * early.shape[1])
    edge = np.sort(early, axis=1)[:, early.shape[1] - 1 - allowed]
    return tuple(float(max(0.0, np.nextafter(value, np.inf))) for value in edge)


def decided(
    means: np.ndarray, labels: np.ndarray, stages: Sequence[int], thresholds: Sequence[float]
) -> Progressive:
    """Stop each image at the first stage whose threshold its lead reaches."""
    last = len(stages) - 1
    safe = leads(means[:last]) >= np.asarray(thresholds)[:, None]
    stage = np.where(safe.any(axis=0), safe.argmax(axis=0), last)
    answers = means.argmax(axis=-1)
    right = answers[stage, np.arange(labels.size)] == labels
    in_full = answers[last] == labels
    stopped = np.bincount(stage, minlength=last + 1)
    reached = labels.size - np.cumsum(stopped) + stopped
    return Progressive(
        stage_length=tuple(int(bits) for bits in stages),
        stage_reached=tuple(reached.tolist()),
        stage_correct=tuple(np.bincount(stage[right], minlength=last + 1).tolist()),
        stage_images=tuple(stopped.tolist()),
        thresholds=tuple(float(value) for value in thresholds),
        correct_in_full=int(in_full.sum()),
        lost=int(np.sum(in_full & ~right)),
    )


def variables(runs: Sequence[Progressive]) -> dict[str, xr.Variable]:
    """The variables of training.nc, dimension ``stage``, summed over the seeds' ``runs``."""
    texts = {
        "stage_length": ("bit", "chosen: the stages of progressive precision"),
        "stage_reached": ("images", "simulated: test images that run the stage, of all seeds"),
        "stage_correct": ("images", "simulated: of stage_images, those that are right"),
        "stage_images": ("images", "simulated: test images decided in the stage, of all seeds"),
    }
    found = {}
    for name, (units, source) in texts.items():
        rows = np.asarray([getattr(run, name) for run in runs])
        values = rows[0] if name == "stage_length" else rows.sum(axis=0)
        found[name] = xr.Variable(("stage",), values, {"units": units, "source": source})
    return found


def at_length(plan: Plan, bits: int) -> Plan:
    """The plan's forward products alone, all on streams of ``bits``; binary ones stay binary.

    Raises :class:`InputError` where none is on streams.
    """
    ahead = plan.forward_only()
    if not ahead.streamed:
        raise InputError(
            "--progressive", "has nothing to shorten: no forward product runs on streams"
        )
    return Plan(
        {
            place: replace(setting, length=bits) if setting.streamed else setting
            for place, setting in ahead.settings.items()
        }
    )


def by_moments(
    network: Any,
    shop: Workshop,
    plan: Plan,
    devices: Mapping[str, Devices],
    scales: Mapping[str, Scales],
    seed: int,
    on_batch: Callable[[int], None] = lambda images: None,
) -> Logits:
    """Stages of a network by moments (``shop`` makes those), compiled once for each length.

    ``on_batch`` is told of so many more images that ran a stage.
    """
    passes: dict[int, Callable[..., jax.Array]] = {}

    def logits(part: str, images: np.ndarray, bits: int, stage: int) -> np.ndarray:
        if bits not in passes:
            made = shop.make(at_length(plan, bits), layers_of(network))
            passes[bits] = compiled(_pass(made.products))
        streams = jax.random.key(integer_seed(seed, STREAMS, part, stage), impl="threefry2x32")
        size, total = min(EVALUATION_BATCH, len(images)), len(images)
        pixels, found = jnp.asarray(images), []
        for number, first in enumerate(range(0, total, size)):
            rows = np.arange(first, first + size) % total  # the last batch is filled up
            key = jax.random.fold_in(streams, number)
            found.append(jax.device_get(passes[bits](network, devices, scales, pixels[rows], key)))
            on_batch(min(size, total - first))
        return np.concatenate(found)[:total]

    return logits


def _pass(products: Mapping[str, Product]) -> Callable[..., jax.Array]:
    def logits(
        network: Any,
        devices: Mapping[str, Devices],
        scales: Mapping[str, Scales],
        images: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        probes = {name: product.probe(devices[name]) for name, product in products.items()}
        run = Products.of(products, devices, scales, probes, key, images.shape[0])
        return jnp.asarray(network(images, run))

    return logits


def bit_by_bit(
    network: Any,
    shop: Workshop,
    plan: Plan,
    devices: Mapping[str, Devices],
    scales: Mapping[str, Scales],
    seed: int,
    on_batch: Callable[[int], None] = lambda images: None,
) -> Logits:
    """The same with every bit made (``shop`` makes exact arithmetics)."""
    layers = layers_of(network)
    names = tuple(layer.name for layer in layers)

    def logits(part: str, images: np.ndarray, bits: int, stage: int) -> np.ndarray:
        made = shop.make(at_length(plan, bits), layers)
        kinds = {name: product.forward for name, product in made.products.items()}
        key = seed_sequence(seed, STREAMS, part, stage).generate_state(2)
        found = []
        for batch, first in enumerate(range(0, len(images), EVALUATION_BATCH)):
            rows = jnp.asarray(images[first : first + EVALUATION_BATCH])
            run = ExactProducts(kinds, devices, scales, layer_keys(key, names, batch))
            found.append(np.asarray(network(rows, run)))
            on_batch(len(rows))
        return np.concatenate(found)

    return logits
