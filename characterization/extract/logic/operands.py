"""Energy of a MAC against the probabilities of its operands, and of conventional cells."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from characterization.extract.logic.compose import (
    LARGEST_TABLE,
    random_vectors,
    stream_energies,
    transition_table,
)
from characterization.extract.logic.joint import expected_energy, signalled, states
from characterization.extract.logic.path import longest_path
from characterization.extract.logic.placed import Gates
from characterization.extract.logic.results import RegisterCharacter
from circuits.logic.cell import LogicCell
from circuits.mac.base import Mac
from formats.seeds import generator

FINE = np.linspace(0.0, 1.0, 11)
"""Operand probabilities of cells whose energy follows from their table."""
COARSE = np.linspace(0.0, 1.0, 5)
"""Those of cells whose energy is a mean over streams."""
VECTORS = 128
BLOCKS = 8
"""Runs of a stream, each with signs and select bits of its own, whose spread gives the error."""
PERIODS = 2.0
"""Clock period of a stream, in longest paths."""


def operand_energy(
    mac: Mac, gates: Gates, register: RegisterCharacter | None, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Energy (J) per product bit over P(a = 1) and P(b = 1), its standard error, and the grid.

    Bits are independent from bit to bit and between products; signs are still over a stream, and
    + and - equally frequent; other products that enter a cell carry like bits; select bits are 1
    with probability 1/2. Exact (error 0) for cells of few inputs, a mean over streams for others.
    Raises ValueError for return-to-zero streams into a cell of the latter kind.
    """
    if not mac.registers and len(mac.inputs) <= LARGEST_TABLE:
        table = transition_table(mac, gates)
        energy = np.array([[_exact(mac, table, pa, pb) for pb in FINE] for pa in FINE])
        return energy, np.zeros_like(energy), FINE
    if mac.signalling != "held":
        raise ValueError(f"{mac.name}: streams of {mac.signalling} signals are not simulated")
    grid = [_pins(mac, pa, pb) for pa in COARSE for pb in COARSE]
    signs = tuple(pin for pin in mac.data_inputs if pin[:2] in ("sa", "sb"))
    mean, error = _means_of_streams(mac, gates, register, grid, signs, seed)
    shape = (COARSE.size, COARSE.size)
    return mean.reshape(shape) / mac.fan_in, error.reshape(shape) / mac.fan_in, COARSE


def operation_energy(
    cell: LogicCell, gates: Gates, register: RegisterCharacter | None, seed: int
) -> tuple[float, float]:
    """Mean energy (J) of one operation with random operands, and its standard error."""
    mean, error = _means_of_streams(cell, gates, register, [{}], (), seed)
    return float(mean[0]), float(error[0])


def _exact(mac: Mac, table: np.ndarray, pa: float, pb: float) -> float:
    """Mean over signs, and over the sign of the other products."""
    signs = [pin for pin in mac.inputs if pin.startswith("s") and pin != "sel"]
    others = [pin for pin in mac.inputs if pin in ("x", "ci")]
    bipolar = mac.encoding == "bipolar"
    product = pa * pb + (1 - pa) * (1 - pb) if bipolar else pa * pb
    carried = (product, 1 - product) if mac.encoding == "sign-magnitude" else (product,)
    energies = []
    for fixed in itertools.product((0.0, 1.0), repeat=len(signs)):
        for like in itertools.product(carried, repeat=len(others)):
            given = {"a": pa, "b": pb, "sel": 0.5}
            given |= dict(zip(signs, fixed, strict=True)) | dict(zip(others, like, strict=True))
            law = states([given[pin] for pin in mac.inputs])
            rest = int(
                "".join("1" if given[pin] and pin in signs else "0" for pin in mac.inputs), 2
            )
            energies.append(expected_energy(table, signalled(law, mac.signalling, rest)))
    return float(np.mean(energies))


def _pins(mac: Mac, pa: float, pb: float) -> dict[str, float]:
    """P(1) of the operands' pins a0, a1, ... and b0, b1, ..."""
    return {
        pin: pa if pin[0] == "a" else pb
        for pin in mac.data_inputs
        if pin[0] in "ab" and pin[1:].isdigit()
    }


def _means_of_streams(
    cell: LogicCell,
    gates: Gates,
    register: RegisterCharacter | None,
    cases: Sequence[Mapping[str, float]],
    hold: tuple[str, ...],
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean energy (J) of a vector for each case of P(1) by pin, and its standard error."""
    period = PERIODS * longest_path(cell, gates, register).delay
    count = VECTORS // BLOCKS + 2
    history = []
    for case in cases:
        for block in range(BLOCKS):
            random = generator(seed, "extract", "stream", cell.name, block)
            history += cell.run(random_vectors(cell, random, count, case, hold))
    steps = stream_energies(cell, gates, register, [], period, history)
    # The last step of a block would lead into the next one; the first leaves the cleared state,
    # which a stream does once in its life.
    blocks = np.append(steps, np.nan).reshape(len(cases), BLOCKS, count)[:, :, 1:-1].mean(axis=2)
    return blocks.mean(axis=1), blocks.std(axis=1, ddof=1) / np.sqrt(BLOCKS)
