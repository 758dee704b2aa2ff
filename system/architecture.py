"""The choices of an architecture in one place: what is unrolled, what shared, how wide a word is.

The budget multiplies these choices with the (layer, product) tables of training.nc and the units of
cells.nc; no count of a network stands here, and whose the streams are is the training's choice,
read from training.nc. None of the choices is a statement of a publication.
"""

from __future__ import annotations

from dataclasses import dataclass

from formats.errors import InputError
from system.bitstream import StreamRules


@dataclass(frozen=True)
class Architecture:
    """How a stochastic computer is laid out: word widths in bits, ``update_clock`` in Hz."""

    name: str
    description: str
    weight_bits: int
    state_bits: int
    gradient_bits: int
    update_units: int
    update_clock: float
    choices: tuple[str, ...]


UNROLLED_LENET5 = Architecture(
    name="unrolled-lenet5",
    description="every forward product has its own MAC; gradients reuse the same MACs",
    weight_bits=16,
    state_bits=16,
    gradient_bits=16,
    update_units=1,
    update_clock=100e6,
    choices=(
        "One physical MAC per product of a layer's largest matrix product; forward, input-gradient "
        "and weight-gradient products of a layer take turns on these MACs.",
        "One accumulator per output unit, as wide as the largest count (stream length times "
        "fan-in) plus a sign bit; the products of a layer take turns on the accumulators, so each "
        "layer owns as many accumulator bits as its most demanding product needs.",
        "Layers follow one another and nothing is pipelined: a layer's operands are encoded from "
        "the finished counts of the layer before.",
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


def stream_choices(rules: StreamRules, batch: int) -> tuple[str, ...]:
    """How devices make and hardware keeps streams under ``rules``, in batches of ``batch`` images.

    The rules are those that devices can follow (``refused_by_devices`` is None).
    """
    who = {
        "parameter": "One SNG per parameter",
        "use": "One SNG per product that needs a weight (each position of a convolution its own)",
        "turns": f"One SNG per {rules.group} parameters, neighbours in memory",
    }[rules.kind]
    said = [
        f"{who}, one per activation unit and one per error (gradient) unit; per layer, as many as "
        "its most demanding product asks for."
    ]
    if rules.kind == "turns":
        said.append(
            f"The {rules.group} weights of an SNG take turns in each clock: its device makes a bit "
            "for one after the other (no more turns than a layer has weights), each from its word "
            "of the weight memory and at its write voltage, while the SNGs of activations and "
            "errors hold their bits in their latches. So a clock of a product with "
            f"weights lasts {rules.group} bit times, of any other product one; a product takes one "
            "stream length. Accumulators are clocked in every turn (an upper estimate), and all "
            "MACs are built, since the weight gradient needs them at once."
        )
    else:
        said.append("A product of a layer takes one stream length.")
    made = rules.made_per_image(batch)
    if made < 1:
        said.append(
            f"A weight's stream is made for the first image of its life ({rules.life_text}; "
            f"{made:.4g} are made per image in batches of {batch}, which inference is costed in "
            "too) and kept in SRAM, one bit for each clock, product and weight, from which the "
            "later images read it: images still follow one another. (Side by side on one stream "
            "they would need as many times the MACs, accumulators and activation SNGs instead.) "
            "Streams of activations and errors are made anew for each image."
        )
    else:
        said.append(
            "Streams are made anew for each (operand, product, image); none outlives its image."
        )
    return tuple(said)


def architecture(name: str) -> Architecture:
    """The architecture called ``name``; raises :class:`InputError` with the names there are."""
    if name not in ARCHITECTURES:
        raise InputError(
            "--architecture",
            f"{name!r} is not known; choose one of {', '.join(sorted(ARCHITECTURES))}",
        )
    return ARCHITECTURES[name]
