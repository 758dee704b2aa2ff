"""Stage 3 as a function: float and stochastic runs for each seed, then the two files."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from formats.cells import Cells, read_cells
from formats.errors import InputError
from formats.provenance import sha256_file
from formats.training import ARITHMETICS, write_training, write_weights
from system.arithmetic import Arithmetic, Float, Generators, arithmetic_of
from system.arithmetic.operands import describe_dependence
from system.images import Images, load_images
from system.train.learning import Learned, learn
from system.train.options import TrainOptions, stage_provenance
from system.train.progress import TrainingProgress
from system.train.record import attributes, dataset, weights

TRAINING_FILE = "training.nc"
WEIGHTS_FILE = "weights.npz"


def run(options: TrainOptions) -> tuple[Path, Path]:
    """Train in plain and in stochastic arithmetic; write training.nc and weights.npz.

    Returns their paths. Raises :class:`InputError`.
    """
    options.check()
    cells = read_cells(options.cells)
    mac = str(cells.attributes["default_mac"]) if options.mac is None else options.mac
    arithmetic, generators = _arithmetic(cells, mac, options.stream_length)
    images = load_images(options.images, options.train_images, options.test_images)
    if options.batch_size > images.train_labels.size:
        raise InputError(
            "--batch-size",
            f"is {options.batch_size}, more than the {images.train_labels.size} training images",
        )
    record = stage_provenance(options)
    warning = describe_dependence(generators)
    if warning is not None:
        print(f"warning: {warning}", file=sys.stderr)
    runs = _run_all(options, arithmetic, generators, images)
    training, trained = options.output / TRAINING_FILE, options.output / WEIGHTS_FILE
    data = dataset(runs, options, images, generators)
    about = attributes(cells, mac, arithmetic, options, images, record)
    write_weights(trained, weights(runs, options))
    write_training(training, {**about, "weights_sha256": sha256_file(trained)}, data)
    if not options.quiet:
        _summary(runs, options, images, mac)
        print(f"wrote {training} and {trained}")
    return training, trained


def _arithmetic(cells: Cells, mac: str, length: int) -> tuple[Arithmetic, Generators]:
    group = cells.mac(mac)
    generators = Generators.from_cells(cells)
    return arithmetic_of(cells.path, mac, group, generators, length), generators


def _run_all(
    options: TrainOptions, arithmetic: Arithmetic, generators: Generators, images: Images
) -> dict[str, list[Learned]]:
    kinds = {"float": (Float(), None), "sc": (arithmetic, generators)}
    runs: dict[str, list[Learned]] = {name: [] for name in ARITHMETICS}
    tested = images.test_labels.size
    steps = images.train_labels.size // options.batch_size
    with TrainingProgress(
        2 * options.seeds, options.epochs, steps, options.batch_size, options.quiet
    ) as progress:
        for seed in range(options.seed, options.seed + options.seeds):
            for name in ARITHMETICS:
                progress.begin(f"{name}, seed {seed}")
                kind, population = kinds[name]
                runs[name].append(
                    learn(
                        kind,
                        population,
                        images,
                        seed=seed,
                        epochs=options.epochs,
                        batch_size=options.batch_size,
                        on_step=progress.step,
                        on_epoch=lambda epoch: progress.epoch(epoch, tested),
                    )
                )
    return runs


def _summary(
    runs: dict[str, list[Learned]], options: TrainOptions, images: Images, mac: str
) -> None:
    tested = images.test_labels.size
    table = Table(
        title=f"Test accuracy on {tested} images of {images.name} (simulated, Wilson 95 % interval)"
    )
    for heading in ("arithmetic", "seed", "right", "accuracy", "95 %"):
        table.add_column(heading)
    names = {"float": "float", "sc": f"{mac}, N = {options.stream_length}"}
    for index in range(options.seeds):
        for name in ARITHMETICS:
            correct = runs[name][index].correct
            low, high = binomtest(correct, tested).proportion_ci(method="wilson")
            table.add_row(
                names[name],
                str(options.seed + index),
                str(correct),
                f"{100 * correct / tested:.1f} %",
                f"{100 * low:.1f} to {100 * high:.1f} %",
            )
    Console().print(table)
