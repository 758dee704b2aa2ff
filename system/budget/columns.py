"""Products in memory columns: weight bits stand in cells, activations or errors drive word lines.

In each clock of a stream the cells of a product are RESET and written once, each to 1 with the
probability of its weight. Then every position (of a convolution; a dense layer has one) is read:
a column counts its cells whose stored bit AND word-line bit are 1. A weight has a cell in a column
for positive and one in a column for negative weights, of which the other stays in HRS; positive and
negative bits of the word lines are read one after the other. The counts of all columns of a sum are
added with their signs: that is the count of sign-magnitude gates with an exact counter.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import xarray as xr

from devices.cbram import CBRAM
from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.architecture import Architecture
from system.budget.calibration import trim_bits
from system.budget.workload import COLUMN, Product, Workload

GROUP = "in_memory_column"
"""The group of cells.nc."""
ADDER = "exact-counter"
"""The adder whose counts a column finds."""
DISTURB = 1e-2
"""P that a write changes a bit of another column, from which on a scheme is refused; assumed."""
SPREAD = 0.05
"""Spread of a cell's p by its transistor from which on a scheme is warned of; assumed."""
SIGNS = 2
"""Columns of some weights, and reads of a position: one for each sign."""


@dataclass(frozen=True)
class Stored:
    """One product in columns: its ``weights``, ``columns`` that hold them, ``sums`` that a position
    has, and ``reads`` of every column in a clock."""

    weights: float
    columns: float
    sums: float
    reads: float


@dataclass(frozen=True)
class Bank:
    """Columns of ``cells`` cells: seconds of a RESET, of the write of one bit to every cell, and of
    a read; ``serial`` where the cells of a column are written one after the other."""

    data: xr.Dataset
    scheme: str
    reset_time: float

    @property
    def cells(self) -> int:
        """Cells of a column."""
        return int(self.data.attrs["fan_in"])

    @property
    def serial(self) -> bool:
        """Whether the cells of a column are written one after the other, from one register."""
        return self.scheme == "sequential"

    @cached_property
    def _write(self) -> xr.Dataset:
        return self.data.sel(scheme=self.scheme)

    def clock(self, stored: Stored, binary_clock: float) -> float:
        """Seconds of one clock of a product: RESET, loads of the words that set the writes, one
        after the other at ``binary_clock`` (Hz), the write, and the reads."""
        write, read = float(self._write["scheme_time"]), float(self.data["delay"])
        loads = stored.weights / binary_clock if self.serial else 0.0
        return self.reset_time + loads + write + stored.reads * read

    @property
    def disturb(self) -> float:
        """P that a write changes a bit of another column or row."""
        write = self._write
        return max(float(write[f"scheme_disturb_{name}"]) for name in ("set", "reset"))

    @property
    def spread(self) -> float:
        """Largest standard deviation of a cell's p by the threshold of its access transistor."""
        return float(self._write["scheme_sigma_threshold"].max())

    def write_energy(self, probability: float) -> float:
        """J of one cell's write to 1 with a probability, linear between those of cells.nc and from
        the lowest of them to none at 0."""
        knots = np.asarray(self._write["write_probability"].to_numpy(), float)
        energies = np.asarray(self._write["scheme_energy"].to_numpy(), float)
        return float(np.interp(probability, np.append(0.0, knots), np.append(0.0, energies)))

    @property
    def reset_energy(self) -> float:
        """J of one cell's RESET from LRS, taken for every cell that is written."""
        return float(self.data["reset_energy"])

    @property
    def miscount(self) -> tuple[float, float]:
        """P of a wrong count and its rms error, of a column of this size (or the next larger one
        of cells.nc), operands of 1/2."""
        sizes = np.asarray(self.data["size"].to_numpy())
        place = min(int(np.searchsorted(sizes, self.cells)), sizes.size - 1)
        names = "size_error_probability", "size_rms_error"
        wrong, rms = (float(self.data[name].to_numpy()[place]) for name in names)
        return wrong, rms

    def disturbed(self, device: CBRAM, reads: float) -> float | None:
        """P that so many reads of one stored bit SET a cell in HRS, at the whole read voltage; None
        where cells.nc does not say that."""
        if "read_voltage_V" not in self.data.attrs:
            return None
        voltage, time = float(self.data.attrs["read_voltage_V"]), float(self.data["delay"])
        exposure = float(device.set.rate(np.array([voltage]))[0]) * time * reads
        return float(device.set.probability_of_exposure(np.array([exposure]))[0])

    def stored(self, product: Product) -> Stored:
        """How a product lies in columns."""
        weights = product.b.met
        sums = max(1.0, round(weights / product.fan_in))
        columns = SIGNS * sums * math.ceil(weights / sums / self.cells)
        return Stored(weights, columns, sums, SIGNS * product.outputs / sums)

    def registers(self, product: Product) -> float:
        """Words that set the write of the product's cells: of a column pair, or of a weight."""
        stored = self.stored(product)
        return stored.columns / SIGNS if self.serial else stored.weights

    def settings(self, product: Product) -> float:
        """Times that a word is loaded for one image: for each bit where cells take turns."""
        return self.stored(product).weights * (product.length if self.serial else 1.0)


