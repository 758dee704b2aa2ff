"""The stage as a function: networks trained offline, mapped to drawn chips, mitigated, scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from devices.binary_states import BinaryStates
from devices.cbram import CBRAM
from formats.binarized import TREATMENTS, write_binarized
from formats.device import parse_device
from formats.errors import InputError
from formats.folders import make_folder
from formats.json_file import read_text
from formats.provenance import sha256_file
from formats.seeds import generator
from formats.training import write_weights
from system.binarized.inference import Digits, Reader
from system.binarized.injection import Injection
from system.binarized.learning import Course, Epoch, learn, pieces
from system.binarized.mitigation import Mitigation
from system.binarized.network import Binarized
from system.binarized.options import BinarizedOptions, stage_provenance
from system.binarized.pairs import Chip, Count, Pairs, draw_chip, no_chip
from system.binarized.record import attributes, dataset, weights
from system.binarized.representation import FLOAT
from system.images import Images, load_images
from system.images.subsets import spread
from system.networks import build_network, layers_of
from system.train.allocation import keep_freed_memory
from system.train.progress import TrainingProgress

RESULT_FILE = "binarized.nc"
WEIGHTS_FILE = "binarized.npz"
FLOAT_RATE = 1 / 3
"""Of the rate of latent weights, for floating-point ones: signs follow slowly (assumed)."""


@dataclass(frozen=True)
class Network:
    """A trained network; ``correct`` of the test images without devices."""

    name: str
    model: Binarized
    epochs: list[Epoch]
    correct: int


def run(options: BinarizedOptions) -> tuple[Path, Path]:
    """Train, map, read; write binarized.nc and binarized.npz and return their paths.

    Raises :class:`InputError`.
    """
    options.check()
    keep_freed_memory()  # before JAX starts
    text = read_text(options.device)
    device = CBRAM.from_dict(parse_device(text, options.device))
    conditions = options.conditions(device)
    chips = [options.pairs(states) for states in conditions]
    injection = options.injection(device)
    images = load_images(options.images, options.train_images, options.test_images)
    _check_images(options, images)
    _network(options, images)
    make_folder(options.output)  # before the training
    record = stage_provenance(options)
    courses = _courses(options, injection)
    steps = images.train_labels.size // options.batch_size
    parts = pieces(steps)
    with TrainingProgress(
        len(courses),
        options.epochs,
        len(parts),
        options.batch_size * steps // len(parts),
        options.quiet,
    ) as progress:
        trained = [
            _trained(name, course, options, images, progress) for name, course in courses.items()
        ]
        correct, counts = _read(trained[1:], chips, options, images, progress)
    if not options.quiet:
        _summary(trained, conditions, correct, images)
    result, arrays = options.output / RESULT_FILE, options.output / WEIGHTS_FILE
    write_weights(arrays, weights({network.name: network.model for network in trained}))
    layers = trained[0].model.layers
    data = dataset(
        {network.name: [epoch.loss for epoch in network.epochs] for network in trained},
        [network.correct for network in trained],
        correct,
        conditions,
        counts,
        layers,
        options,
    )
    about = attributes(options, images, layers, text, chips[0], injection, record)
    write_binarized(result, {**about, "weights_sha256": sha256_file(arrays)}, data)
    if not options.quiet:
        print(f"wrote {result} and {arrays}")
    return result, arrays


def _courses(options: BinarizedOptions, injection: Injection | None) -> dict[str, Course]:
    """By the names of ``NETWORKS``."""
    chosen = options.representations
    ends = options.epochs, options.batch_size
    found = {
        "float": Course(FLOAT, None, *ends, options.rate * FLOAT_RATE, options.seed),
        "bnn": Course(chosen, None, *ends, options.rate, options.seed),
    }
    if injection is not None:
        found["aware"] = Course(chosen, injection, *ends, options.rate, options.seed)
    return found


def _trained(
    name: str,
    course: Course,
    options: BinarizedOptions,
    images: Images,
    progress: TrainingProgress,
) -> Network:
    def told(epoch: Epoch) -> None:
        progress.say(f"{name}: epoch {epoch.number + 1}/{course.epochs}, loss {epoch.loss:.4f}")

    progress.begin(name)
    model, epochs = learn(
        _network(options, images), images, course, lambda images: progress.step(), told
    )
    reader = Reader(course.representations, Pairs(BinaryStates(1.0, 2.0)))
    right = reader.right(
        no_chip(model), Digits.of(model), images.test, images.test_labels, options.seed
    )
    progress.say(f"{name}: {100 * right.mean():.2f} % of the test images, without devices")
    return Network(name, model, epochs, int(right.sum()))


def _read(
    networks: list[Network],
    chips: list[Pairs],
    options: BinarizedOptions,
    images: Images,
    progress: TrainingProgress,
) -> tuple[np.ndarray, list[dict[str, Count]]]:
    """Images right (networks, treatments, conditions, chips); devices of the chips by layer."""
    treatments = 1 + bool(options.calibrate) + bool(options.tune)
    correct = np.zeros((len(networks), treatments, len(chips), options.chips), np.int64)
    counts: list[dict[str, Count]] = []
    tested = images.test_labels.size
    progress.begin_score("chips", correct.size * tested)
    treat = Treat(options, images, chips[0])
    for row, network in enumerate(networks):
        for column, pairs in enumerate(chips):
            for number in range(options.chips):
                seed = options.seed + number
                chip = draw_chip(network.model, options.representations, pairs, seed)
                correct[row, :, column, number] = treat(chip, seed)
                progress.scored(treatments * tested)
                if row == column == 0:
                    counts.append(chip.counts)
    return correct, counts


class Treat:
    """Reads chips as they are, calibrated, and tuned."""

    def __init__(self, options: BinarizedOptions, images: Images, pairs: Pairs) -> None:
        self.options, self.images = options, images
        self.reader = Reader(options.representations, pairs)
        self.mitigation = Mitigation(self.reader)
        few = spread(images.train_labels.size, options.calibrate or min(1000, len(images.train)))
        self.few = images.train[few]

    def __call__(self, chip: Chip, seed: int) -> list[int]:
        """Test images right after each treatment asked for."""
        options, images = self.options, self.images
        digits = Digits.of(chip.model)
        found = [self.mitigation.ranged(chip, digits, self.few, seed)]
        if options.calibrate:
            found.append(self.mitigation.calibrated(chip, digits, self.few, seed))
        if options.tune:
            found.append(
                self.mitigation.tuned(
                    chip, found[-1], images.train, images.train_labels, options.tune, seed
                )
            )
        return [
            int(self.reader.right(chip, each, images.test, images.test_labels, seed).sum())
            for each in found
        ]


def _network(options: BinarizedOptions, images: Images) -> Any:
    random = generator(options.seed, "weights")
    network = build_network(options.network, random, images.side, images.classes)
    layers_of(network)
    return network


def _check_images(options: BinarizedOptions, images: Images) -> None:
    count = images.train_labels.size
    for name in ("batch_size", "calibrate"):
        if getattr(options, name) > count:
            raise InputError(
                f"--{name.replace('_', '-')}",
                f"is {getattr(options, name)}, more than the {count} training images",
            )


def _summary(
    trained: list[Network], conditions: list[BinaryStates], correct: np.ndarray, images: Images
) -> None:
    tested = images.test_labels.size
    for network in trained:
        print(f"{network.name}, without devices: {100 * network.correct / tested:.2f} %")
    for row, network in enumerate(trained[1:]):
        for column, states in enumerate(conditions):
            on, off = states.spreads
            shares = 100 * correct[row, :, column] / tested
            told = ", ".join(
                f"{name} {mean:.2f} ({low:.2f} to {high:.2f})"
                for name, mean, low, high in zip(
                    TREATMENTS, shares.mean(1), shares.min(1), shares.max(1), strict=False
                )
            )
            print(
                f"{network.name}, R_OFF/R_ON {states.ratio:g}, spread {100 * on:.0f} and "
                f"{100 * off:.0f} %, {correct.shape[3]} chips: {told} %"
            )
