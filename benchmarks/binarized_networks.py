"""The networks of ``benchmarks/binarized.py``: trained once, kept in out/benchmarks/binarized/."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import numpy as np

from benchmarks.common import STATE
from devices.binary_states import BinaryStates
from formats.atomic import replacing, write_text
from formats.provenance import source_digest
from formats.seeds import generator
from system.binarized.inference import Digits, Reader
from system.binarized.injection import Injection
from system.binarized.learning import Course, learn
from system.binarized.mitigation import Mitigation
from system.binarized.network import Binarized
from system.binarized.pairs import Pairs, draw_chip
from system.binarized.representation import FLOAT, Representations
from system.images import Images
from system.images.subsets import spread
from system.networks import build_network

FOLDER = STATE / "binarized"
EPOCHS = 8
CHIPS, CALIBRATION, TUNING_STEPS = 5, 1000, 100
SOURCE = ("devices", "formats", "system.binarized", "system.images", "system.networks")
VERSION = source_digest(SOURCE)[:12]
"""What is kept is made anew where the source of training and chips changes."""
NETWORK = "lenet-wide"
BITS = Representations.parse("8-bit", "binary", "binary", "binary", "binary")
FIRST_COPIES = 8
TRAINED_SPREAD, TRAINED_RATIO = 0.5, 10.0
R_ON = 100e3
"""ohm; only ratios matter to what is shown."""
_STATES = BinaryStates.of_spread(R_ON, TRAINED_RATIO, TRAINED_SPREAD, TRAINED_SPREAD)


@dataclass(frozen=True)
class Trained:
    """A network with what it was trained as, and its losses and seconds by epoch."""

    name: str
    course: Course
    model: Binarized
    losses: list[float]
    seconds: list[float]


def courses(epochs: int) -> dict[str, Course]:
    """By name. The variation-aware ones see a chip of its own in each batch."""
    bits = Course(BITS, epochs=epochs)
    return {
        "float": Course(FLOAT, epochs=epochs, rate=1e-3),
        "bnn": bits,
        "aware": replace(bits, injection=Injection(_STATES)),
        "aware, copies": replace(bits, injection=Injection(_STATES, first_copies=FIRST_COPIES)),
    }


def fresh(side: int, classes: int) -> Any:
    """The network before training, the same for all courses."""
    return build_network(NETWORK, generator(1, "weights"), side, classes)


def trained(name: str, course: Course, images: Images, say: Callable[[str], None]) -> Trained:
    """Trained now, or taken from where it was kept."""
    count = images.train_labels.size
    stem = f"{name.replace(', ', '-')},images={count},epochs={course.epochs},{VERSION}"
    weights, about = FOLDER / f"{stem}.eqx", FOLDER / f"{stem}.json"
    network = fresh(images.side, images.classes)
    if not (weights.exists() and about.exists()):
        start = time.perf_counter()
        model, epochs = learn(
            network,
            images,
            course,
            on_epoch=lambda e: say(
                f"{name}: epoch {e.number + 1}/{course.epochs}, loss {e.loss:.4f}, about "
                f"{(time.perf_counter() - start) * (course.epochs / (e.number + 1) - 1):.0f} s left"
            ),
        )
        with replacing(weights) as temporary, temporary.open("wb") as file:
            eqx.tree_serialise_leaves(file, model)
        kept = {"losses": [e.loss for e in epochs], "seconds": [e.seconds for e in epochs]}
        write_text(about, json.dumps(kept))
    kept = json.loads(about.read_text())
    with weights.open("rb") as file:
        model = eqx.tree_deserialise_leaves(file, Binarized.of(network))
    return Trained(name, course, model, kept["losses"], kept["seconds"])


def accuracy(right: np.ndarray) -> float:
    """Share of the images."""
    return float(np.mean(right))


def networks(images: Images) -> dict[str, Trained]:
    """All of :func:`courses`, with lines of progress."""
    return {
        name: trained(name, course, images, lambda text: print(text, flush=True))
        for name, course in courses(EPOCHS).items()
    }


class Kept:
    """Values by text, as JSON lines in a file: what was found before is not found again."""

    def __init__(self, name: str) -> None:
        self.path = FOLDER / f"{name},{VERSION}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.known: dict[str, Any] = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                key, value = json.loads(line)
            except ValueError:  # a line cut short when the run was stopped
                continue
            self.known[key] = value

    def of(self, key: str, make: Callable[[], Any]) -> Any:
        """The value known, or made now."""
        if key not in self.known:
            self.known[key] = make()
            with self.path.open("a") as file:
                file.write(json.dumps([key, self.known[key]]) + "\n")
        return self.known[key]


@dataclass
class Bench:
    """Reads chips of a trained network: accuracies by treatment, kept.

    ``kept`` has them by network, chip, seed and images.
    """

    trained: Trained
    images: Images
    kept: Kept

    def __post_init__(self) -> None:
        self.readers: dict[Pairs, tuple[Reader, Mitigation]] = {}
        self.few = self.images.train[spread(self.images.train_labels.size, CALIBRATION)]

    def shares(self, pairs: Pairs, treatment: str, count: int, chips: int = CHIPS) -> list[float]:
        """Shares of the first ``count`` test images right, chip by chip.

        ``treatment`` is "none", "calibrated" or "tuned". Chips without variation are all alike:
        one is read.
        """
        states = pairs.states
        sharp = not (states.sigma_ln_on or states.sigma_ln_off or pairs.stuck_on or pairs.stuck_off)
        return [
            self.kept.of(
                f"{self.trained.name}|{treatment}|{pairs}|{seed}|{count}",
                lambda seed=seed: self._share(pairs, treatment, count, seed),
            )
            for seed in range(1, 2 if sharp else chips + 1)
        ]

    def _share(self, pairs: Pairs, treatment: str, count: int, seed: int) -> float:
        model, images = self.trained.model, self.images
        # Readers do not look at the devices: one for all states and faults.
        kind = replace(pairs, states=_STATES, stuck_on=0.0, stuck_off=0.0, segment=0.0)
        if kind not in self.readers:
            reader = Reader(BITS, kind)
            self.readers[kind] = reader, Mitigation(reader)
        reader, mitigation = self.readers[kind]
        chip = draw_chip(model, BITS, pairs, seed)
        digits = mitigation.ranged(chip, Digits.of(model), self.few, seed)
        if treatment != "none":
            digits = mitigation.calibrated(chip, Digits.of(model), self.few, seed)
        if treatment == "tuned":
            digits = mitigation.tuned(
                chip, digits, images.train, images.train_labels, TUNING_STEPS, seed
            )
        test = images.test[:count], images.test_labels[:count]
        return accuracy(reader.right(chip, digits, *test, seed))