def bank(cells: Cells, training: Training, architecture: Architecture) -> Bank | None:
    """The columns that an architecture asks for, or None.

    Raises :class:`InputError` where cells.nc has none, cannot write them so, or the training is
    one whose streams columns do not make.
    """
    if architecture.columns is None:
        return None
    where = f"architecture {architecture.name}, columns"
    if GROUP not in cells.groups:
        raise InputError(where, f"{cells.path} holds no {GROUP}; extract it with --cells {GROUP}")
    scheme = architecture.columns.scheme
    about = json.loads(str(cells.groups[GROUP].attrs["schemes"]))
    borne = [name for name, one in about.items() if one["borne"]]
    if scheme not in borne:
        raise InputError(
            where,
            f"the transistors of {cells.path} do not bear the write scheme {scheme!r}; "
            f"expected one of {', '.join(borne) or 'none, as none is borne'}",
        )
    if not architecture.shared:
        raise InputError(
            where,
            f"they are shared by all layers, but parallelism is {architecture.parallelism!r}; "
            "expected 'layer', 'row' or a number of MACs",
        )
    made = Bank(cells.mac(GROUP), scheme, _reset_time(cells))
    if made.disturb > DISTURB:
        raise InputError(
            where,
            f"a write by {scheme!r} changes half-selected bits of other columns with P = "
            f"{made.disturb:.2g} (cells.nc scheme_disturb_*), above {DISTURB:g}; expected another "
            f"scheme of {', '.join(borne)}",
        )
    if trim_bits(training):
        raise InputError(
            where, f"{training.path} has calibrated SNGs, but a cell of a column has no trim"
        )
    return made


def _reset_time(cells: Cells) -> float:
    times = cells.sng["phase_time"]
    names = [str(name) for name in times["phase"].to_numpy()]
    return float(times.to_numpy()[names.index("reset")])


def arranged(work: Workload, architecture: Architecture) -> Workload:
    """The workload with the products that the architecture puts into columns there: their weights
    are operands of kind ``COLUMN``.

    Raises :class:`InputError` for products that columns would compute otherwise.
    """
    if architecture.columns is None:
        return work
    where = f"architecture {architecture.name}, columns"
    if work.rules.kind != "parameter" or work.rules.made_per_image(work.batch_size) < 1:
        raise InputError(
            where,
            "a stored bit serves all positions of one image; the training's streams are "
            f"{work.rules.sharing_text}, {work.rules.life_text}, expected --sng-sharing parameter "
            "and --stream-life image",
        )
    return replace(work, products=tuple(_moved(where, p, architecture) for p in work.products))


def _moved(where: str, product: Product, architecture: Architecture) -> Product:
    if architecture.columns is None or product.name not in architecture.columns.products:
        return product
    if product.adder != ADDER:
        raise InputError(
            where,
            f"{product.layer}/{product.name} was trained on {product.mac} ({product.adder}), "
            f"which columns do not compute; expected a MAC with an {ADDER}",
        )
    return replace(product, b=replace(product.b, kind=COLUMN))
