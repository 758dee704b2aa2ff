"""Stage 3 as a function: float and stochastic runs for each seed, then the two files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from formats.cells import read_cells
from formats.errors import InputError
from formats.folders import make_folder, trainings_folder
from formats.interrupts import going_on
from formats.provenance import provenance_key, sha256_file
from formats.seeds import generator
from formats.training import write_training, write_weights
from system.arithmetic import Deviation, Devices
from system.arithmetic.exact.callback import interruptible
from system.images import Images, load_images
from system.images.subsets import spread
from system.networks import build_network, layers_of
from system.train.allocation import keep_freed_memory
from system.train.checkpoint import AFTER_EPOCHS, Checkpoints
from system.train.evaluate import Evaluators
from system.train.hardware import Hardware, hardware_of, times_slower
from system.train.learning import (
    Course,
    Epoch,
    Kept,
    Learned,
    draw_devices,
    learn,
    observed,
    scales_of,
)
from system.train.options import TrainOptions, float_provenance, stage_provenance
from system.train.plan import Made, Plan, Workshop, in_float
from system.train.progress import TrainingProgress
from system.train.progressive import (
    Progressive,
    bit_by_bit,
    by_moments,
    parse_stages,
    progressive,
)
from system.train.record import Trained, attributes, dataset, weights
from system.train.scaling import Scaling
from system.train.score import (
    CALIBRATION_IMAGES,
    Scored,
    exact_rows,
    mapped_exponents,
    score_exact,
)
from system.train.summary import summary
from system.train.update import Rule
from system.train.wear import no_bits
from system.train.worn import Worn, evaluated_with_worn, parse_worn, with_worn

TRAINING_FILE = "training.nc"
WEIGHTS_FILE = "weights.npz"
CHECKPOINTS = "checkpoints"
_COMPUTED = {"moments": "by the moments of the streams", "exact": "bit by bit"}


def run(options: TrainOptions) -> tuple[Path, Path]:
    """Train in plain and in stochastic arithmetic; write training.nc and weights.npz.

    Returns their paths. After a kill the same call goes on from the last whole epoch. Raises
    :class:`InputError`.
    """
    options.check()
    keep_freed_memory()  # before JAX starts
    cells = read_cells(options.cells)
    images = load_images(options.images, options.train_images, options.test_images)
    if options.batch_size > images.train_labels.size:
        raise InputError(
            "--batch-size",
            f"is {options.batch_size}, more than the {images.train_labels.size} training images",
        )
    layers = layers_of(_network(options, images, options.seed))
    hardware = hardware_of(cells, options, layers)
    Workshop(cells, hardware.generators, options.rules, hardware.mode).make(
        hardware.plans[-1], layers
    )
    Scaling.parse(options.scales, [layer.name for layer in layers])
    make_folder(options.output)  # before hours of training
    record = stage_provenance(options)
    key = provenance_key(record)
    steps = images.train_labels.size // options.batch_size
    arms = 1 if options.mode == "float" else 2
    with TrainingProgress(
        arms * options.seeds, options.epochs, steps, options.batch_size, options.quiet
    ) as progress:
        checkpoints = Checkpoints(options.output / CHECKPOINTS, key, progress.say)
        if options.fresh:
            checkpoints.remove()
        if hardware.reason is not None:
            times = times_slower(hardware.generators) * options.stream_length / 256
            progress.say(
                f"exact mode: {hardware.reason} (about {max(2, round(times))} times as long as by "
                "moments)"
            )
        with going_on(AFTER_EPOCHS), interruptible():
            trained = [
                _Seed(options, hardware, images, seed, progress, checkpoints).trained()
                for seed in range(options.seed, options.seed + options.seeds)
            ]
    training, arrays = options.output / TRAINING_FILE, options.output / WEIGHTS_FILE
    rule = _rule(options, images, on_streams=True)
    data = dataset(trained, hardware.plans, options, images, hardware.generators, cells)
    about = attributes(
        cells,
        hardware.mac,
        "float" if options.mode == "float" else hardware.mode,
        rule,
        hardware.calibration,
        hardware.plans,
        layers,
        options,
        images,
        record,
    )
    write_weights(arrays, weights(trained, options))
    write_training(training, {**about, "weights_sha256": sha256_file(arrays)}, data)
    checkpoints.remove()
    if not options.quiet:
        summary(
            trained,
            hardware.plans,
            options,
            images,
            hardware.mac,
            hardware.mode,
            hardware.calibration,
        )
        print(f"wrote {training} and {arrays}")
    return training, arrays


def _network(options: TrainOptions, images: Images, seed: int) -> Any:
    return build_network(options.network, generator(seed, "weights"), images.side, images.classes)


def _rule(options: TrainOptions, images: Images, on_streams: bool) -> Rule:
    """The update; in floating point without registers."""
    steps = images.train_labels.size // options.batch_size * options.epochs
    bits = (options.weight_bits, options.state_bits) if on_streams else (None, None)
    return Rule(options.rule, options.peak_rate, steps, options.batch_size, *bits)


@dataclass
class _Seed:
    """The runs and scores of one seed."""

    options: TrainOptions
    hardware: Hardware
    images: Images
    seed: int
    progress: TrainingProgress
    checkpoints: Checkpoints

    def __post_init__(self) -> None:
        options = self.options
        self.layers = layers_of(_network(options, self.images, self.seed))
        self.scaling = Scaling.parse(options.scales, [layer.name for layer in self.layers])
        self.devices = self._devices()
        self.no_devices = draw_devices(None, self.seed, self.layers)
        self.plain = in_float(self.layers)
        self.made = self._made(self.hardware.mode)
        self.moments = self.made if self.hardware.mode == "moments" else None
        self.tests = Evaluators(self.images, self.seed)

    def trained(self) -> Trained:
        """Train in floating point and on streams (or map), then evaluate both everywhere."""
        runs = {"float": self._learned("float")}
        mapped = mapped_exponents(runs["float"].network, self.images, self.scaling)
        if self.options.mode == "float":
            runs["sc"] = self._mapped(runs["float"], mapped)
            exponents = mapped
        else:
            runs["sc"] = self._learned("sc")
            exponents = runs["sc"].exponents
        scores = self._scores(runs, {"float": mapped, "sc": exponents})
        staged = self._progressive(runs["sc"].network, exponents)
        worn = self._worn(runs["sc"].network, exponents, scores)
        return Trained(runs, scores, exponents, runs["sc"].levels, staged, worn)

    def _devices(self) -> dict[str, Devices]:
        hardware = self.hardware

        def trimmed(devices: Deviation, *name: str) -> Deviation:
            if hardware.calibration is None:
                return devices
            random = generator(self.seed, "read-backs", *name)
            return hardware.calibration.trim(hardware.generators, devices, random)

        return draw_devices(
            hardware.generators, self.seed, self.layers, self.options.rules, trimmed
        )

    def _made(self, mode: str) -> list[Made]:
        """The arithmetics of each epoch, one object for equal plans."""
        shop = Workshop(self.hardware.cells, self.hardware.generators, self.options.rules, mode)
        found: list[tuple[Plan, Made]] = []
        for plan in self.hardware.plans:
            known = next((made for old, made in found if old == plan), None)
            found.append((plan, known or shop.make(plan, self.layers)))
        return [made for _, made in found]

    def _course(self, kind: str) -> Course:
        options, plans = self.options, self.hardware.plans
        network = _network(options, self.images, self.seed)
        rule = _rule(options, self.images, kind == "sc")
        ends = rule, self.seed, options.batch_size
        if kind == "sc":
            return Course(network, plans, self.made, self.devices, self.scaling, *ends)
        # Nothing of the hardware, as other runs take this one up.
        plain = [self.plain] * options.epochs
        binary = [plan.all_binary() for plan in plans]
        scaling = Scaling.parse((), [layer.name for layer in self.layers])
        return Course(network, binary, plain, self.no_devices, scaling, *ends)

    def _learned(self, kind: str) -> Learned:
        tested = self.images.test_labels.size
        checkpoints, name = self.checkpoints, f"{kind}-seed{self.seed}"
        if kind == "float":
            checkpoints, name = self._remembered(checkpoints, name)

        def resume(like: Kept) -> Kept | None:
            found = checkpoints.resume(name, like)
            if found is not None:
                self.progress.skip(found[0])
                if checkpoints is not self.checkpoints:
                    done = f"{found[0]} of {self.options.epochs} epochs"
                    self.progress.say(f"float, seed {self.seed}: {done} come from the cache")
            return None if found is None else found[1]

        self.progress.begin(f"{kind}, seed {self.seed}")
        return learn(
            self._course(kind),
            self.images,
            on_step=self.progress.step,
            on_epoch=lambda epoch: self.progress.epoch(epoch, tested),
            tests=self.tests,
            resume=resume,
            keep=lambda kept: checkpoints.save(name, kept.done, kept),
        )

    def _remembered(self, checkpoints: Checkpoints, name: str) -> tuple[Checkpoints, str]:
        """Where the training in floating point is kept, which many stochastic ones share."""
        folder = trainings_folder()
        if folder is None or self.options.fresh:
            return checkpoints, name
        key = provenance_key(float_provenance(self.options, self.seed))
        return Checkpoints(folder, key, lambda text: None), key

    def _mapped(self, run: Learned, exponents: np.ndarray) -> Learned:
        """The network trained in floating point, put on streams."""
        course = replace(self._course("sc"), network=run.network)
        levels = observed(course, self.images, exponents)
        right = self._answers(course.made[-1], run.network, exponents)
        last = self.options.epochs - 1
        rows = [Epoch(k, np.nan, np.nan, np.nan) for k in range(last)]  # type: ignore[arg-type]
        final = Epoch(last, int(right.sum()), np.nan, np.nan)
        return Learned(
            (*rows, final),
            run.network,
            exponents,
            levels,
            tuple(map(no_bits, levels)),
            right,
            self.devices,
        )

    def _answers(self, made: Made, network: Any, exponents: np.ndarray) -> np.ndarray:
        devices = self.no_devices if made is self.plain else self.devices
        scales = scales_of(exponents, self.layers)
        return self.tests.of(made.products)(network, devices, scales, self.options.epochs - 1)

    def _scores(
        self, runs: Mapping[str, Learned], exponents: Mapping[str, np.ndarray]
    ) -> dict[tuple[str, str], Scored]:
        """Both networks in floating point, by moments (where they hold) and bit by bit."""
        every = np.arange(self.images.test_labels.size)
        scores = {("float", "float"): Scored(every, runs["float"].right)}
        scores["sc", "float"] = Scored(
            every, self._answers(self.plain, runs["sc"].network, exponents["sc"])
        )
        if self.hardware.reason is None:
            for name, learned in runs.items():
                right = self._by_moments(learned.network, exponents[name], self.devices)
                scores[name, "moments"] = Scored(every, right)
        if self.options.exact_images:
            for name, learned in runs.items():
                scores[name, "exact"] = self._bit_by_bit(
                    name, learned.network, exponents[name], self.devices
                )
        return scores

    def _by_moments(
        self, network: Any, exponents: np.ndarray, devices: Mapping[str, Devices]
    ) -> np.ndarray:
        """Which test images are right, in the last epoch's arithmetic."""
        if self.moments is None:
            self.moments = self._made("moments")
        answers = self.tests.of(self.moments[-1].products)
        return answers(network, devices, scales_of(exponents, self.layers), self.options.epochs - 1)

    def _bit_by_bit(
        self, name: str, network: Any, exponents: np.ndarray, devices: Mapping[str, Devices]
    ) -> Scored:
        """Which of the images that are scored so are right."""
        rows = exact_rows(self.images.test_labels, self.options.exact_images)
        self.progress.begin_score(f"{name}, seed {self.seed}, bit by bit", rows.size)
        return score_exact(
            self._made("exact")[-1].products,
            network,
            devices,
            scales_of(exponents, self.layers),
            self.images,
            rows,
            seed=self.seed,
            on_batch=self.progress.scored,
        )

    def _worn(
        self, network: Any, exponents: np.ndarray, scores: Mapping[tuple[str, str], Scored]
    ) -> Worn | None:
        """The stochastic network with worn devices: by moments, where they do not hold bit by bit
        (if any images are to be scored so)."""
        shares, evaluation = parse_worn(self.options.worn), "moments"
        if self.hardware.reason is not None:
            evaluation = "exact"
        whole = scores.get(("sc", evaluation))
        if not shares or whole is None:
            return None

        def score(share: float, in_lrs: bool) -> Scored:
            devices = with_worn(
                self.devices, share, in_lrs, self.seed, self.layers, self.options.rules
            )
            if evaluation == "moments":
                return Scored(whole.rows, self._by_moments(network, exponents, devices))
            return self._bit_by_bit(f"{100 * share:g} % worn", network, exponents, devices)

        source = f"simulated: what-if of worn devices, {_COMPUTED[evaluation]}"
        return evaluated_with_worn(shares, whole, score, source)

    def _progressive(self, network: Any, exponents: np.ndarray) -> Progressive | None:
        """Inference in stages, by moments where they hold, with thresholds from training images."""
        stages = parse_stages(self.options.progressive)
        if not stages:
            return None
        hardware, images = self.hardware, self.images
        exact = hardware.reason is not None
        rows = np.arange(images.test_labels.size)
        if exact:
            rows = exact_rows(images.test_labels, self.options.exact_images or 1000)
        few = images.train[spread(images.train_labels.size, CALIBRATION_IMAGES)]
        mode = "exact" if exact else "moments"
        shop = Workshop(hardware.cells, hardware.generators, self.options.rules, mode)
        self.progress.begin_score(
            f"sc, seed {self.seed}, in stages", len(stages) * (len(few) + rows.size)
        )
        logits = (bit_by_bit if exact else by_moments)(
            network,
            shop,
            hardware.plans[-1],
            self.devices,
            scales_of(exponents, self.layers),
            self.seed,
            self.progress.scored,
        )
        return progressive(logits, stages, few, images.test[rows], images.test_labels[rows])
