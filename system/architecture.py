"""The choices of an architecture in one place: what is unrolled, what shared, how wide a word is.

The budget multiplies these choices with the (layer, product) tables of training.nc and the units of
cells.nc; no count of a network stands here. None of the choices is a statement of a publication.
"""

from __future__ import annotations

from dataclasses import dataclass

from formats.errors import InputError


@dataclass(frozen=True)
class Architecture:
    """How a stochastic computer is laid out.

    ``stream_life`` and ``sng_sharing`` are the stream rules this layout builds; the training must
    have used the same ones. Word widths are in bits, ``update_clock`` in Hz.
    """

    name: str
    description: str
    stream_life: str
    sng_sharing: str
    weight_bits: int
    state_bits: int
    gradient_bits: int
    update_units: int
    update_clock: float
    choices: tuple[str, ...]


UNROLLED_LENET5 = Architecture(
    name="unrolled-lenet5",
    description="every forward product has its own MAC; gradients reuse the same MACs",
    stream_life="image",
    sng_sharing="per parameter",
    weight_bits=16,
    state_bits=16,
    gradient_bits=16,
    update_units=1,
    update_clock=100e6,
    choices=(
        "One SNG per parameter, one per activation unit and one per error (gradient) unit; per "
        "layer, as many as its most demanding product asks for.",
        "One physical MAC per product of a layer's largest matrix product; forward, input-gradient "
        "and weight-gradient products of a layer take turns on these MACs.",
        "One accumulator per output unit, as wide as the largest count (stream length times "
        "fan-in) plus a sign bit; the products of a layer take turns on the accumulators, so each "
        "layer owns as many accumulator bits as its most demanding product needs.",
        "Streams are made anew for each (operand, product, image); no stream is stored.",
        "Layers follow one another and nothing is pipelined: a layer's operands are encoded from "
        "the finished counts of the layer before. A product of a layer takes one stream length.",
        "The input gradient and the weight gradient of a layer share its MACs, so they run one "
        "after the other.",
        "Logic that has nothing to do is not clocked; it leaks, and so does every idle SNG.",
        "Weights and optimiser state are 16-bit words in SRAM beside the SNGs, and so are "
        "gradient sums where a batch has more than one image.",
        "One 16-bit binary unit at 100 MHz updates the parameters one after the other.",
    ),
)

ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture for architecture in (UNROLLED_LENET5,)
}


def architecture(name: str) -> Architecture:
    """The architecture called ``name``; raises :class:`InputError` with the names there are."""
    if name not in ARCHITECTURES:
        raise InputError(
            "--architecture",
            f"{name!r} is not known; choose one of {', '.join(sorted(ARCHITECTURES))}",
        )
    return ARCHITECTURES[name]
