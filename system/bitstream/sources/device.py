"""The device as a source: a cycle of RESET, write and read gives a bit.

The probability asked is that of the bit read, with the device's own D2D deviation in it already
(:meth:`system.arithmetic.Generators.probability`). What one clock does to the next follows from
the device:

- RESET never fails and thresholds have no memory: cycles are independent. Read errors are part of
  the probability, so the bits are those of :class:`~system.bitstream.sources.Bernoulli`.
- RESET fails with 1 - Pr: the stored bit is a Markov chain, s(t) = S(t) | (F(t) & s(t-1)).
- memory rho: the scores behind the SET thresholds are an autoregressive sequence, as in
  :meth:`devices.law.SwitchingLaw.sample_thresholds`. A threshold is taken when the device enters
  HRS, so a RESET that fails uses none up.

In the last two, errors of the reading come after, independent from clock to clock, and P(SET) is
that which gives the probability asked. A stream starts in the long run's distribution.

Independent bits have P(1) to 1/65536, so read errors below 7.6e-6 vanish there. In the other two
Ps, the failures and the errors are resolved to 2^-32: rare events of 1e-6 count in their number,
and at 16 bits they would be 0 or 1.5e-5. Not modelled, as cells.nc does not tell it: memory of the
RESET thresholds, and the conditional RESET.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import log_ndtr, ndtr, ndtri

from devices.law import SwitchingLaw
from system.bitstream.packed import BitStream
from system.bitstream.sources.base import BitSource, OpenStreams
from system.bitstream.sources.bernoulli import OpenBernoulli
from system.kernels.bernoulli import thresholds
from system.kernels.chain import chain_start, chain_words
from system.kernels.comparison import MOST_WORDS, fine_thresholds
from system.kernels.memory import SCORE_END, SCORE_STEPS, memory_start, memory_words
from system.kernels.normal import normal_table

if TYPE_CHECKING:
    from system.arithmetic.operands import Deviation, Generators, ReadOut

_ROUNDING = 1e-6
"""How far beyond the device's range a probability may lie: tables of probabilities are float32."""
_LEAST_RESET = 1e-3
"""Least P(RESET) of a device with memory."""
_EXPOSURE_END, _EXPOSURE_STEPS = 5.6, 32
"""Table of ln(exposure) against Phi^-1(Ps): |Phi^-1| up to 5.6 (1e-8), in steps of 1/32."""


