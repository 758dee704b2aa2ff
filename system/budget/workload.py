"""What one image asks of the hardware: the (layer, product) tables of training.nc as events.

A product of a layer multiplies stream a with stream b in ``macs`` places for as many bits as its
streams are long; which operand drives which kind of SNG stands in ``KINDS_OF``. How many streams
and generators the weights take follows from the stream rules of the same file. Where lengths
follow a schedule of epochs, a training step is the mean over the epochs, an inference has the last
epoch's lengths, and widths are those of the longest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from system.bitstream import StreamRules
from system.budget.update import UpdateRule

TABLES = "derived: (layer, product) tables of training.nc"
"""The source of every count that comes from here."""
KINDS_OF: dict[str, tuple[str, str]] = {
    "forward": ("activation", "parameter"),
    "input_gradient": ("error", "parameter"),
    "weight_gradient": ("activation", "error"),
    "update": ("parameter", "constant"),
}
"""The operands a and b of each product; a of the update is a moment or a gradient, made by the
parameter's own SNG, b a constant of the rule."""
KINDS = ("parameter", "activation", "error", "constant")
COLUMN = "column"
"""The kind of the operand b whose bits stand in memory columns; no SNG makes its streams."""


@dataclass(frozen=True)
class Operand:
    """One operand of a product: the streams an image ``met``, and their mean bit probability.

    ``made`` is how many are made for each stream met (below 1 where one lives for several images),
    by ``generators`` on which ``turns`` of them take turns, bit by bit; ``each`` streams of an
    image come from the most used generator, mean over a batch.
    """

    kind: str
    met: float
    probability: float
    generators: float
    each: float = 1.0
    made: float = 1.0
    turns: int = 1

    @property
    def streams(self) -> float:
        """Streams made for one image, mean over a batch."""
        return self.met * self.made


@dataclass(frozen=True)
class Product:
    """One product of one layer for one image, on streams.

    ``lengths`` are the bits of a stream in each epoch, ``length`` those to price: their mean, or
    the last; ``staged`` those that its counts hold in an inference in stages (0: none). ``rounds``
    is how often an image runs the product: 1, or for the update its products
    over the images of a batch. ``macs``, ``outputs`` and the operands' ``met`` count all rounds.
    """

    layer: str
    name: str
    mac: str
    adder: str
    macs: float
    fan_in: float
    outputs: float
    a: Operand
    b: Operand
    lengths: tuple[float, ...]
    length: float
    rounds: float = 1.0
    staged: float = 0.0

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """Both operands."""
        return (self.a, self.b)

    @property
    def in_columns(self) -> bool:
        """Whether memory columns compute it."""
        return self.b.kind == COLUMN

    @property
    def encoded(self) -> tuple[Operand, ...]:
        """The operands whose streams SNGs make."""
        return tuple(operand for operand in self.operands if operand.kind != COLUMN)

    @property
    def turns(self) -> int:
        """Bit times of a clock: until every generator has made a bit of each of its streams."""
        return max(operand.turns for operand in self.operands)

    @property
    def longest(self) -> float:
        """Bits of the longest stream that a count holds."""
        return max(*self.lengths, self.staged)

    @property
    def parallel(self) -> float:
        """MACs that one round takes at once."""
        return self.macs / self.rounds

    @property
    def sums(self) -> float:
        """Accumulators that one round takes at once."""
        return self.outputs / self.rounds

    def bits(self, operand: Operand) -> float:
        """Bits that the generators of one of the operands make for one image."""
        return operand.streams * self.length


@dataclass(frozen=True)
class BinaryProduct:
    """One matrix product of one layer for one image in plain arithmetic: ``numbers`` of each kind
    meet in ``macs`` places."""

    layer: str
    name: str
    macs: float
    outputs: float
    numbers: dict[str, float]


@dataclass(frozen=True)
class Widths:
    """Bits of the registers, from training.nc."""

    weight: int
    state: int
    gradient: int
    operand: int
    scale_counter: int

    @property
    def word(self) -> int:
        """A stored activation or error, and what an SNG is set to: a magnitude and a sign."""
        return self.operand + 1


