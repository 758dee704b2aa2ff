"""What a training would refuse after it has started, asked of every cell before any runs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from formats.errors import InputError
from formats.provenance import sha256_file
from system.sweep.cell import Cell
from system.sweep.worker import with_threads


class Characters(NamedTuple):
    """Of a set of images: side in pixels, classes, training images."""

    side: int
    classes: int
    train: int


def check_cells(cells: Sequence[Cell], threads: int) -> None:
    """Raise :class:`InputError` naming the first cell whose inputs and options do not go together.

    Nothing is trained; tables of calibration, which take a second each, are not made. JAX starts in
    here, so with the ``threads`` of a cell, as cells may run in this process afterwards.
    """
    if not cells:
        return
    from system.train.allocation import keep_freed_memory

    keep_freed_memory()  # before JAX starts, as a training would
    done = set()
    with with_threads(threads):
        for cell in cells:
            # Cells that differ in what is not looked at here are looked at once.
            options = replace(cell.options, output=Path(), quiet=True, fresh=False, seed=0, seeds=1)
            if options in done:
                continue
            try:
                _check(options)
            except InputError as error:
                raise InputError(f"cell {cell.name}: {error.where}", error.problem) from error
            done.add(options)


def _check(options: Any) -> None:
    """The first steps of :func:`system.train.stage.run`."""
    from system.train.hardware import hardware_of
    from system.train.plan import Workshop
    from system.train.scaling import Scaling

    images = characters(options.images, options.train_images, options.test_images)
    if options.batch_size > images.train:
        raise InputError(
            "--batch-size",
            f"is {options.batch_size}, more than the {images.train} training images",
        )
    layers = _layers(options.network, images.side, images.classes)
    _check_calibration(options)
    cells = known_cells(options.cells)
    hardware = hardware_of(cells, replace(options, calibrate=0), layers)
    shop = Workshop(cells, hardware.generators, options.rules, hardware.mode)
    for plan in hardware.plans:
        shop.make(plan, layers)
    Scaling.parse(options.scales, [layer.name for layer in layers])


def _check_calibration(options: Any) -> None:
    from system.arithmetic.calibration import READBACKS, TRIM_BITS

    if not options.calibrate:
        return
    for name, (low, high), also in (
        ("calibrate", READBACKS, "0 (none) or "),
        ("trim_bits", TRIM_BITS, ""),
    ):
        value = getattr(options, name)
        if not low <= value <= high:
            raise InputError(
                f"--{name.replace('_', '-')}", f"is {value}; expected {also}{low} to {high}"
            )


def known_cells(path: Path) -> Any:
    """What a cells.nc holds, read once for the same content; raises :class:`InputError`."""
    return _cells(path.absolute(), sha256_file(path))


@functools.lru_cache(maxsize=2)
def _cells(path: Path, sha256: str) -> Any:
    """What the file of this hash holds."""
    from formats.cells import read_cells

    return read_cells(path)


@functools.lru_cache(maxsize=64)
def characters(source: str | Path | None, train: int | None, test: int | None) -> Characters:
    """What :func:`system.images.load_images` loads; raises :class:`InputError`."""
    from system.images import load_images

    images = load_images(source, train, test)
    return Characters(images.side, images.classes, int(images.train_labels.size))


@functools.lru_cache(maxsize=8)
def _layers(network: str, side: int, classes: int) -> Any:
    """The layers of a network; their weights do not matter here."""
    from formats.seeds import generator
    from system.networks import build_network, layers_of

    return layers_of(build_network(network, generator(0, "weights"), side, classes))