@dataclass(frozen=True, eq=False)
class DeviceSource(BitSource):
    """The generators of one cells.nc: a SET law and the read-out (RESET, sense errors)."""

    law: SwitchingLaw
    read_out: ReadOut
    name = "device"

    @classmethod
    def of(cls, generators: Generators) -> DeviceSource:
        """The source that ``generators`` describe."""
        return cls(generators.law, generators.read_out)

    def __post_init__(self) -> None:
        r, rho = self.read_out, self.law.spread.memory.value
        if not (0 < r.reset <= 1 and r.e01 >= 0 and r.e10 >= 0 and r.e01 + r.e10 < 1):
            raise ValueError(
                f"Pr = {r.reset:g}, e01 = {r.e01:g}, e10 = {r.e10:g}: expected 0 < Pr <= 1, errors "
                "of 0 or more and e01 + e10 < 1"
            )
        if not abs(rho) < 1:
            raise ValueError(f"memory rho = {rho:g}: expected between -1 and 1")
        if rho and r.reset < _LEAST_RESET:
            raise ValueError(
                f"Pr = {r.reset:g} with memory: expected {_LEAST_RESET:g} or more (the start of a "
                "stream is drawn by rejection)"
            )

    @property
    def independent(self) -> bool:  # type: ignore[override]
        """Whether no cycle knows of the one before: no memory, and 1 - Pr below 2^-33."""
        return not _failing(self.read_out) and self.law.spread.memory.value == 0

    @property
    def attainable(self) -> tuple[float, float]:
        """Least and greatest P(bit read = 1): never and always SET."""
        low, high = self.read_out.read(np.array([0.0, 1.0]))
        return float(low), float(high)

    def switching(self, probability: np.ndarray) -> np.ndarray:
        """Ps that makes the bit read 1 with a probability: the inverse of ``ReadOut.read``.

        Raises ValueError outside :attr:`attainable`.
        """
        low, high = self.attainable
        pr = self.read_out.reset
        stored = (self._within(probability) - low) / (high - low)
        return np.asarray(stored * pr / (1 - stored * (1 - pr)))

    def _within(self, probability: np.ndarray) -> np.ndarray:
        """The probabilities, with roundings beyond the device's range taken back."""
        low, high = self.attainable
        p = np.asarray(probability, float)
        least, most = p.min(initial=1.0), p.max(initial=0.0)
        if not (least >= low - _ROUNDING and most <= high + _ROUNDING):
            wrong = least if not least >= low - _ROUNDING else most
            raise ValueError(
                f"a probability of {wrong:g}: the device's read errors leave {low:g} to {high:g}"
            )
        return np.clip(p, low, high)

    def _open(
        self,
        probability: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> OpenStreams:
        address = streams, lives, purpose, key
        if self.independent:
            return OpenBernoulli(thresholds(self._within(probability)), *address)
        switching = self.switching(probability)
        if self.law.spread.memory.value:
            return OpenMemory(self._thresholds, self.read_out, switching, *address)
        return OpenChain(self.read_out, switching, *address)

    @functools.cached_property
    def _thresholds(self) -> ScoreThresholds:
        return ScoreThresholds.of(self.law)


class OpenChain(OpenStreams):
    """Streams of devices whose RESET can fail; ``switching`` (S,) is Ps."""

    def __init__(
        self,
        read_out: ReadOut,
        switching: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> None:
        super().__init__(switching.size)
        self._thresholds = (
            fine_thresholds(switching),
            fine_thresholds(1 - read_out.reset * (1 - switching)),
            _errors(read_out),
        )
        self._address = streams, lives, purpose, key
        share = fine_thresholds(read_out.stored(switching))
        self._state = chain_start(share, self._address)
        self._word = 0

    def _fill(self, words: np.ndarray) -> None:
        self._word = _advance(self._word, words)
        first = self._word - words.shape[1]
        chain_words(*self._thresholds, self._address, first, self._state, words)


class OpenMemory(OpenStreams):
    """Streams of devices with memory, with or without C2C and failing RESETs."""

    def __init__(
        self,
        law: ScoreThresholds,
        read_out: ReadOut,
        switching: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> None:
        super().__init__(switching.size)
        limit = law.limits(switching)
        hold = _failing(read_out)
        self._address = streams, lives, purpose, key
        kinds = np.float64, np.uint64, np.uint64, np.int64, np.int64
        self._state = tuple(np.zeros(self.count, kind) for kind in kinds)
        spread, tables = (law.rho, law.sigma), (normal_table(), law.table)
        memory_start(limit, spread, hold, tables, self._address, *self._state[:2])
        self._law = limit, spread, hold, _errors(read_out), tables
        self._word = 0

    def _fill(self, words: np.ndarray) -> None:
        self._word = _advance(self._word, words)
        memory_words(*self._law, self._address, self._word - words.shape[1], self._state, words)


@dataclass(frozen=True, eq=False)
class ScoreThresholds:
    """A SET law seen from the scores z of its memory.

    ``table`` (4, intervals): cubics of ln Y(z) without C2C; ``exposure``: ln of the exposure that
    sets the bit with P = Phi(x), against x; None where ``sigma`` = 0 and z decides alone.
    """

    rho: float
    sigma: float
    table: np.ndarray
    exposure: CubicSpline | None

    @classmethod
    def of(cls, law: SwitchingLaw) -> ScoreThresholds:
        """Tables from the law's own thresholds and exposures."""
        rho, sigma = float(law.spread.memory.value), float(law.spread.sigma_ln_tau_c2c.value)
        if sigma == 0:
            return cls(rho, sigma, np.zeros((4, 1)), None)
        z = _steps(SCORE_END, SCORE_STEPS)
        ln_threshold = CubicSpline(z, np.log(law.family.threshold(-log_ndtr(-z), law.shape_value)))
        places = float(SCORE_STEPS) ** -np.arange(4)
        table = np.ascontiguousarray(ln_threshold.c[::-1] * places[:, None])
        x = _steps(_EXPOSURE_END, _EXPOSURE_STEPS)
        return cls(rho, sigma, table, CubicSpline(x, np.log(law.exposure_of_probability(ndtr(x)))))

    def limits(self, switching: np.ndarray) -> np.ndarray:
        """What a renewal must not exceed to set the bit with probability Ps; -+inf at 0 and 1."""
        ps = np.asarray(switching, float)
        score = ndtri(ps)
        if self.exposure is None:
            return np.asarray(score)
        inside = self.exposure(np.clip(score, -_EXPOSURE_END, _EXPOSURE_END))
        return np.where(np.isinf(score), score, inside)


def _steps(end: float, per_unit: int) -> np.ndarray:
    return np.linspace(-end, end, round(2 * end * per_unit) + 1)


def device_stream(
    generators: Generators,
    number: np.ndarray,
    deviation: Deviation,
    length: int,
    **address: Any,
) -> BitStream:
    """Streams of numbers in [0, 1], each made by its own device: number -> DAC code -> device.

    The trailing axes of ``number`` are those of ``deviation`` (``Generators.draw_devices``);
    ``address`` as in :meth:`BitSource.stream`.
    """
    import jax.numpy as jnp

    probability = generators.probability(jnp.asarray(number, jnp.float32), deviation)
    return DeviceSource.of(generators).stream(np.asarray(probability), length, **address)


def _errors(read_out: ReadOut) -> np.ndarray:
    return fine_thresholds(np.array([read_out.e01, read_out.e10]))


def _failing(read_out: ReadOut) -> np.uint64:
    """P(RESET fails) out of 2^32."""
    return np.uint64(fine_thresholds(np.array([1 - read_out.reset]))[0])


def _advance(word: int, words: np.ndarray) -> int:
    """The word after a reading; raises ValueError where addresses end."""
    if word + words.shape[1] > MOST_WORDS:
        raise ValueError(f"a stream is longer than {64 * MOST_WORDS:.3g} bits")
    return word + words.shape[1]
