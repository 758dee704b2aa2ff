"""The choices of an architecture: what is unrolled, what takes turns, what stands around the cells.

The budget multiplies these choices with the (layer, product) tables of training.nc and the units
of cells.nc. No count of a network stands here; whose the streams are, how long, and how wide a
register is are the training's choices. None of the choices is a statement of a publication.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from system.architecture.figures import Figures

PARALLELISM = ("unrolled", "layer", "row")
ORDERS = ("rows", "outputs")
SUPPLIES = ("external", "charge-pumps")
EVERYTHING = "all"


@dataclass(frozen=True)
class Dac:
    """A write-voltage DAC for ``sngs`` SNGs: area (m2), energy of a conversion (J), leakage (W)."""

    area: float
    energy: float
    source: str
    leakage: float = 0.0
    sngs: int = 1


@dataclass(frozen=True)
class Overhead:
    """A named line that costs a share of others: of the lines whose group is one of ``groups``
    (or ``EVERYTHING``), as shares of their area, switching energy and leakage."""

    name: str
    groups: tuple[str, ...]
    source: str
    area: float = 0.0
    energy: float = 0.0
    leakage: float = 0.0


@dataclass(frozen=True)
class Columns:
    """Matrix ``products`` whose weight bits stand in memory columns, written by one of the schemes
    of cells.nc: "sequential", "source-line", "word-line", "word-line-follower"."""

    products: tuple[str, ...]
    scheme: str = "sequential"


@dataclass(frozen=True)
class Trained:
    """What the training must have been; None where any will do."""

    network: str | None = None
    mac: str | None = None
    stream_length: int | None = None
    stream_life: str | None = None
    sng_sharing: str | None = None

    def named(self) -> dict[str, str | int]:
        """What is asked for, by its name."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Architecture:
    """How a stochastic computer is laid out.

    ``parallelism``: "unrolled", every product of every layer on a MAC of its own; "layer", one
    layer's products at once, on what all layers share; "row", the products of one stream of a
    product's operand a at once; or how many MACs of a kind there are at most. A product that needs
    more takes several passes, in the ``order`` of its input "rows" or of its "outputs".

    ``binary_clock`` (Hz) is that of everything binary: the ports through which finished counts
    leave their accumulators, the ``update_units`` and the unit of plain products. A scale's
    exponent has ``exponent_bits``. ``write_supply``: where voltages above the core's come from.
    """

    name: str = "unrolled"
    description: str = "every forward product has its own MAC; gradients reuse the same MACs"
    parallelism: str | int = "unrolled"
    order: str = "rows"
    binary_clock: float = 100e6
    update_units: int = 1
    exponent_bits: int = 6
    write_supply: str = "external"
    columns: Columns | None = None
    dac: Dac | None = None
    overheads: tuple[Overhead, ...] = ()
    figures: Figures = field(default_factory=Figures)
    trained: Trained = field(default_factory=Trained)

    @property
    def shared(self) -> bool:
        """Whether layers share MACs, SNGs, accumulators and port."""
        return self.parallelism != "unrolled"


UNROLLED = Architecture()
"""Nothing shared, and nothing around the cells counted."""
