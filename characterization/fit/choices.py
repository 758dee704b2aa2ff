"""What a user can choose about a fit; the command line and ``fit_table`` both make one of these."""

from __future__ import annotations

from dataclasses import dataclass, field

from characterization.fit.inference.limits import Limits
from devices.accelerations import ACCELERATIONS, Acceleration
from devices.families import FAMILIES, Family
from devices.parameter import Parameter
from formats.errors import InputError

BY_OPTION = {a.option: a for a in ACCELERATIONS.values()}


@dataclass(frozen=True)
class Choices:
    """The options of one fit; None means: decide from the data.

    ``kind`` one of the four; ``family`` and ``acceleration`` a name or "auto"; ``floor`` and
    ``lapse`` fit false and missed switches (pulses); ``start_above`` (SET) and ``start_below``
    (RESET) the resistance (ohm) a row must start beyond, ``switched_below`` (SET) and
    ``switched_above`` (RESET) that it must end beyond to have switched, each a number or "auto";
    ``thresholds`` (ohm) at which the fit is repeated; ``where`` rows to use; ``reset_polarity``
    "signed" or "magnitude"; ``ramp_rate`` (V/s) and ``voltage_step`` (V) of cycling records;
    ``v0_temperature`` "proportional", "fixed" or "auto"; ``spread`` False leaves devices pooled;
    ``transistor`` (``kp=..,vth=..``) takes the voltage across an access transistor off;
    ``limits`` bound or fix parameters; ``c2c`` fits the cycle-to-cycle spread of ln tau beside the
    exponential family; ``r_hrs`` is the HRS (ohm) of a known device, where a graded RESET ends.
    """

    kind: str | None = None
    family: str = "auto"
    acceleration: str = "exp"
    floor: bool = False
    lapse: bool = False
    start_above: float | str | None = None
    start_below: float | str | None = None
    switched_below: float | str | None = None
    switched_above: float | str | None = None
    thresholds: tuple[float, ...] = ()
    where: str | None = None
    voltage_reference: str | None = None
    reset_polarity: str = "signed"
    ramp_rate: float | None = None
    voltage_step: float | None = None
    v0_temperature: str = "auto"
    spread: bool = True
    c2c: bool = False
    transistor: str | None = None
    limits: Limits = field(default_factory=dict)
    r_hrs: Parameter | None = None
    seed: int = 0

    def accelerations(self) -> list[Acceleration]:
        """Those to fit; raises :class:`InputError` for an unknown name."""
        if self.acceleration == "auto":
            return list(BY_OPTION.values())
        if self.acceleration not in BY_OPTION:
            raise InputError(
                "--acceleration",
                f"{self.acceleration!r} is not one of auto, {', '.join(BY_OPTION)}",
            )
        return [BY_OPTION[self.acceleration]]

    def families(self) -> list[Family]:
        """Those to fit, the one without shape first; raises :class:`InputError`."""
        if self.family == "auto":
            return sorted(FAMILIES.values(), key=lambda f: f.has_shape)
        if self.family not in FAMILIES:
            raise InputError(
                "--family", f"{self.family!r} is not one of auto, {', '.join(FAMILIES)}"
            )
        return [FAMILIES[self.family]]
