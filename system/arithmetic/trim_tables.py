"""From counts of ones to trim words: the tables of a calibration, by quadrature over devices.

The population is a grid over (ln tau, ln V0) with the weights of the D2D spread. A round of
read-backs sorts it by the word it would get; the next round's tables are made for what is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import binom

from system.arithmetic.operands import REGISTER_BITS, Deviation, Generators, Trim

_REACH = 3.0
"""Standard deviations of the wanted shift that a trim word covers to either side, to within the
power of two that its step is (assumed)."""
_GRID_END = 4.5
"""Standard deviations that the grid of devices spans to either side."""
_TAU_NODES = (61, 201)
_V0_NODES = 15
_FORGOTTEN = 1e-8
"""Weight below which a node of the population is left out."""
_SLOPE_REACH = 0.01
"""Share of the codes over which the slope of ln(exposure) is taken, to either side."""
_LEAST_SLOPE = 0.2
"""Least slope of a device over the nominal one's (assumed; the DAC's end has none)."""


_PIECE = 8192
"""Devices that are evaluated together, so that one shape is compiled."""


@partial(jax.jit, static_argnums=0)
def _at_code(
    generators: Generators, code: jax.Array, devices: Deviation
) -> tuple[jax.Array, jax.Array]:
    ln_exposure = generators.ln_exposure_of_code(code, devices)
    return ln_exposure, generators.probability_of_code(code, devices)


def at_code(generators: Generators, code: int, devices: Deviation) -> tuple[np.ndarray, np.ndarray]:
    """ln(exposure) and P(bit = 1) of devices of any shape at one code."""
    shape = np.shape(devices.ln_tau)
    flat = jax.tree.map(lambda part: np.asarray(part, np.float32).ravel(), devices)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for first in range(0, math.prod(shape), _PIECE):
        piece = jax.tree.map(lambda part, a=first: _filled(part[a : a + _PIECE]), flat)
        both = _at_code(generators, jnp.asarray(code, jnp.int32), piece)
        found.append((np.asarray(both[0], float), np.asarray(both[1], float)))
    ln_exposure, probability = (
        np.concatenate(part)[: math.prod(shape)].reshape(shape) for part in zip(*found, strict=True)
    )
    return ln_exposure, np.clip(probability, 0.0, 1.0)


def _filled(values: np.ndarray) -> np.ndarray:
    return np.pad(values, (0, _PIECE - values.size))


@dataclass(frozen=True)
class TrimWords:
    """Registers of an SNG: an offset word, and a gain word where ``gain_step`` is not None.

    Words are signed numbers of ``bits``. The code moves by ``step`` (a power of two) times the
    offset word, and by ``gain_step`` times the gain word times (code - ``pivot``).
    """

    bits: int
    step: int
    gain_step: float | None
    pivot: int

    @property
    def count(self) -> int:
        """Words of an SNG."""
        return 1 if self.gain_step is None else 2

    def within(self, words: np.ndarray) -> np.ndarray:
        """The words as the registers can hold them."""
        return np.clip(words, -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1)

    def trim(self, words: np.ndarray) -> Trim:
        """The trim of words (count, ...)."""
        offset = self.step * words[0]
        if self.gain_step is None:
            return Trim(jnp.asarray(offset, jnp.float32), None)
        gain = self.gain_step * words[1]
        offset = offset - gain * self.pivot
        return Trim(jnp.asarray(offset, jnp.float32), jnp.asarray(gain, jnp.float32))


@dataclass(frozen=True, eq=False)
class Round:
    """Codes read, ``readbacks`` at each, and for each code a table (words, readbacks + 1).

    The tables hold parts of what is added to the words: summed over the codes, then rounded.
    """

    codes: tuple[int, ...]
    readbacks: int
    tables: tuple[np.ndarray, ...]

    def words(self, counts: tuple[np.ndarray, ...]) -> np.ndarray:
        """What to add to the words (count, ...) after these counts of ones, one for each code."""
        parts = [table[:, k] for table, k in zip(self.tables, counts, strict=True)]
        return np.asarray(np.rint(np.sum(parts, axis=0)))


@dataclass(frozen=True, eq=False)
class Population:
    """Devices (n,) with ``weight`` (n,) and the trim ``words`` (count, n) they have so far."""

    ln_tau: np.ndarray
    ln_v0: np.ndarray | None
    weight: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, generators: Generators, readbacks: int, count: int) -> Population:
        """The D2D spread; nodes at most half a standard error of all read-backs apart."""
        spread = generators.law.spread
        tau, v0 = spread.sigma_ln_tau_d2d.value, spread.sigma_ln_v0_d2d.value
        fine = 2 * _GRID_END * tau * 2 * math.sqrt(0.65 * readbacks)
        first, weight = _normal(int(np.clip(math.ceil(fine), *_TAU_NODES)))
        if v0 == 0:
            return cls(tau * first, None, weight, np.zeros((count, weight.size)))
        second, other = _normal(_V0_NODES)
        rho = spread.correlation_d2d.value
        x, y = (part.ravel() for part in np.meshgrid(first, second, indexing="ij"))
        joint = np.outer(weight, other).ravel()
        mixed = rho * x + math.sqrt(1 - rho * rho) * y
        return cls(tau * x, v0 * mixed, joint, np.zeros((count, joint.size)))

    def devices(self, words: TrimWords) -> Deviation:
        """The same for the generators."""
        v0 = None if self.ln_v0 is None else jnp.asarray(self.ln_v0, jnp.float32)
        return Deviation(jnp.asarray(self.ln_tau, jnp.float32), v0, words.trim(self.words))

    def after(self, step: Round, words: TrimWords, chance: np.ndarray) -> Population:
        """The devices after a round at one code; ``chance`` (n, readbacks + 1) of each count."""
        added = step.words((np.arange(step.readbacks + 1),))
        kinds, kind = np.unique(added, axis=1, return_inverse=True)
        share = chance @ np.eye(kinds.shape[1])[kind.ravel()] * self.weight[:, None]
        node, which = np.nonzero(share > _FORGOTTEN)
        weight = share[node, which]
        return Population(
            self.ln_tau[node],
            None if self.ln_v0 is None else self.ln_v0[node],
            weight / weight.sum(),
            words.within(self.words[:, node] + kinds[:, which]),
        )


def tables_of(
    generators: Generators, readbacks: int, bits: int, aim: float, ends: tuple[float, ...]
) -> tuple[TrimWords, tuple[Round, Round]]:
    """The words and both rounds.

    ``aim`` is the nominal P of the first code read, which is the pivot, and ``ends`` those of the
    low and the high code that the second round reads; without these there is no gain word, and the
    second round reads the first code again.
    """
    pivot, *codes = (_code_of(generators, p) for p in (aim, *ends))
    words = TrimWords(bits, 1, 0.0 if ends else None, pivot)
    people = Population.of(generators, readbacks, words.count)
    wanted = _wanted(generators, words, people, codes)
    reach = _REACH * np.sqrt(wanted**2 @ people.weight) / 2 ** (bits - 1)
    words = replace(words, step=2 ** max(0, _log2(reach[0])))
    if ends:
        words = replace(words, gain_step=2.0 ** _log2(reach[1]))
    first, chance = _round(generators, words, people, (pivot,), readbacks // 2, wanted[:1])
    people = people.after(first, words, chance)
    wanted = _wanted(generators, words, people, codes)
    codes = codes or [pivot]
    rest = (readbacks - readbacks // 2) // len(codes)
    second, _ = _round(generators, words, people, tuple(codes), rest, wanted)
    return words, (first, second)


def _normal(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    z = np.linspace(-_GRID_END, _GRID_END, nodes)
    weight = np.exp(-z * z / 2)
    return z, weight / weight.sum()


def _log2(value: float) -> int:
    """The exponent of the nearest power of two; 0 for 0."""
    return round(math.log2(value)) if value > 0 else 0


def _code_of(generators: Generators, probability: float) -> int:
    return int(generators.level_code[round(probability * 2**REGISTER_BITS)])


def _shift(generators: Generators, code: int, devices: Deviation) -> np.ndarray:
    """Codes by which each device would have to be written further to act as the nominal one.

    To first order in the device's own slope, which a V0 of its own changes.
    """
    ln, reach = (
        generators.code_ln_exposure,
        max(1, round(_SLOPE_REACH * generators.code_voltage.size)),
    )
    trim = devices.trim
    assert trim is not None
    above, below = (
        at_code(generators, code, devices._replace(trim=trim._replace(offset=trim.offset + move)))
        for move in (reach, -reach)
    )
    high, low = min(code + reach, ln.size - 1), max(code - reach, 1)
    least = _LEAST_SLOPE * float(ln[high] - ln[low]) / max(1, high - low)
    slope = np.maximum((above[0] - below[0]) / (2 * reach), least)
    return (float(ln[code]) - at_code(generators, code, devices)[0]) / slope


def _wanted(
    generators: Generators, words: TrimWords, people: Population, ends: list[int]
) -> np.ndarray:
    """Shift (codes) at the pivot that each device still wants; and the gain (codes per code)."""
    devices = people.devices(words)
    offset = _shift(generators, words.pivot, devices)
    if words.gain_step is None:
        return offset[None]
    low, high = (_shift(generators, code, devices) for code in ends)
    return np.stack([offset, (high - low) / max(1, ends[1] - ends[0])])


def _round(
    generators: Generators,
    words: TrimWords,
    people: Population,
    codes: tuple[int, ...],
    readbacks: int,
    wanted: np.ndarray,
) -> tuple[Round, np.ndarray]:
    """A round's tables, and the chance (n, readbacks + 1) of every count at its first code.

    ``wanted`` (targets, n) is regressed on the means of each code's shift given its count, which
    for one code and one target is that mean itself.
    """
    devices, weight = people.devices(words), people.weight
    counts = np.arange(readbacks + 1)
    chances, means, guesses = [], [], []
    for code in codes:
        _, p = at_code(generators, code, devices)
        chance = binom.pmf(counts, readbacks, p[:, None])
        total = np.maximum(weight @ chance, 1e-300)
        guess = (weight * _shift(generators, code, devices)) @ chance / total
        guess = guess - weight @ (chance @ guess)
        chances.append(chance)
        guesses.append(guess)
        means.append(chance @ guess)
    mean = np.array(means)
    square = (mean * weight) @ mean.T
    for j, (chance, guess) in enumerate(zip(chances, guesses, strict=True)):
        square[j, j] = weight @ (chance @ guess**2)
    centre = wanted @ weight
    share = (wanted - centre[:, None]) * weight @ mean.T @ np.linalg.pinv(square, hermitian=True)
    steps = np.array([words.step, words.gain_step or 1.0])[: words.count, None]
    tables = []
    for j, guess in enumerate(guesses):
        part = np.zeros((words.count, readbacks + 1))
        part[: len(wanted)] = share[:, j : j + 1] * guess + (centre[:, None] if j == 0 else 0)
        tables.append(part / steps)
    return Round(codes, readbacks, tuple(tables)), chances[0]
