"""The choices of an architecture in one place: what is unrolled, what shared, what takes turns.

The budget multiplies these choices with the (layer, product) tables of training.nc and the units of
cells.nc; no count of a network stands here, and whose the streams are and how wide a register is
are the training's choices, read from training.nc. None of the choices is a statement of a
publication.
"""

from __future__ import annotations

from dataclasses import dataclass

from formats.errors import InputError
from system.bitstream import StreamRules


@dataclass(frozen=True)
class Architecture:
    """How a stochastic computer is laid out.

    ``binary_clock`` (Hz) is that of everything binary: the ports through which finished counts
    leave their accumulators, the ``update_units`` and the unit of plain products. A scale's
    exponent has ``exponent_bits``.
    """

    name: str
    description: str
    update_units: int
    binary_clock: float
    exponent_bits: int
    choices: tuple[str, ...]


UNROLLED_LENET5 = Architecture(
    name="unrolled-lenet5",
    description="every forward product has its own MAC; gradients reuse the same MACs",
    update_units=1,
    binary_clock=100e6,
    exponent_bits=6,
    choices=(
        "One physical MAC per product of a layer's largest product; the products of a layer that "
        "name the same kind of MAC take turns on these MACs, and a layer owns the MACs of each "
        "kind that its products name.",
        "One accumulator per output unit, as wide as the largest count (stream length times "
        "fan-in) plus a sign bit; the products of a layer take turns on the accumulators, so each "
        "layer owns as many accumulator bits as its most demanding product needs.",
        "Layers follow one another and nothing is pipelined: a layer's operands are encoded from "
        "the finished counts of the layer before.",
        "The input gradient and the weight gradient of a layer share its MACs, so they run one "
        "after the other.",
        "Logic that has nothing to do is not clocked; it leaks, and so does every idle SNG.",
        "Weights and optimiser state are words in SRAM beside the SNGs, and so are gradient sums "
        "where a batch has more than one image, activations and errors. Every SNG has an operand "
        "register, loaded from there at the start of a stream, which holds magnitude and sign "
        "while the stream is made.",
        "Finished counts leave the accumulators of a layer one after the other, at 100 MHz, "
        "through the layer's port: a barrel shifter aligns the bias with the count, an adder adds "
        "it to a forward output, a second shifter aligns the sum with the word it is stored in, "
        "and the scale counters see it pass. A shifter has a 2-input multiplexer for each bit of "
        "the layer's widest accumulator and each stage (log2 of that width, rounded up).",
        "Every tensor with a scale (activations, weights, errors, the update's memory, biases) has "
        "a register for the exponent (6 bits with sign), two counters, clocked by every number "
        "that passes, and a comparator (one full adder a bit) for the share of overflows.",
        "One binary unit at 100 MHz writes the parameters one after the other: it adds a finished "
        "count (or what a binary update computed) to its register and rounds the sum to the "
        "register's width at random, with 16 bits of an LFSR.",
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
