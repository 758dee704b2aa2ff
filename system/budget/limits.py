"""What the budget assumes and what it leaves out, in sentences a reader can check."""

from __future__ import annotations

import math

from formats.cells import Cells
from formats.training import Training
from system.architecture import Architecture, stream_choices
from system.budget.lines import Timing
from system.budget.sng import SngTable
from system.budget.update import UpdateRule
from system.budget.workload import Workload

KINDS = ("parameter", "activation", "error")


def assumptions(
    cells: Cells,
    training: Training,
    architecture: Architecture,
    *,
    work: Workload,
    table: SngTable,
    rule: UpdateRule,
    timing: Timing,
) -> tuple[str, ...]:
    """The assumptions behind the lines, ours throughout."""
    mac = str(training.attributes["mac"])
    fan_in = cells.mac(mac).attrs["fan_in"]
    phases = [f"{name} {float(time):.3g} s" for name, time in _phase_times(cells)]
    return (
        "The layout is an assumption of this project and no statement of the publication it is "
        "compared with.",
        *stream_choices(work.rules, work.batch_size),
        *architecture.choices,
        f"One bit takes {timing.bit:.4g} s: {', '.join(phases)} (cells.nc sng/phase_time).",
        f"The SNG is read at {table.temperature:g} K, corner {table.corner}, write pulse "
        f"{table.pulse_width:.3g} s; an SNG bit is priced at the mean bit probability of its "
        "(layer, product), not over the distribution of probabilities.",
        "An operand of mean probability 0 gets no write pulse; its RESET and read still happen.",
        f"MAC energy per product bit is that of the simulated {mac} with fan-in {fan_in}, used for "
        "every fan-in of the network.",
        "Accumulators: full adders are driven by equally likely input transitions and half of the "
        "flip-flops toggle at each clock; high-order bits move less, so this is an upper estimate.",
        "Memory: bare bit cells; the energy of a register access stands for an SRAM access.",
        f"The update is read from the optimiser's description as {rule.name!r}: {rule.formula}; "
        "its cost is spread over the images of a batch.",
        "Operands are scaled by powers of two from the largest value of the batch at hand, also at "
        "test time; hardware would take them from past batches.",
        "The network's training settings (rate, gradient norm, saturation, epochs) were chosen by "
        "watching the 1,000 default test images: accuracies on those are a little optimistic, "
        "alike for both arithmetics.",
        "Leakage flows at all times in every part, also in those that wait for their turn.",
    )


def not_modelled(
    cells: Cells, training: Training, work: Workload, dacs_counted: bool
) -> tuple[str, ...]:
    """What stands in no line; each is missing from the totals, which are lower for it."""
    generators = math.fsum(n for kind in KINDS for n in work.generators(kind).values())
    codes = cells.sng.sizes["code"]
    missing = [
        "Wires: no area, no capacitance, no repeaters; cells are packed without gaps.",
        "Clock tree, control and addressing logic, test and configuration.",
        "Operand multiplexers and reduction trees: the MACs serve forward and both gradient "
        "products in turn, and each sums other products. Two MUX2 per MAC alone would add "
        f"{_multiplexers(cells, work):.3g} mm2.",
        "Charge pumps or external supplies of the write voltages: their area and losses.",
        "Level shifters between the core logic and the write path, beyond those in the SNG cell.",
        "SRAM periphery (decoders, sense amplifiers), the table from value to write-voltage code.",
        "Bias additions, activation functions, pooling, loss and softmax, scaling of counts back "
        "to stream probabilities: binary logic on finished counts.",
        "Image input and output; write-verify, calibration or replacement of worn devices.",
    ]
    if not dacs_counted:
        missing.insert(
            0,
            f"Write-voltage DACs: each of the {generators:,.0f} SNGs needs one of {codes} write "
            "voltages, for which no published figure of this kind is at hand. Every um2 per SNG "
            f"would add {generators * 1e-6:.3g} mm2, every pJ per conversion "
            f"{1e-12 * _conversions(work):.3g} J per training step; --dac-area-um2 and "
            "--dac-energy-pJ count them.",
        )
    if str(training.attributes["adder"]) == "mux":
        missing.append("Select streams of the MUX adders and the SNGs that make them.")
    return tuple(missing)


def _multiplexers(cells: Cells, work: Workload) -> float:
    """Area (mm2) of two 2-input multiplexers a MAC."""
    return 2 * work.macs() * float(cells.groups["mux2"]["area"]) * 1e6


def _conversions(work: Workload) -> float:
    return math.fsum(work.settings(kind, work.products) for kind in KINDS)


def _phase_times(cells: Cells) -> list[tuple[str, float]]:
    times = cells.sng["phase_time"]
    return list(
        zip((str(name) for name in times["phase"].to_numpy()), times.to_numpy(), strict=True)
    )