@dataclass(frozen=True)
class Workload:
    """The products of one training step of one image, in the order of the tables.

    ``weights`` of the ``parameters`` are no biases; ``scaled`` are the tensors of all layers that
    have a scale, by the words of training.nc. ``inference_length`` (None: that of the last epoch)
    is the length of all forward products on streams.
    """

    batch_size: int
    parameters: int
    weights: int
    scaled: tuple[str, ...]
    products: tuple[Product, ...]
    binary: tuple[BinaryProduct, ...]
    rules: StreamRules
    rule: UpdateRule
    widths: Widths
    inference_length: int | None = None

    @property
    def scheduled(self) -> bool:
        """Whether streams have other lengths in some epochs than in others."""
        return any(len(set(product.lengths)) > 1 for product in self.products)

    @property
    def forward(self) -> tuple[Product, ...]:
        """The stream products of an inference, with the last epoch's lengths."""
        return tuple(
            replace(product, length=self.inference_length or product.lengths[-1])
            for product in self.products
            if product.name == "forward"
        )

    @property
    def binary_forward(self) -> tuple[BinaryProduct, ...]:
        """The products of an inference in plain arithmetic."""
        return tuple(product for product in self.binary if product.name == "forward")

    @property
    def matrix(self) -> tuple[Product, ...]:
        """The stream products of a training step without the update's."""
        return tuple(product for product in self.products if product.name != "update")

    @property
    def updates(self) -> tuple[Product, ...]:
        """The update's products, a layer each."""
        return tuple(product for product in self.products if product.name == "update")

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers with a product on streams."""
        return tuple(dict.fromkeys(product.layer for product in self.products))

    @property
    def macs_used(self) -> tuple[str, ...]:
        """Names of the kinds of MAC."""
        return tuple(dict.fromkeys(p.mac for p in self.products if not p.in_columns))

    @property
    def biases(self) -> int:
        """Parameters that are added to an output."""
        return self.parameters - self.weights

    @property
    def streamed_parameters(self) -> float:
        """Parameters whose update runs on streams; the others' is binary."""
        return math.fsum(product.parallel for product in self.updates)

    @property
    def binary_parameters(self) -> float:
        """Parameters whose update is binary."""
        return self.parameters - self.streamed_parameters

    def generators(self, kind: str) -> dict[str, float]:
        """SNGs of one kind each layer owns: those of its most demanding product."""
        owned: dict[str, float] = {}
        for product in self.products:
            for operand in product.operands:
                if operand.kind == kind:
                    owned[product.layer] = max(owned.get(product.layer, 0.0), operand.generators)
        return owned

    def all_generators(self) -> float:
        """SNGs of every kind."""
        return math.fsum(n for kind in KINDS for n in self.generators(kind).values())

    def numbers(self, kind: str) -> dict[str, float]:
        """Numbers of one kind of operand each layer meets in an image, on streams or not."""
        met: dict[str, float] = {}
        for product in self.matrix:
            for operand in product.operands:
                if operand.kind == kind:
                    met[product.layer] = max(met.get(product.layer, 0.0), operand.met)
        for plain in self.binary:
            if kind in plain.numbers:
                met[plain.layer] = max(met.get(plain.layer, 0.0), plain.numbers[kind])
        return met

    def streams(self, kind: str, products: tuple[Product, ...]) -> float:
        """Streams of one kind that ``products`` make for one image, mean over a batch."""
        return math.fsum(
            operand.streams
            for product in products
            for operand in product.operands
            if operand.kind == kind
        )

    def settings(self, kind: str, products: tuple[Product, ...]) -> float:
        """Times that a generator is set to a number: once a stream, or once a bit in turns."""
        return math.fsum(
            product.bits(operand) if operand.turns > 1 else operand.streams
            for product in products
            for operand in product.operands
            if operand.kind == kind
        )

    @property
    def stored(self) -> bool:
        """Whether weight streams outlive an image, and so must be kept."""
        return bool(self.matrix) and self.rules.made_per_image(self.batch_size) < 1

    def stream_bits(self, products: tuple[Product, ...]) -> float:
        """Bits of the weight streams that one image meets in matrix ``products``."""
        return math.fsum(
            operand.met * product.length
            for product in products
            for operand in product.operands
            if operand.kind == "parameter"
        )

    def most_stream_bits(self) -> float:
        """The same of a training step in the epoch with the most."""
        epochs = range(max((len(product.lengths) for product in self.matrix), default=0))
        return max(
            (
                self.stream_bits(tuple(replace(p, length=p.lengths[epoch]) for p in self.matrix))
                for epoch in epochs
            ),
            default=0.0,
        )

    def macs(self, kind: str | None = None) -> float:
        """Physical MACs of one kind (None: of all): each layer owns, of each kind, those of its
        largest product of that kind."""
        owned: dict[tuple[str, str], float] = {}
        for product in self.products:
            if kind in (None, product.mac) and not product.in_columns:
                key = (product.layer, product.mac)
                owned[key] = max(owned.get(key, 0.0), product.parallel)
        return math.fsum(owned.values())


def lengths_text(products: tuple[Product, ...]) -> str:
    """The stream lengths in words, such as "256" or "64 to 256"; "no" where there are none."""
    lengths = [length for product in products for length in product.lengths]
    if not lengths:
        return "no"
    low, high = min(lengths), max(lengths)
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
