"""When things happen: bit time, latencies, and the frame rate that can be kept."""

from __future__ import annotations

import math

from formats.cells import PHASES, Cells
from formats.errors import InputError
from system.architecture import Architecture
from system.budget.lines import Timing
from system.budget.workload import Workload


def schedule(
    cells: Cells, work: Workload, mac_delay: float, architecture: Architecture, rate: float
) -> Timing:
    """Times (s) of the unpipelined schedule and the training steps per second that it keeps.

    One bit is a RESET, a write and a read phase (or the MAC's delay, were that longer). A clock of
    a stream takes one bit time, or one for each weight that takes turns on a generator; a product
    of a layer takes one stream length, one product after the other; the update follows, spread over
    the images of a batch.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise InputError("--frame-rate", f"is {rate:g}, expected images per second above 0")
    times = cells.sng["phase_time"]
    names = [str(name) for name in cells.sng["phase"].to_numpy()]
    phases = math.fsum(float(times[names.index(name)]) for name in PHASES)
    bit = max(phases, mac_delay)
    if bit <= 0:
        raise InputError(cells.path, "sng/phase_time is 0 for every phase")
    product = bit * work.stream_length
    update = work.parameters / (
        work.batch_size * architecture.update_units * architecture.update_clock
    )
    inference = product * sum(each.turns for each in work.forward)
    step = product * sum(each.turns for each in work.products) + update
    return Timing(bit, inference, step, rate, min(rate, 1.0 / step))
