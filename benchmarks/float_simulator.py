"""A float-tensor simulator of a stochastic layer, for comparison only: one float32 a bit.

It does clock by clock what UnarySim's FSULinearPC does (Wu et al., ISCA 2020; its source recalled,
nothing copied): every input is compared with a random number; every weight is compared with one of
a sequence in which each sample and input moves on only where that input's bit is 1, so that there
is a tensor (samples, outputs, inputs) of weight bits; a matrix product adds the bits up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import qmc


def sequence(length: int) -> np.ndarray:
    """Numbers to compare with (float32): the second dimension of Sobol from its second number on.

    Of the van der Corput and the first Sobol sequences, with and without their leading 0, it gives
    the simulator its least errors.
    """
    numbers = qmc.Sobol(2, scramble=False).random(length)[:, 1]
    return np.roll(numbers, -1).astype(np.float32)


@dataclass
class FloatSimulator:
    """Sums of products of ``x`` (samples, inputs) and ``w`` (outputs, inputs), all P(1) float32.

    ``bipolar``: a second generator compares the weights where the input's bit is 0. ``samples`` go
    through each tensor operation together (None: all of them, as in the original).
    """

    x: np.ndarray
    w: np.ndarray
    length: int
    bipolar: bool = False
    samples: int | None = None
    numbers: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = sequence(self.length)
        rows = self.samples or len(self.x)
        shape = (rows, *self.w.shape)
        self._below, self._bits = np.empty(shape, bool), np.empty(shape, np.float32)

    def run(self, clocks: int | None = None) -> np.ndarray:
        """Counts (samples, outputs) after ``clocks`` (None: the whole length), float32."""
        out = np.zeros((len(self.x), len(self.w)), np.float32)
        ones, zeros = np.zeros((2, *self.x.shape), np.intp)
        for clock in range(clocks or self.length):
            x = (self.x > self.numbers[clock]).astype(np.float32)
            self._add(x, self.numbers[ones], out, inverted=False)
            ones += x.astype(np.intp)
            if self.bipolar:
                self._add(1 - x, self.numbers[zeros], out, inverted=True)
                zeros += 1 - x.astype(np.intp)
        return out

    def _add(self, x: np.ndarray, numbers: np.ndarray, out: np.ndarray, inverted: bool) -> None:
        compare = np.less_equal if inverted else np.greater
        rows = len(self._below)
        for first in range(0, len(x), rows):
            part = slice(first, first + rows)
            compare(self.w, numbers[part, None], out=self._below)
            np.copyto(self._bits, self._below)
            out[part] += np.matmul(self._bits, x[part, :, None])[..., 0]


def shared_streams(x: np.ndarray, w: np.ndarray, clocks: int) -> np.ndarray:
    """The same sum where all samples meet the same weight bits: one BLAS product a clock.

    Not what the original does; shown because it is the fastest way to one float a bit.
    """
    generator = np.random.default_rng(0)
    out = np.zeros((len(x), len(w)), np.float32)
    for _ in range(clocks):
        bits_x = (x > generator.random(x.shape, np.float32)).astype(np.float32)
        bits_w = (w > generator.random(w.shape, np.float32)).astype(np.float32)
        out += bits_x @ bits_w.T
    return out
