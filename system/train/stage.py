"""Stage 3 as a function: float and stochastic runs for each seed, then the two files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from formats.cells import Cells, read_cells
from formats.errors import InputError
from formats.provenance import sha256_file
from formats.training import ARITHMETICS, write_training, write_weights
from system.arithmetic import Arithmetic, BitExact, Float, Generators, arithmetic_of, mode_of
from system.budget.accuracy import mcnemar
from system.images import Images, load_images
from system.train.allocation import keep_freed_memory
from system.train.learning import Learned, learn
from system.train.options import TrainOptions, stage_provenance
from system.train.progress import TrainingProgress
from system.train.record import attributes, dataset, weights
from system.train.score import Scored, score

TRAINING_FILE = "training.nc"
WEIGHTS_FILE = "weights.npz"


@dataclass(frozen=True)
class Hardware:
    """What is trained: the MAC's arithmetic in its mode, and the generators.

    ``reason`` says why the mode is not the one asked for (None: it is), ``exact`` is the same
    arithmetic bit by bit.
    """

    mac: str
    mode: str
    reason: str | None
    arithmetic: Arithmetic
    exact: BitExact
    generators: Generators


@dataclass(frozen=True)
class Runs:
    """The runs of each seed in each arithmetic, and the exact scores of those by moments."""

    learned: dict[str, list[Learned]]
    scores: list[Scored]


def run(options: TrainOptions) -> tuple[Path, Path]:
    """Train in plain and in stochastic arithmetic; write training.nc and weights.npz.

    Returns their paths. Raises :class:`InputError`.
    """
    options.check()
    keep_freed_memory()  # before JAX starts
    cells = read_cells(options.cells)
    hardware = _hardware(cells, options)
    images = load_images(options.images, options.train_images, options.test_images)
    if options.batch_size > images.train_labels.size:
        raise InputError(
            "--batch-size",
            f"is {options.batch_size}, more than the {images.train_labels.size} training images",
        )
    record = stage_provenance(options)
    runs = _run_all(options, hardware, images)
    training, trained = options.output / TRAINING_FILE, options.output / WEIGHTS_FILE
    data = dataset(runs.learned, runs.scores, options, images, hardware.generators)
    about = attributes(
        cells,
        hardware.mac,
        hardware.arithmetic,
        hardware.mode,
        runs.scores[0].exact.size if runs.scores else 0,
        options,
        images,
        record,
    )
    write_weights(trained, weights(runs.learned, options))
    write_training(training, {**about, "weights_sha256": sha256_file(trained)}, data)
    if not options.quiet:
        _summary(runs, options, images, hardware)
        print(f"wrote {training} and {trained}")
    return training, trained


def _hardware(cells: Cells, options: TrainOptions) -> Hardware:
    mac = str(cells.attributes["default_mac"]) if options.mac is None else options.mac
    group = cells.mac(mac)
    generators = Generators.from_cells(cells)
    words = str(group.attrs["encoding"]), str(group.attrs["adder"])
    needed, reason = mode_of(generators, options.rules, *words)
    mode = "exact" if "exact" in (needed, options.mode) else "moments"

    parts = cells.path, mac, group, generators, options.stream_length, options.rules
    exact = arithmetic_of(*parts, "exact")
    assert isinstance(exact, BitExact)
    return Hardware(
        mac,
        mode,
        None if mode == options.mode else reason,
        exact if mode == "exact" else arithmetic_of(*parts, "moments"),
        exact,
        generators,
    )


def _run_all(options: TrainOptions, hardware: Hardware, images: Images) -> Runs:
    kinds = {"float": (Float(), None), "sc": (hardware.arithmetic, hardware.generators)}
    runs = Runs({name: [] for name in ARITHMETICS}, [])
    tested = images.test_labels.size
    steps = images.train_labels.size // options.batch_size
    with TrainingProgress(
        2 * options.seeds, options.epochs, steps, options.batch_size, options.quiet
    ) as progress:
        if hardware.reason is not None:
            times = _slower(hardware.generators) * options.stream_length / 256
            progress.say(
                f"exact mode: {hardware.reason} (about {max(2, round(times))} times as long as by "
                "moments)"
            )
        for seed in range(options.seed, options.seed + options.seeds):
            for name in ARITHMETICS:
                progress.begin(f"{name}, seed {seed}")
                kind, population = kinds[name]
                runs.learned[name].append(
                    learn(
                        kind,
                        population,
                        images,
                        rules=options.rules,
                        seed=seed,
                        epochs=options.epochs,
                        batch_size=options.batch_size,
                        on_step=progress.step,
                        on_epoch=lambda epoch: progress.epoch(epoch, tested),
                    )
                )
            if hardware.mode == "moments" and options.exact_images:
                runs.scores.append(_score(options, hardware, runs, images, seed, progress))
    return runs


def _slower(generators: Generators) -> float:
    """Time of exact training over that by moments at 256 bits.

    Measured with LeNet-5 on 2 cores, batches of 32, rounded (independent bits: 23 times in
    benchmarks/bitstream.py; the others while the machine was busy); in proportion to the length of
    the streams (assumed).
    """
    if generators.law.spread.memory.value:
        return 300.0
    return 40.0 if generators.read_out.reset < 1 else 25.0


def _score(
    options: TrainOptions,
    hardware: Hardware,
    runs: Runs,
    images: Images,
    seed: int,
    progress: TrainingProgress,
) -> Scored:
    """Score the network trained last by moments bit by bit."""
    count = min(options.exact_images, images.test_labels.size)
    progress.begin_score(f"sc, seed {seed}, bit by bit", count)
    return score(
        hardware.exact,
        runs.learned["sc"][-1],
        images,
        count=count,
        seed=seed,
        on_batch=progress.scored,
    )


def _summary(runs: Runs, options: TrainOptions, images: Images, hardware: Hardware) -> None:
    tested, rules = images.test_labels.size, options.rules
    table = Table(
        title=f"Test accuracy on {images.name} (simulated, Wilson 95 % interval)",
        caption=f"{hardware.mac}, N = {options.stream_length}; weight streams: life "
        f"{rules.life_text}, SNG sharing {rules.sharing_text}",
    )
    for heading in ("arithmetic", "seed", "right", "of", "accuracy", "95 %"):
        table.add_column(heading)
    for index in range(options.seeds):
        seed = str(options.seed + index)
        rows = [
            ("float", runs.learned["float"][index].correct, tested),
            (f"stochastic, {hardware.mode}", runs.learned["sc"][index].correct, tested),
        ]
        if runs.scores:
            scored = runs.scores[index]
            if scored.exact.size < tested:
                rows.append(("  on some of them", int(scored.moments.sum()), scored.moments.size))
            rows.append(("  the same network, exact", int(scored.exact.sum()), scored.exact.size))
        for label, correct, total in rows:
            low, high = binomtest(correct, total).proportion_ci(method="wilson")
            table.add_row(
                label,
                seed,
                str(correct),
                str(total),
                f"{100 * correct / total:.1f} %",
                f"{100 * low:.1f} to {100 * high:.1f} %",
            )
    console = Console()
    console.print(table)
    if runs.scores:
        apart = [
            sum(getattr(s, name) for s in runs.scores) for name in ("only_exact", "only_moments")
        ]
        console.print(
            f"exact against moments on the same images: {apart[0]} right only exactly, {apart[1]} "
            f"only by moments; McNemar's p = {mcnemar(*apart):.2g}",
            highlight=False,
        )
