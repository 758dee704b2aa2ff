"""A device from fitted laws; what the data cannot give comes from the default table, or from the
device that the fit completes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from characterization.fit.analysis import FitResult
from characterization.fit.conduction.analysis import completed
from characterization.fit.direction import LawFit
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from characterization.fit.observations.base import Observations
from characterization.fit.population.fit import SpreadEstimate
from devices.cbram import CBRAM
from devices.defaults import (
    assumed_endurance,
    assumed_ideal_reset_time,
    assumed_set_law,
    assumed_spread,
)
from devices.law import Spread, SwitchingLaw
from devices.parameter import Parameter
from formats.errors import InputError


def device_of(result: FitResult, name: str, source: str, base: CBRAM | None = None) -> CBRAM:
    """The CBRAM of device.json; ``source`` names the data file in each fitted parameter.

    ``base`` is a device whose laws and resistances stay where the table has none.
    """
    set_law = None if result.set is None else law_of(result.set, source)
    reset_law = None if result.reset is None else law_of(result.reset, source)
    if base is not None:
        if base.voltage_reference != result.circumstances.voltage_reference:
            raise InputError(
                "--into",
                f"is a {base.voltage_reference} device, the table's voltages are those of "
                f"{result.circumstances.voltage_reference}; say which with --voltage-reference, or "
                "take the transistor off with --transistor",
            )
        return replace(
            base,
            name=name,
            set=set_law or base.set,
            reset=reset_law or base.reset,
            conduction=completed(result.conduction.conduction, base.conduction),
        )
    return CBRAM(
        name=name,
        voltage_reference=result.circumstances.voltage_reference,
        set=set_law or assumed_set_law(),
        reset=reset_law,
        ideal_reset_time=assumed_ideal_reset_time(),
        conduction=result.conduction.conduction,
        endurance=assumed_endurance(),
    )


def law_of(fit: LawFit, source: str) -> SwitchingLaw:
    """The switching law of one direction."""
    data = fit.data
    counted = data.trials > 0
    start = data.start[counted][data.start[counted] > 0]
    lowest = float(min(data.voltage[counted].min(), start.min() if start.size else 1e9))
    heat = data.temperature
    reference = fit.chosen.likelihood.reference_temperature
    law = fit.median.law(
        f"fitted to {source}",
        _spread(fit, source),
        (
            (lowest, float(data.voltage.max())),
            _widths(data),
            (reference, reference) if heat is None else (float(heat.min()), float(heat.max())),
        ),
    )
    if fit.bracket is not None:
        law = replace(law, v0=_bracketed(law.v0, fit.bracket.below))
    return law


def _widths(data: Observations) -> tuple[float, float]:
    """Shortest and longest time (s) from a fresh start to an outcome."""
    times = data.history @ data.duration if data.chained else data.duration
    told = times[data.trials > 0]
    return float(told.min()), float(told.max())


def parameters_of(device: CBRAM) -> Iterator[tuple[str, Parameter]]:
    """Every parameter of a device with the name it is shown under."""
    for direction, law in (("SET", device.set), ("RESET", device.reset)):
        if law is None:
            continue
        prefix = "" if direction == "SET" else "RESET "
        yield f"{prefix}tau_ref", law.tau_ref
        yield f"{prefix}V0", law.v0
        if law.shape is not None:
            yield f"{prefix}shape", law.shape
        if law.activation is not None:
            yield f"{prefix}Ea", law.activation
        for field in law.spread.__dataclass_fields__:
            yield f"{prefix}{field}", getattr(law.spread, field)
    yield from device.conduction.parameters()
    yield "ideal_reset_time", device.ideal_reset_time
    yield "endurance", device.endurance


def _spread(fit: LawFit, source: str) -> Spread:
    """Fitted spreads of a population, and memory; else the assumed spread, or none where the law
    is already the marginal over devices."""
    note = f"fitted to {source}"
    spread = assumed_spread()
    remembered = None if fit.dependence is None else fit.dependence.parameter(note)
    mixed = fit.chosen.family is SPREAD_EXPONENTIAL
    if remembered is not None and not mixed:
        spread = replace(spread, memory=remembered)
    if mixed:
        # The scores' correlation is that of the mixture: beside a C2C spread it is no memory.
        what = "C2C" if fit.population is not None else "D2D, C2C and stretching not separable"
        sigma = fit.median.parameter("shape", f"{note}; {what}")
        words = "inside the fitted spread (sigma_ln_tau_c2c)"
        spread = replace(
            spread,
            sigma_ln_tau_c2c=sigma,
            sigma_ln_tau_d2d=Parameter(0.0, "1", "assumed", words),
            memory=Parameter(0.0, "1", "assumed", "not separable from the fitted C2C spread"),
        )
    if fit.population is not None:
        found = fit.population.spreads
        return replace(
            spread,
            sigma_ln_tau_d2d=_estimate(found["sigma_ln_tau"], spread.sigma_ln_tau_d2d, note),
            sigma_ln_v0_d2d=_estimate(found["sigma_ln_V0"], spread.sigma_ln_v0_d2d, note),
            correlation_d2d=_estimate(found["correlation"], spread.correlation_d2d, note),
        )
    if len(fit.by_device.devices) < 2 or mixed:
        return spread
    inside = Parameter(
        0.0,
        "1",
        "assumed",
        "the fitted law is the marginal over devices, so their spread is inside it",
    )
    return replace(spread, sigma_ln_tau_d2d=inside)


def _estimate(found: SpreadEstimate, assumed: Parameter, note: str) -> Parameter:
    """A spread as device.json holds it; assumed where the data refuse it."""
    if found.value is None:
        return assumed
    ends = None if found.interval == (None, None) else found.interval
    words = note if found.status == "fitted" else f"{note}; not needed by BIC, taken as 0"
    return Parameter(found.value, "1", "fitted", words, found.stderr, ends)


def _bracketed(v0: Parameter, below: float) -> Parameter:
    """V0 with the interval that one informative voltage supports, open below."""
    high = v0.ci95[1] if v0.ci95 is not None else None
    return replace(
        v0,
        stderr=None,
        ci95=(None, below if high is None else max(below, high)),
        note=f"{v0.note}; only bracketed: one informative voltage",
    )
