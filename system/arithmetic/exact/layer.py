"""The products of a layer bit by bit: streams are made, met and counted, a few words at a time.

Nothing here is JAX. Memory does not grow with the stream's length: a stretch of clocks is made,
added up and forgotten; and images are taken in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from system.arithmetic.exact.addresses import PURPOSES, open_units, open_weights, purpose
from system.arithmetic.exact.gather import Meeting, ProductName, meeting
from system.arithmetic.linear import Linear
from system.bitstream.encodings import Encoded
from system.bitstream.ownership import DEFAULT_RULES, StreamRules
from system.bitstream.packed import WORD_BITS, words_of
from system.bitstream.sources.base import BitSource, OpenStreams
from system.bitstream.sources.bernoulli import Bernoulli
from system.bitstream.sources.device import DeviceSource
from system.bitstream.sources.sobol import Sobol
from system.kernels.adders import Selects, add_approximate, add_selected
from system.kernels.bernoulli import clear_tail
from system.kernels.operands import Products
from system.kernels.products import add_products

PAIRS = (
    ("sign-magnitude", "exact-counter"),
    ("sign-magnitude", "approximate-counter"),
    ("bipolar", "mux"),
    ("bipolar", "exact-counter"),
    ("bipolar", "approximate-counter"),
    ("unipolar", "exact-counter"),
    ("unipolar", "approximate-counter"),
    ("unipolar", "mux"),
)
"""Encodings and adders there are."""
CHUNK_WORDS = 8
"""Words of each stream made at a time."""
BLOCK_BYTES = 2**25
"""About as much memory as one block of images may take."""


@dataclass(frozen=True)
class ExactLayers:
    """How the products of layers are made: by which gates, adders, streams.

    ``encoding`` and ``adder`` are the words of the MAC group in cells.nc, ``length`` the clocks of
    a stream, ``source`` the kind of generator, ``rules`` whose the weights' streams are.

    Padding of a convolution contributes nothing in unipolar and sign-magnitude. In bipolar it is
    an ideal stream of value 0, P(1) = 1/2, whatever the source, with an address of its own.

    Raises ValueError for a pair of encoding and adder there is not, a length below 1, and rules the
    source cannot follow.
    """

    encoding: str
    adder: str
    length: int
    source: BitSource
    rules: StreamRules = DEFAULT_RULES
    chunk_words: int = CHUNK_WORDS
    block_bytes: int = BLOCK_BYTES

    def __post_init__(self) -> None:
        if (self.encoding, self.adder) not in PAIRS:
            known = ", ".join(f"{encoding} with {adder}" for encoding, adder in PAIRS)
            raise ValueError(f"{self.encoding} with {self.adder}: expected one of {known}")
        if self.length < 1:
            raise ValueError(f"a stream of {self.length} bits: expected 1 or more")
        problem = refusal(self.source, self.rules)
        if problem is not None:
            raise ValueError(problem)

    def sums(
        self, linear: Linear, product: ProductName, a: Encoded, b: Encoded, key: np.ndarray
    ) -> np.ndarray:
        """The product's results times ``length``, whole numbers (int64).

        ``a`` has an axis of images before those of the layer; so has ``b`` in the weight gradient,
        which is summed over the images. Where each use of a weight has a generator of its own,
        weights may have an axis of uses (the layer's output positions) before theirs. ``key`` (2,)
        uint32. Results are in units of the product of the operands' scales, in the shape of the
        layer.
        """
        meet = meeting(linear, product)
        if self.encoding != "bipolar":
            meet = meet.without_padding()
        if (
            self.encoding == "unipolar"
            and min(np.min(a.sign, initial=1), np.min(b.sign, initial=1)) < 0
        ):
            raise ValueError("unipolar streams have no sign, but there are negative numbers")
        images = a.probability.shape[0]
        by_image = product == "weight_gradient"
        a, b = _flat(a, (images, meet.a_units)), _flat(b, (-1, meet.b_units))
        if not by_image:
            b = self._weights(b, meet)
        lives = np.arange(images, dtype=np.uint32)
        b_lives = lives if by_image else self.rules.lives(images)
        done = np.zeros((0 if by_image else images, *meet.shape), np.int64)
        total = np.zeros(meet.shape, np.int64)
        for block in self._blocks(meet, b_lives, b.probability.shape[1]):
            counts = self._block(meet, product, a, b, lives[block], b_lives[block], key)
            if by_image:
                total += meet.arranged(counts.sum(axis=0))
            else:
                done[block] = meet.arranged(counts)
        return total if by_image else done

    def _weights(self, weights: Encoded, meet: Meeting) -> Encoded:
        """Weights (1, streams): repeated where each use has a stream of its own."""
        given, wanted = weights.probability.shape[0], 1
        if self.rules.kind == "use":
            wanted = meet.uses
        if given not in (1, wanted):
            raise ValueError(f"weights for {given} uses: expected 1 or {wanted}")
        if self.rules.kind == "use":
            weights = Encoded(*(np.tile(part, (wanted // given, 1)) for part in weights))
        return _flat(weights, (1, -1))

    def values(
        self, linear: Linear, product: ProductName, a: Encoded, b: Encoded, key: np.ndarray
    ) -> np.ndarray:
        """:meth:`sums` over the stream's length (float64)."""
        return self.sums(linear, product, a, b, key) / self.length

    def _blocks(self, meet: Meeting, lives: np.ndarray, b_streams: int) -> Iterator[slice]:
        """Pieces of the batch that fit into ``block_bytes``; at least one image each."""
        stretch = 8 * min(self.chunk_words, words_of(self.length))
        own = stretch * (meet.a_units + meet.padded) + 8 * meet.left.shape[0] * meet.right.shape[0]
        first = 0
        while first < lives.size:
            needed = own * np.arange(1, lives.size - first + 1)
            needed += stretch * b_streams * (lives[first:] - lives[first] + 1).astype(np.int64)
            count = max(1, int(np.count_nonzero(needed <= self.block_bytes)))
            yield slice(first, first + count)
            first += count

    def _block(
        self,
        meet: Meeting,
        product: ProductName,
        a: Encoded,
        b: Encoded,
        images: np.ndarray,
        lives: np.ndarray,
        key: np.ndarray,
    ) -> np.ndarray:
        """Results (images, I, J) of some images of the batch."""
        by_image = product == "weight_gradient"
        alive = np.arange(lives[0], lives[-1] + 1, dtype=np.uint32)
        use = {part: purpose(product, part) for part in ("a", "b", "padding", "select")}
        readers = [open_units(self.source, a.probability[images], images, use["a"], key)]
        if meet.padded:
            half = np.full((images.size, meet.padded), 0.5)
            readers.append(open_units(Bernoulli(), half, images, use["padding"], key))
        if by_image:
            other = open_units(self.source, b.probability[images], images, use["b"], key)
        else:
            other = open_weights(self.source, b.probability[0], self.rules, alive, use["b"], key)
        negative = self._negative(a, b, images, alive.size, by_image)
        selects = Selects(key, use["select"], images)
        counts = np.zeros((images.size, meet.left.shape[0], meet.right.shape[0]), np.int64)
        for first, clocks in self._stretches():
            # Nothing but the counts outlives a stretch of clocks.
            streams = [_read(reader, images.size, clocks) for reader in readers]
            met = Products(
                self.encoding,  # type: ignore[arg-type]
                clocks,
                streams[0] if len(streams) == 1 else np.concatenate(streams, axis=1),
                meet.left,
                _read(other, alive.size, clocks),
                meet.right,
                (lives - lives[0]).astype(np.int64),
                *negative,
            )
            self._add(met, meet, replace(selects, first_word=first // WORD_BITS), by_image, counts)
            del streams, met
        if self.adder != "mux":
            return counts
        let_through = 2 * counts - self.length if self.encoding == "bipolar" else counts
        return np.asarray(meet.terms[:, None] * let_through)

    def _add(
        self, met: Products, meet: Meeting, selects: Selects, by_image: bool, counts: np.ndarray
    ) -> None:
        """Add a stretch of clocks; where uses have streams of their own one i after the other."""
        if by_image or self.rules.kind != "use":
            self._added(met, selects, counts)
            return
        for i in range(meet.left.shape[0]):
            part = np.zeros((counts.shape[0], 1, counts.shape[2]), np.int64)
            right = meet.right + meet.use[i] * np.int32(meet.b_units)
            row = replace(met, a_index=meet.left[i : i + 1], b_index=right)
            self._added(row, replace(selects, purpose=selects.purpose + PURPOSES * i), part)
            counts[:, i] += part[:, 0]

    def _added(self, met: Products, selects: Selects, counts: np.ndarray) -> None:
        if self.adder == "mux":
            add_selected(met, selects, counts)
        elif self.adder == "approximate-counter":
            add_approximate(met, counts)
        else:
            add_products(met, counts)

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """First clock and number of clocks of one stretch after the other."""
        whole = WORD_BITS * self.chunk_words
        for first in range(0, self.length, whole):
            yield first, min(whole, self.length - first)

    def _negative(
        self, a: Encoded, b: Encoded, images: np.ndarray, alive: int, by_image: bool
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Which streams are negative; None where the encoding has no signs or none is."""
        if self.encoding != "sign-magnitude":
            return None, None
        ours = a.sign[images] < 0
        theirs = b.sign[images] < 0 if by_image else np.tile(b.sign < 0, (alive, 1))
        return ours if ours.any() else None, theirs if theirs.any() else None


def refusal(source: BitSource, rules: StreamRules) -> str | None:
    """Why a source cannot follow the rules, or make streams that meet, or None."""
    if isinstance(source, Sobol):
        return (
            "a Sobol stream has the dimension of its number, so streams of two operands with one "
            "number would be equal; take Bernoulli or LFSR generators"
        )
    if not isinstance(source, DeviceSource):
        return None
    if rules.kind == "turns" and not source.independent:
        return (
            f"{rules.sharing_text} with devices whose bit depends on the bit before (failed RESET "
            "or memory): the streams that take turns would depend on each other's probabilities, "
            "which is not modelled; take parameter or use"
        )
    return rules.refused_by_devices


def _flat(operand: Encoded, shape: tuple[int, int]) -> Encoded:
    """Probabilities and signs as (images or 1, units)."""
    probability = np.asarray(operand.probability, np.float64).reshape(shape)
    sign = np.broadcast_to(np.asarray(operand.sign), operand.probability.shape)
    return Encoded(probability, sign.reshape(shape))


def _read(opened: OpenStreams, rows: int, clocks: int) -> np.ndarray:
    """The next ``clocks`` bits of all streams, as (rows, streams of a row, words)."""
    words = np.empty((opened.count, words_of(clocks)), np.uint64)
    opened.read(words)
    clear_tail(words, clocks)
    return words.reshape(rows, -1, words.shape[1])
