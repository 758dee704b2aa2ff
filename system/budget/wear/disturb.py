"""What reads and rest do to a stored state, from the device's own law.

A read is a pulse in the polarity of SET: the bit line is at the read voltage and the device lies
between it and the sink. A device in HRS gathers exposure over the read, on top of that of the write
before it (the same polarity does not renew it), and may switch; the probabilities of cells.nc count
exposure up to the sampling of the bit, so this is in them already. LRS is left only in the other
polarity. The whole read voltage for the whole read phase is an upper limit: the sink takes a part,
and the phase has edges and a gap.

A bit is stored from its write to its read only: weights are words in SRAM. What the law says of
longer times is an extrapolation to 0 V, where no law here was ever fitted.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from devices.cbram import CBRAM
from devices.law import SwitchingLaw
from formats.cells import PHASES, Cells

TEN_YEARS = 10 * 365.25 * 86_400.0
"""s."""
DATASHEET = (
    "taken: Adesto RM24C64C CBRAM memory data sheet: retention 10 years, endurance 10,000 writes "
    "(a product's specification, of another device than this one)"
)
HALF = 0.5
"""P of the write whose failures are read as HRS with exposure already gathered."""


@dataclass(frozen=True)
class ReadDisturb:
    """One read of ``voltage`` (V) and ``time`` (s).

    ``hrs`` is P that it SETs a device in HRS without exposure, ``hrs_after_write`` one that a write
    with P = 1/2 has just left in HRS; ``lrs`` P that it RESETs one in LRS.
    """

    voltage: float
    time: float
    hrs: float
    hrs_after_write: float
    lrs: float
    extrapolated: bool

    def per_stream(self, bits: float) -> float:
        """P that any of ``bits`` reads of a device always in HRS switches it: a RESET before each
        write renews it, so that reads are independent. The larger of both P in HRS."""
        worst = max(self.hrs, self.hrs_after_write)
        return -math.expm1(bits * math.log1p(-worst)) if worst < 1 else 1.0


@dataclass(frozen=True)
class Rest:
    """A stored state at rest, at 0 V.

    ``rate_in_use`` (1/s) is the rate the simulators use, which is 0 by the polarity rule; ``tau``
    (s) is what the law's formula gives at 0 V, None where it diverges (no switching at all).
    """

    state: str
    rate_in_use: float
    tau: float | None
    law: SwitchingLaw

    def switched(self, seconds: float) -> float:
        """P that the state is lost after so long, by the formula at 0 V."""
        if self.tau is None:
            return 0.0
        return float(self.law.probability_of_exposure(np.array([seconds / self.tau]))[0])


def device_of(cells: Cells) -> CBRAM:
    """The device of cells.nc."""
    return CBRAM.from_dict(json.loads(str(cells.attributes["device_json"])))


def read_disturb(cells: Cells) -> ReadDisturb | None:
    """Of the read of cells.nc; None where the file does not say its voltage."""
    if "read_voltage_V" not in cells.sng.attrs:
        return None
    names = [str(name) for name in cells.sng["phase"].to_numpy()]
    time = float(cells.sng["phase_time"].to_numpy()[names.index("read")])
    return read_pulse(device_of(cells), float(cells.sng.attrs["read_voltage_V"]), time)


def read_pulse(device: CBRAM, voltage: float, time: float) -> ReadDisturb:
    """What a read of ``voltage`` (V) over the device for ``time`` (s) does, both above 0."""
    law = device.set
    exposure = float(law.rate(np.array([voltage]))[0]) * time
    written = _exposure_at_half(law)
    fresh, before, after = (
        float(value)
        for value in law.probability_of_exposure(np.array([exposure, written, written + exposure]))
    )
    opposite = float(device.reset_rate(np.array([-voltage]))[0]) * time
    if device.reset is None:
        lost = min(1.0, opposite)
    else:
        lost = float(device.reset.probability_of_exposure(np.array([opposite]))[0])
    low, high = law.valid_voltage
    short, long = law.valid_width
    outside = not (low <= voltage <= high and short <= time <= long)
    return ReadDisturb(voltage, time, fresh, (after - before) / (1 - before), lost, outside)


def rests(device: CBRAM) -> tuple[Rest, ...]:
    """HRS, and LRS where the device has a law of RESET."""
    found = [Rest("HRS", _at_rest(device.set), _tau(device.set), device.set)]
    if device.reset is not None:
        found.append(Rest("LRS", _at_rest(device.reset), _tau(device.reset), device.reset))
    return tuple(found)


def bit_time(cells: Cells) -> float:
    """s of a whole bit; a state waits for its read for less."""
    names = [str(name) for name in cells.sng["phase"].to_numpy()]
    times = cells.sng["phase_time"].to_numpy()
    return float(sum(times[names.index(name)] for name in PHASES))


def _exposure_at_half(law: SwitchingLaw) -> float:
    """Exposure of a write with P = 1/2; numerically, as a family's inverse takes long to derive."""

    def above(ln_exposure: float) -> float:
        return float(law.probability_of_exposure(np.exp([ln_exposure]))[0]) - HALF

    return math.exp(float(brentq(above, -300.0, 300.0, xtol=1e-12)))


def _at_rest(law: SwitchingLaw) -> float:
    return float(law.rate(np.array([0.0]))[0])


def _tau(law: SwitchingLaw) -> float | None:
    tau: Any = law.tau0
    return tau if math.isfinite(tau) else None
