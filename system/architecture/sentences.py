"""What an architecture and its streams mean, in sentences a reader can check."""

from __future__ import annotations

from system.architecture.base import Architecture
from system.bitstream import StreamRules

_OWN = (
    "One physical MAC per product of a layer's largest product; the products of a layer that "
    "name the same kind of MAC take turns on these MACs, and a layer owns the MACs of each kind "
    "that its products name.",
    "One accumulator per output unit, as wide as the largest count (stream length times fan-in) "
    "plus a sign bit; the products of a layer take turns on the accumulators, so each layer owns "
    "as many accumulator bits as its most demanding product needs.",
)
_PASSES = (
    "Every stream is made once for its product and image. The SNGs make the streams of a product "
    "evenly over its passes, so a device makes those of several operands, one after the other, and "
    "wears as much more. A stream that products of several passes meet is kept in a stream buffer "
    "(SRAM), written once and read in each pass. The training had a device of its own for every "
    "operand: their spread is the same, whose it is differs.",
)
_ORDERS = {
    "rows": "A pass takes all products of some inputs, so the counts of all outputs of the "
    "product stand in accumulators until its last pass.",
    "outputs": "A pass finishes the outputs whose products fit on the MACs; only their counts "
    "stand in accumulators, and all streams with more than one product are kept in the buffer.",
}


def choices(architecture: Architecture) -> tuple[str, ...]:
    """The assumptions that come with an architecture, ours throughout."""
    shared, binary = architecture.shared, f"{architecture.binary_clock / 1e6:g} MHz"
    port = "port" if shared else "the layer's port"
    units = architecture.update_units
    return (
        *(_sharing(architecture) if shared else _OWN),
        *_columns(architecture),
        "Layers follow one another and nothing is pipelined: a layer's operands are encoded from "
        "the finished counts of the layer before.",
        "The input gradient and the weight gradient of a layer run one after the other, on the "
        "same MACs if they are on MACs.",
        "Logic that has nothing to do is not clocked; it leaks, and so does every idle SNG.",
        "Weights and optimiser state are words in SRAM beside the SNGs, and so are gradient sums "
        "where a batch has more than one image, activations and errors. Every SNG has an operand "
        "register, loaded from there at the start of a stream, which holds magnitude and sign "
        "while the stream is made.",
        f"Finished counts leave the accumulators of a layer one after the other, at {binary}, "
        f"through {port if not shared else 'one ' + port}: a barrel shifter aligns the bias with "
        "the count, an adder adds it to a forward output, a second shifter aligns the sum with the "
        "word it is stored in, and the scale counters see it pass. A shifter has a 2-input "
        "multiplexer for each bit of the widest accumulator and each stage (log2 of that width, "
        "rounded up).",
        "Every tensor with a scale (activations, weights, errors, the update's memory, biases) has "
        f"a register for the exponent ({architecture.exponent_bits} bits with sign), two counters, "
        "clocked by every number that passes, and a comparator (one full adder a bit) for the "
        "share of overflows.",
        f"{'One binary unit' if units == 1 else f'{units} binary units'} at {binary} "
        f"{'writes' if units == 1 else 'write'} the parameters one after the other: a finished "
        "count (or what a binary update computed) is added to its register and the sum rounded to "
        "the register's width at random, with 16 bits of an LFSR.",
        *_supply(architecture),
    )


def _sharing(architecture: Architecture) -> tuple[str, ...]:
    parallelism = architecture.parallelism
    macs = {
        "layer": "One physical MAC for each product of the largest product of all layers, of each "
        "kind of MAC; all layers share them",
        "row": "As many MACs of a kind as one stream of a product's operand a (the activation, in "
        "the input gradient the error) has products, the mean of the product where it is most; all "
        "layers share them, and a product takes as many passes of a stream length as it needs",
    }.get(
        str(parallelism),
        f"At most {parallelism} MACs of a kind, which all layers share; a product takes as many "
        "passes of a stream length as it needs",
    )
    said = (
        f"{macs}. SNGs, accumulators and the port are shared as well: of each there are as many "
        "as the most demanding product needs. Parameters are updated layer after layer.",
    )
    if parallelism == "layer":
        return said
    return (*said, _ORDERS[architecture.order], *_PASSES)


def _columns(architecture: Architecture) -> tuple[str, ...]:
    columns = architecture.columns
    if columns is None:
        return ()
    names = " and ".join(name.replace("_", " ") for name in columns.products)
    return (
        f"The products {names} need no MACs and no SNGs of weights: bits of their weights stand in "
        "memory columns, where all positions read them, in one pass.",
    )


def _supply(architecture: Architecture) -> tuple[str, ...]:
    if architecture.write_supply == "external":
        return ("Write voltages come from external supplies, which cost nothing here.",)
    return (
        "Write voltages come from charge pumps on the chip, one for each SNG that writes at once "
        "(Dickson, of cells.nc); what they lose of the write energy is counted. The RESET voltage "
        "and the DACs' reference are not pumped.",
    )


def stream_choices(rules: StreamRules, batch: int, shared: bool) -> tuple[str, ...]:
    """How devices make and hardware keeps streams under ``rules``, in batches of ``batch`` images,
    where layers have SNGs of their own or ``shared`` ones.

    The rules are those that devices can follow (``refused_by_devices`` is None).
    """
    who = {
        "parameter": "One SNG per parameter",
        "use": "One SNG per product that needs a weight (each position of a convolution its own)",
        "turns": f"One SNG per {rules.group} parameters, neighbours in memory",
    }[rules.kind]
    said = [
        (
            f"The training had {who[0].lower()}{who[1:]}, one per activation unit and one per "
            "error (gradient) unit; here fewer make the same streams, as said below."
            if shared
            else f"{who}, one per activation unit and one per error (gradient) unit; per layer, as "
            "many as its most demanding product asks for."
        )
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
