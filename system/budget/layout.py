"""What an architecture builds for a workload: MACs, SNGs, accumulators, and the passes they take.

Where every product has a MAC (``unrolled``) a product of a layer is one pass, and each layer owns
what its most demanding product needs. Otherwise all layers share: a product of m places on M MACs
takes ceil(m / M) passes of a stream length each. A stream is made once: the SNGs make theirs evenly
over the passes, and a stream that products of several passes meet is kept in a buffer of SRAM.

In the order of ``rows`` a pass takes all products of some inputs, so every output's count stands
until the last pass; of the two operands, that whose streams would fill the larger buffer goes
through row by row. In the order of ``outputs`` a pass finishes M / fan-in outputs, whose counts are
all that stand, and every stream that meets more than one product is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from system.architecture import Architecture
from system.budget.columns import SIGNS, Bank
from system.budget.workload import KINDS, Operand, Product, Workload


@dataclass(frozen=True)
class Layout:
    """A workload on an architecture, with its ``bank`` of memory columns if it has one."""

    work: Workload
    architecture: Architecture
    bank: Bank | None = None

    @cached_property
    def limit(self) -> float:
        """MACs of one kind there are at most."""
        parallelism = self.architecture.parallelism
        if parallelism == "row":
            rows = (fan_out(p, p.a) for p in self.work.products if not p.in_columns)
            return math.ceil(max(rows, default=1.0))
        return math.inf if isinstance(parallelism, str) else float(parallelism)

    def passes(self, product: Product) -> int:
        """Stream lengths that one round of a product takes."""
        if product.in_columns or not self.folded:
            return 1
        return max(1, math.ceil(product.parallel / self.limit))

    @property
    def folded(self) -> bool:
        """Whether some products take several passes."""
        return math.isfinite(self.limit)

    def macs(self, kind: str | None = None) -> float:
        """Physical MACs of one kind (None: of all)."""
        if not self.architecture.shared:
            return self.work.macs(kind)
        kinds = self.work.macs_used if kind is None else (kind,)
        return math.fsum(
            max(
                min(p.parallel, self.limit)
                for p in self.work.products
                if p.mac == name and not p.in_columns
            )
            for name in kinds
        )

    def generators(self, kind: str) -> float:
        """SNGs of one kind."""
        if not self.architecture.shared:
            return math.fsum(self.work.generators(kind).values())
        return max(
            (
                self.at_once(product, operand)
                for product in self.work.products
                for operand in product.operands
                if operand.kind == kind
            ),
            default=0.0,
        )

    def at_once(self, product: Product, operand: Operand) -> float:
        """SNGs that make an operand's streams in one pass of a product."""
        return math.ceil(operand.generators / self.passes(product))

    def all_generators(self) -> float:
        """SNGs of every kind."""
        return math.fsum(self.generators(kind) for kind in KINDS)

    def busiest(self) -> float:
        """SNGs (and cells of columns) that write at once, at most: of one product; unrolled layers
        update all at once."""
        found = [
            math.fsum(self.at_once(p, o) for o in p.encoded) + self.written_at_once(p)
            for p in self.work.matrix
        ]
        updates = [math.fsum(self.at_once(p, o) for o in p.operands) for p in self.work.updates]
        together = max(updates, default=0.0) if self.architecture.shared else math.fsum(updates)
        return max([*found, together])

    def columns(self) -> float:
        """Memory columns."""
        bank = self.bank
        return 0.0 if bank is None else self.of_columns(lambda p: bank.stored(p).columns)

    def of_columns(self, of: Callable[[Product], float]) -> float:
        """The most of something that a product in columns needs; all layers share it."""
        return max((of(p) for p in self.work.products if p.in_columns), default=0.0)

    def voltages(self) -> float:
        """Write voltages that stand at once: of every SNG, and of the cells of columns."""
        bank = self.bank
        return self.all_generators() + (0.0 if bank is None else self.of_columns(bank.registers))

    def conversions(self, products: tuple[Product, ...]) -> float:
        """Times that one of them is set for one image."""
        found = [self.work.settings(kind, products) for kind in KINDS]
        if self.bank is not None:
            found += [self.bank.settings(p) for p in products if p.in_columns]
        return math.fsum(found)

    def written_at_once(self, product: Product) -> float:
        """Cells of columns that are written together."""
        if self.bank is None or not product.in_columns:
            return 0.0
        return self.bank.registers(product)

    def width(self, layer: str) -> int:
        """Bits of the accumulators that a layer's counts leave."""
        return max(
            width_of(p) for p in self.work.products if self.architecture.shared or p.layer == layer
        )

    @property
    def ports(self) -> tuple[int, ...]:
        """Width of each port: one a layer, or one for all."""
        if not self.work.layers:
            return ()
        layers = self.work.layers[:1] if self.architecture.shared else self.work.layers
        return tuple(self.width(layer) for layer in layers)

    def standing(self, product: Product) -> float:
        """Counts of a product that stand in accumulators at once."""
        passes = self.passes(product)
        if passes == 1:
            return product.sums
        if self.architecture.order == "rows" and product.fan_in > 1:
            return product.sums
        return min(product.sums, math.ceil(self.limit / max(1.0, product.fan_in)))

    def accumulator_bits(self) -> float:
        """Flip-flops of all accumulators."""
        products, layers = self.work.products, self.work.layers
        if self.architecture.shared:
            return max((self.standing(p) * width_of(p) for p in products), default=0.0)
        return math.fsum(
            max(self.standing(p) * width_of(p) for p in products if p.layer == layer)
            for layer in layers
        )

    def counted(self, product: Product) -> float:
        """Times that an accumulator is clocked through a stream length, for one image."""
        if product.in_columns:
            return product.outputs * SIGNS
        return min(product.outputs * self.passes(product), max(product.macs, product.outputs))

    def kept(self, product: Product) -> tuple[Kept, ...]:
        """Streams that are kept for later passes."""
        passes = self.passes(product)
        if passes == 1:
            return ()
        again = [o for o in product.operands if fan_out(product, o) > 1]
        if self.architecture.order == "outputs":
            return tuple(self._whole(product, operand) for operand in again)
        if not again:
            return ()
        row = max(again, key=lambda operand: operand.met)
        found = [self._whole(product, operand) for operand in again if operand is not row]
        spans = math.ceil(fan_out(product, row) / self.limit)
        if spans > 1:
            found.append(Kept(row, 1.0, float(spans)))
        return tuple(found)

    def buffer_bits(self) -> float:
        """Bits of the buffer: those of the product that keeps most."""
        return max(
            (
                math.fsum(kept.streams * p.longest for kept in self.kept(p) if not kept.elsewhere)
                for p in self.work.products
            ),
            default=0.0,
        )

    def buffer_accesses(self, products: tuple[Product, ...]) -> float:
        """Bits that one image writes into the buffer and reads from it. A weight stream that
        outlives its image is in its own memory already; every read but the first counts."""
        return math.fsum(
            kept.operand.met * product.length * (kept.reads + (-1.0 if kept.elsewhere else 1.0))
            for product in products
            for kept in self.kept(product)
        )

    def _whole(self, product: Product, operand: Operand) -> Kept:
        reads = min(float(self.passes(product)), fan_out(product, operand))
        return Kept(operand, operand.met / product.rounds, reads)


@dataclass(frozen=True)
class Kept:
    """``streams`` of an operand that stand in the buffer at once, each read ``reads`` times."""

    operand: Operand
    streams: float
    reads: float

    @property
    def elsewhere(self) -> bool:
        """Whether the memory of weight streams that outlive an image holds them."""
        return self.operand.kind == "parameter" and self.operand.made < 1


def fan_out(product: Product, operand: Operand) -> float:
    """Products that meet one stream of an operand."""
    return product.macs / operand.met if operand.met else 1.0


def accumulator_width(longest: float, fan_in: float, adder: str) -> int:
    """Bits of a counter that cannot overflow, with a sign; a MUX adder hands on one stream."""
    largest = longest * (1.0 if adder == "mux" else max(1.0, fan_in))
    return math.ceil(largest).bit_length() + 1


def width_of(product: Product) -> int:
    """Bits of a product's accumulators."""
    return accumulator_width(product.longest, product.fan_in, product.adder)
