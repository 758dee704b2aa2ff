"""What one image asks of the hardware: the (layer, product) tables of training.nc as events.

A product of a layer multiplies stream a with stream b in ``macs`` places for ``stream_length``
bits; which operand drives which kind of SNG stands in ``OPERANDS``. How many streams and generators
the weights take follows from the stream rules of the same file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from formats.errors import InputError
from formats.training import Training
from system.bitstream import StreamRules

TABLES = "derived: (layer, product) tables of training.nc"
"""The source of every count that comes from here."""
OPERANDS: dict[str, tuple[str, str]] = {
    "forward": ("activation", "parameter"),
    "input_gradient": ("error", "parameter"),
    "weight_gradient": ("activation", "error"),
}
"""The operands a and b of each product that runs on streams (the update is binary)."""


@dataclass(frozen=True)
class Operand:
    """One operand of a product: the streams an image ``met``, and their mean bit probability.

    ``made`` is how many are made for each stream met (below 1 where one lives for several images),
    by ``generators`` on which ``turns`` of them take turns, bit by bit.
    """

    kind: str
    met: float
    probability: float
    generators: float
    made: float = 1.0
    turns: int = 1

    @property
    def streams(self) -> float:
        """Streams made for one image, mean over a batch."""
        return self.met * self.made


@dataclass(frozen=True)
class Product:
    """One matrix product of one layer for one image."""

    layer: str
    name: str
    macs: float
    fan_in: float
    outputs: float
    a: Operand
    b: Operand

    @property
    def operands(self) -> tuple[Operand, Operand]:
        """Both operands."""
        return (self.a, self.b)

    @property
    def turns(self) -> int:
        """Bit times of a clock: until every generator has made a bit of each of its streams."""
        return max(operand.turns for operand in self.operands)


@dataclass(frozen=True)
class Workload:
    """The products of one training step of one image, in the order of the tables."""

    stream_length: int
    batch_size: int
    parameters: int
    products: tuple[Product, ...]
    rules: StreamRules

    @property
    def forward(self) -> tuple[Product, ...]:
        """The products of an inference."""
        return tuple(product for product in self.products if product.name == "forward")

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(dict.fromkeys(product.layer for product in self.products))

    def generators(self, kind: str) -> dict[str, float]:
        """SNGs of one kind each layer owns: those of its most demanding product."""
        owned: dict[str, float] = {}
        for product in self.products:
            for operand in product.operands:
                if operand.kind == kind:
                    owned[product.layer] = max(owned.get(product.layer, 0.0), operand.generators)
        return owned

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
            operand.streams * (self.stream_length if operand.turns > 1 else 1)
            for product in products
            for operand in product.operands
            if operand.kind == kind
        )

    @property
    def stored(self) -> bool:
        """Whether weight streams outlive an image, and so must be kept."""
        return self.rules.made_per_image(self.batch_size) < 1

    def met(self, products: tuple[Product, ...]) -> float:
        """Weight streams that one image meets in ``products``."""
        return math.fsum(
            operand.met
            for product in products
            for operand in product.operands
            if operand.kind == "parameter"
        )

    def macs(self) -> float:
        """Physical MACs: each layer owns those of its largest product."""
        return math.fsum(
            max(product.macs for product in self.products if product.layer == layer)
            for layer in self.layers
        )


def workload(training: Training) -> Workload:
    """Read the tables; raises :class:`InputError` where a product that runs lacks a number."""
    where, data = training.path, training.data
    attributes = training.attributes
    length = whole_attribute(training, "stream_length")
    batch, parameters = (
        whole_attribute(training, "batch_size"),
        whole_attribute(training, "parameters"),
    )
    rules = stream_rules(training)
    names = ("macs", "fan_in", "outputs", "a_streams", "b_streams", "operand_a", "operand_b")
    products = []
    for name, (kind_a, kind_b) in OPERANDS.items():
        for layer in data["layer"].to_numpy():
            row = {key: float(data[key].sel(layer=layer, product=name)) for key in names}
            if not row["macs"] > 0:
                continue
            for key, value in row.items():
                if not np.isfinite(value):
                    raise InputError(
                        where, f"{key} of {layer}/{name} is not a number though macs is not 0"
                    )
            for key in ("operand_a", "operand_b"):
                if row[key] > 1:
                    raise InputError(
                        where, f"{key} of {layer}/{name} is {row[key]:g}, expected a probability"
                    )
            if kind_b == "parameter" and rules.kind == "use" and row["b_streams"] != row["macs"]:
                raise InputError(
                    where,
                    f"b_streams of {layer}/{name} is {row['b_streams']:g}, but with sng_sharing "
                    f"'use' each of its {row['macs']:g} products has a stream of its own",
                )
            products.append(
                Product(
                    str(layer),
                    name,
                    row["macs"],
                    row["fan_in"],
                    row["outputs"],
                    _operand(kind_a, row["a_streams"], row["operand_a"], rules, batch),
                    _operand(kind_b, row["b_streams"], row["operand_b"], rules, batch),
                )
            )
    if not any(product.name == "forward" for product in products):
        raise InputError(where, f"no layer of {attributes['network']!r} has a forward product")
    return Workload(length, batch, parameters, tuple(products), rules)


def stream_rules(training: Training) -> StreamRules:
    """Whose streams the training used; raises :class:`InputError` naming file and attribute."""
    life, sharing = (str(training.attributes[key]) for key in ("stream_life", "sng_sharing"))
    for key, texts in (("stream_life", (life, "parameter")), ("sng_sharing", ("image", sharing))):
        try:
            StreamRules.parse(*texts)
        except ValueError as error:
            raise InputError(f"{training.path}, attribute {key}", str(error)) from error
    return StreamRules.parse(life, sharing)


def _operand(kind: str, met: float, probability: float, rules: StreamRules, batch: int) -> Operand:
    """An operand by the rules, which speak of weights; others are made anew for each image."""
    if kind != "parameter":
        return Operand(kind, met, probability, generators=met)
    generators = float(rules.generators(round(met)))
    return Operand(
        kind, met, probability, generators, rules.made_per_image(batch), rules.turns(round(met))
    )


def whole_attribute(training: Training, key: str) -> int:
    """An attribute that must be a whole number from 1 on; raises :class:`InputError`."""
    value = training.attributes[key]
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1 or number != float(value):
        raise InputError(training.path, f"{key} is {value!r}, expected a whole number from 1 on")
    return number
