"""What :mod:`system.arithmetic.exact.layer` must give, written as it is defined: bit by bit.

Every stream is read alone and unpacked; the products of an output are listed from the meaning of a
convolution (with y = row of the output + row of the tap - padding) and added up in plain numpy. For
small layers only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from system.arithmetic.exact.addresses import purpose
from system.arithmetic.exact.gather import ProductName
from system.arithmetic.exact.layer import ExactLayers
from system.arithmetic.linear import Convolution, Linear
from system.bitstream.encodings import Encoded
from system.bitstream.sources.base import BitSource
from system.bitstream.sources.bernoulli import Bernoulli
from system.kernels.philox import philox_definition


class Multiplied(NamedTuple):
    """One multiplication of a layer: places in the tensors, ``x`` -1, -2, ... in the padding."""

    x: int
    w: int
    d: int
    position: int
    tap: int
    output: int


def multiplied(linear: Linear) -> list[Multiplied]:
    """All of a layer, position by position, tap by tap, output by output."""
    taps, outputs = linear.weight_shape
    if not isinstance(linear, Convolution):
        return [
            Multiplied(tap, tap * outputs + o, o, 0, tap, o)
            for tap in range(taps)
            for o in range(outputs)
        ]
    side, edge, size, kernel = linear.output_size, linear.padding, linear.size, linear.kernel
    along = range(-edge, size + edge)
    outside = [
        (c, y, x)
        for c in range(linear.channels)
        for y in along
        for x in along
        if not (0 <= y < size and 0 <= x < size)
    ]
    found = []
    for position in range(side**2):
        for tap in range(taps):
            channel, within = divmod(tap, kernel**2)
            y = position // side + within // kernel - edge
            x = position % side + within % kernel - edge
            place = (channel * size + y) * size + x
            if (channel, y, x) in outside:
                place = -1 - outside.index((channel, y, x))
            for o in range(outputs):
                error = o * side**2 + position
                found.append(Multiplied(place, tap * outputs + o, error, position, tap, o))
    return found


def sums_definition(
    layers: ExactLayers,
    linear: Linear,
    product: ProductName,
    a: Encoded,
    b: Encoded,
    key: np.ndarray,
) -> np.ndarray:
    """The same as :meth:`ExactLayers.sums`."""
    images = a.probability.shape[0]
    streams = _Streams(layers, linear, product, a, b, key)
    shape, inputs = _inputs_of_adders(linear, product)
    result = np.zeros((images, len(inputs)), np.int64)
    for image in range(images):
        for place, (number, slots) in enumerate(inputs):
            exists = np.array([one is not None and streams.exists(one) for one in slots])
            bits = np.zeros((len(slots), layers.length), bool)
            signs = np.ones(len(slots))
            for k in np.flatnonzero(exists):
                one = slots[k]
                assert one is not None
                left, right = streams.pair(image, one)
                bits[k] = (left == right) if layers.encoding == "bipolar" else (left & right)
                signs[k] = streams.sign(image, one)
            chosen = streams.selects(image, number) if layers.adder == "mux" else None
            result[image, place] = _added(layers, bits, signs, exists, chosen)
    result = result.sum(0) if product == "weight_gradient" else result
    return result.reshape(shape if product == "weight_gradient" else (images, *shape))


_Inputs = list[tuple[tuple[int, int, int], list[Multiplied | None]]]


def _inputs_of_adders(linear: Linear, product: ProductName) -> tuple[tuple[int, ...], _Inputs]:
    """The result's shape; for each result (i, j, outputs of an i) and what enters its adder, in
    order: taps, or outputs and their taps, or positions. None: an input that meets nothing."""
    taps, outputs = linear.weight_shape
    everything = multiplied(linear)
    positions = 1 + max(one.position for one in everything)
    channels = linear.channels if isinstance(linear, Convolution) else taps
    per_channel, area = taps // channels, int(np.prod(linear.input_shape)) // channels
    places: dict[int, dict[int, Multiplied]] = {}
    for one in everything:
        place, rank = {
            "forward": (one.d, one.tap),
            "input_gradient": (one.x, one.output * per_channel + one.tap % per_channel),
            "weight_gradient": (one.w, one.position),
        }[product]
        places.setdefault(place, {})[rank] = one
    shape, width = {
        "forward": (linear.output_shape, taps),
        "input_gradient": (linear.input_shape, outputs * per_channel),
        "weight_gradient": (linear.weight_shape, positions),
    }[product]
    inputs: _Inputs = []
    for place in range(int(np.prod(shape))):
        number = {
            "forward": (place % positions, place // positions, outputs),
            "input_gradient": (place % area, place // area, channels),
            "weight_gradient": (place // outputs, place % outputs, outputs),
        }[product]
        inputs.append((number, [places.get(place, {}).get(rank) for rank in range(width)]))
    return shape, inputs


def _added(
    layers: ExactLayers,
    bits: np.ndarray,
    signs: np.ndarray,
    exists: np.ndarray,
    chosen: np.ndarray | None,
) -> int:
    """An adder's result over the whole stream; ``bits`` (inputs, clocks) without signs.

    ``chosen`` are the 32-bit numbers that select an input of a MUX, clock by clock.
    """
    terms, bipolar = int(exists.sum()), layers.encoding == "bipolar"
    if chosen is not None:
        if terms == 0:
            return 0
        let = bits[exists][[int(c) * terms >> 32 for c in chosen], np.arange(layers.length)]
        return terms * int(np.sum(2 * let.astype(int) - 1 if bipolar else let))
    negative = (signs < 0) & exists
    t = (bits ^ negative[:, None]).astype(int)
    count = 0
    if layers.adder == "approximate-counter":
        pairs = len(t) // 2
        for m in range(pairs):
            gate = np.maximum if m % 2 else np.minimum
            count += 2 * int(np.sum(gate(t[2 * m], t[2 * m + 1])))
        count += int(np.sum(t[2 * pairs :]))
    else:
        count = int(np.sum(t))
    if bipolar:
        return 2 * count - terms * layers.length
    return count - layers.length * int(negative.sum())


class _Streams:
    """The bits each multiplication meets, read one stream at a time and remembered."""

    def __init__(
        self,
        layers: ExactLayers,
        linear: Linear,
        product: ProductName,
        a: Encoded,
        b: Encoded,
        key: np.ndarray,
    ) -> None:
        self.layers, self.product, self.key = layers, product, key
        images = a.probability.shape[0]
        self.a = [np.reshape(part, (images, -1)) for part in a]
        units = int(np.prod(b.probability.shape[1 if product == "weight_gradient" else -2 :]))
        self.b = [np.reshape(part, (-1, units)) for part in b]
        self.lives = layers.rules.lives(images)
        self.known: dict[tuple[int, ...], np.ndarray] = {}

    def exists(self, one: Multiplied) -> bool:
        """Whether there is such a product: padding counts in bipolar only."""
        return one.x >= 0 or (
            self.layers.encoding == "bipolar" and self.product != "input_gradient"
        )

    def selects(self, image: int, number: tuple[int, int, int]) -> np.ndarray:
        """Random numbers of 32 bits of the clocks, for the output (i, j) of an image."""
        i, j, outputs = number
        use, output = purpose(self.product, "select"), i * outputs + j
        if self.layers.rules.kind == "use" and self.product != "weight_gradient":
            use, output = use + 12 * i, j
        clock = np.arange(self.layers.length)
        pair = philox_definition(
            (clock // 4, output, image, use), (int(self.key[0]), int(self.key[1]))
        )
        word = np.where(clock % 4 < 2, *pair)
        return (word >> (32 * (clock % 2)).astype(np.uint64)) & np.uint64(0xFFFFFFFF)

    def sign(self, image: int, one: Multiplied) -> float:
        """The product's sign."""
        if self.layers.encoding != "sign-magnitude":
            return 1.0
        left, right = self._places(one)
        row = image if self.product == "weight_gradient" else self._use(one)
        return float(self.a[1][image, left] * self.b[1][row, right])

    def pair(self, image: int, one: Multiplied) -> tuple[np.ndarray, np.ndarray]:
        """Bits of both operands."""
        left, right = self._places(one)
        if left < 0:
            use = purpose(self.product, "padding")
            a = self._read(Bernoulli(), 0.5, -1 - left, image, use)
        else:
            use = purpose(self.product, "a")
            a = self._read(self.layers.source, self.a[0][image, left], left, image, use)
        use = purpose(self.product, "b")
        if self.product == "weight_gradient":
            probability = self.b[0][image, right]
            return a, self._read(self.layers.source, probability, right, image, use)
        return a, self._weight(one, right, int(self.lives[image]), use)

    def _places(self, one: Multiplied) -> tuple[int, int]:
        return {
            "forward": (one.x, one.w),
            "input_gradient": (one.d, one.w),
            "weight_gradient": (one.x, one.d),
        }[self.product]

    def _use(self, one: Multiplied) -> int:
        """Row of the weights' numbers: one for each position, where they differ."""
        return one.position if self.b[0].shape[0] > 1 else 0

    def _weight(self, one: Multiplied, place: int, life: int, use: int) -> np.ndarray:
        rules, probability = self.layers.rules, self.b[0][self._use(one), place]
        number, every, first = place // rules.group, 1, 0
        if rules.kind == "use":
            number = one.position * self.b[0].shape[1] + place
        if rules.kind == "turns":
            every, first = rules.group, place % rules.group
        return self._read(self.layers.source, probability, number, life, use, every, first)

    def _read(
        self,
        source: BitSource,
        probability: float,
        number: int,
        life: int,
        use: int,
        every: int = 1,
        first: int = 0,
    ) -> np.ndarray:
        address = (number, life, use, first, hash(float(probability)))
        if address not in self.known:
            words = np.empty((1, -(-self.layers.length * every // 64)), np.uint64)
            opened = source.open(
                np.array([probability]),
                np.array([number], np.uint32),
                np.array([life], np.uint32),
                use,
                self.key,
            )
            opened.read(words)
            bits = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
            self.known[address] = bits[first::every][: self.layers.length]
        return self.known[address]
