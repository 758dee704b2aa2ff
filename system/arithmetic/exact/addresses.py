"""The address of every stream of a layer: its number, its life and its purpose.

| purpose             | forward | input gradient | weight gradient |
|---------------------|---------|----------------|-----------------|
| operand a           | 0       | 4              | 8               |
| operand b           | 1       | 5              | 9               |
| padding             | 2       |                | 10              |
| select of a MUX     | 3       | 7              | 11              |

Operand a is the activations (forward, weight gradient) or the errors (input gradient), b the
weights or, in the weight gradient, the errors. Activations and errors are numbered by their place
in the tensor and their life is the image's place in the batch. A weight's life comes from the
rules; its number is

- ``parameter``, ``turns``: that of its generator, the parameter's place in memory (over k);
- ``common``: likewise, so that the k parameters of a group meet the same random numbers, each with
  its own threshold;
- ``use``: (use x parameters) + parameter, the use being the layer's output position it serves.

A MUX selects by image and output. Where each i of :mod:`system.arithmetic.exact.gather` is worked
out on its own (``use``), the purpose of its selects is 12 i more. Layers and batches differ by
their key.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from system.arithmetic.exact.gather import ProductName
from system.bitstream.ownership import StreamRules
from system.bitstream.packed import WORD_BITS
from system.bitstream.sources.base import BitSource, OpenStreams

_PRODUCTS: tuple[ProductName, ...] = get_args(ProductName)
_PARTS = ("a", "b", "padding", "select")


def purpose(product: ProductName, part: str) -> int:
    """The number in the table above."""
    return len(_PARTS) * _PRODUCTS.index(product) + _PARTS.index(part)


PURPOSES = len(_PARTS) * len(_PRODUCTS)
"""How many there are."""


def open_units(
    source: BitSource, probability: np.ndarray, lives: np.ndarray, use: int, key: np.ndarray
) -> OpenStreams:
    """Streams (image by image) of ``probability`` (images, units) for the purpose ``use``."""
    images, units = probability.shape
    numbers = np.tile(np.arange(units, dtype=np.uint32), images)
    return source.open(probability.reshape(-1), numbers, np.repeat(lives, units), use, key)


def open_weights(
    source: BitSource,
    probability: np.ndarray,
    rules: StreamRules,
    lives: np.ndarray,
    purpose: int,
    key: np.ndarray,
) -> OpenStreams:
    """Streams of weights of ``probability`` (streams,), life by life.

    They are the parameters; for ``use`` those of the first use, of the second, and so on.
    """
    if rules.kind == "use":
        numbers = np.arange(probability.size, dtype=np.uint32)
    else:
        numbers = rules.generator_of(probability.size)
    if rules.kind == "turns":
        turn = np.tile(np.arange(probability.size) % rules.group, lives.size)
    lives_of = np.repeat(lives, numbers.size)
    opened = source.open(
        np.tile(probability, lives.size), np.tile(numbers, lives.size), lives_of, purpose, key
    )
    return OpenTurns(opened, turn, rules.group) if rules.kind == "turns" else opened


class OpenTurns(OpenStreams):
    """Streams that take turns on shared generators.

    Stream s has the generator's bits at the clocks ``group`` t + ``turn[s]``. It is read with the
    stream's own threshold all the time and the bits of the others' turns are dropped, which is the
    same where a bit depends on the generator's random number of that clock alone.
    """

    def __init__(self, opened: OpenStreams, turn: np.ndarray, group: int) -> None:
        super().__init__(opened.count)
        self._opened, self._turn, self._group = opened, turn, group

    def _fill(self, words: np.ndarray) -> None:
        whole = np.empty((self.count, self._group), np.uint64)
        octets = np.empty((self.count, WORD_BITS // 8), np.uint8)
        for word in range(words.shape[1]):
            self._opened.read(whole)
            bits = np.unpackbits(
                whole.astype("<u8", copy=False).view(np.uint8), axis=1, bitorder="little"
            )
            for turn in range(self._group):
                mine = self._turn == turn
                octets[mine] = np.packbits(bits[mine, turn :: self._group], 1, bitorder="little")
            words[:, word] = octets.view("<u8")[:, 0]
