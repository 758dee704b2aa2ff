"""What a run trains on: the plan of each epoch, the generators at a condition, and the mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from formats.cells import Cells
from formats.errors import InputError
from system.arithmetic import Generators
from system.arithmetic.calibration import Calibration
from system.networks import Layer
from system.train.options import TrainOptions
from system.train.plan import SHORTEST, Plan, exact_reason, plans
from system.train.progressive import at_length


@dataclass(frozen=True)
class Hardware:
    """What is trained: the plan of each epoch, the generators, and the mode.

    ``mode`` is that of the stochastic products ("moments" or "exact"), ``reason`` says why the
    moments do not hold (None: they do). ``calibration`` is None where no SNG is trimmed.
    """

    cells: Cells
    mac: str
    plans: tuple[Plan, ...]
    mode: str
    reason: str | None
    generators: Generators
    calibration: Calibration | None


def hardware_of(cells: Cells, options: TrainOptions, layers: Sequence[Layer]) -> Hardware:
    """What the options say of the hardware; raises :class:`InputError` for what cannot be."""
    mac = str(cells.attributes["default_mac"]) if options.mac is None else options.mac
    cells.mac(mac)
    conditions = options.conditions
    generators = Generators.from_cells(cells, conditions=conditions)
    chosen = plans(
        [layer.name for layer in layers],
        from_image=[layer.name for layer in layers if layer.from_image],
        mac=mac,
        length=options.stream_length,
        rules=options.products,
        schedule=options.schedule,
        epochs=options.epochs,
    )
    if options.mode == "float":
        chosen = tuple(plan.forward_only() for plan in chosen)
    if options.rule == "adam":
        chosen = tuple(plan.with_binary_update() for plan in chosen)
    if not chosen[-1].streamed:
        raise InputError("--product", "leaves no product on streams: there is nothing to simulate")
    if options.progressive:
        at_length(chosen[-1], SHORTEST)  # refuses a plan without forward streams
    reason = exact_reason(cells, generators, options.rules, chosen[-1])
    mode = "exact" if options.mode == "exact" or reason is not None else "moments"
    calibration = None
    if options.calibrate:
        nominal = Generators.from_cells(cells, conditions=conditions.at_nominal)
        calibration = Calibration.plan(nominal, options.calibrate, options.trim_bits)
    return Hardware(cells, mac, chosen, mode, reason, generators, calibration)


def times_slower(generators: Generators) -> float:
    """Time of exact training over that by moments at 256 bits.

    Measured with LeNet-5 on 2 cores, batches of 32, rounded (independent bits: 23 times in
    benchmarks/bitstream.py; the others while the machine was busy); in proportion to the length of
    the streams (assumed).
    """
    if generators.law.spread.memory.value:
        return 300.0
    return 40.0 if generators.read_out.reset < 1 else 25.0
