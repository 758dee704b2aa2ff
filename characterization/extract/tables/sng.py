"""The ``sng`` group of cells.nc."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from characterization.extract.conditions import Conditions
from characterization.extract.sng.bench import Bench
from characterization.extract.sng.character import SngCharacter
from characterization.extract.sng.exposure import interpolated_exposure
from characterization.extract.sng.paths import (
    FRACTIONS,
    by_outcome,
    by_outcome_error,
)
from characterization.extract.sng.reset import lag_one, stored_probability
from characterization.extract.tables.errors import budget_of_codes, standard_error
from circuits.part import areas, counts
from circuits.sng.chain import bit_statistics, memory_statistics
from circuits.sng.parts import cell_parts
from circuits.sng.regeneration import pair_options
from devices.technology.costs import charge_pump, level_shifter
from formats.cells import CONDITIONS, ENVIRONMENT, OUTCOMES, PHASES, variable

SIMULATED = "simulated: ngspice transients of the cell"
EXACT = "derived: from the simulated V_cell(t) and the device's law, without sampling"
PAIRS = ("complement", "successive", "parallel")
"""Options for a pair of bits: q and qn of one bit, two cycles of a device, two devices."""
PROBABILITY_STEPS = 256
"""Steps of the inverse map from a probability to a DAC code."""
SIGNALS = {
    "bl": ("v(bl)", "bit line (active electrode)", "V"),
    "be": ("v(be)", "inert electrode", "V"),
    "sense": ("v(sn)", "sense node", "V"),
    "bit": ("v(q)", "output bit", "V"),
    "state": ("v(xdev.s)", "device state (1 LRS, 0 HRS)", "1"),
    "exposure": ("v(xdev.us)", "SET exposure u", "1"),
    "threshold": ("v(ys)", "SET threshold", "1"),
}


@dataclass(frozen=True)
class Converter:
    """The source of the write voltage: ``bits`` of its DAC, ``noise`` (V rms) of the supply."""

    bits: int
    noise: float


def sng_group(
    characters: Sequence[SngCharacter],
    conditions: Conditions,
    interpolation_error: float,
    converter: Converter,
) -> xr.Dataset:
    """The group from one character per condition, in the order of ``conditions``."""
    first = characters[0]
    bench, v = first.bench, first.voltages
    law_free = bench.device.reset is None
    nominal = characters[conditions.nominal]

    def over(
        pick: Callable[[SngCharacter], np.ndarray],
        units: str,
        source: str,
        *extra: str,
    ) -> xr.Variable:
        """A quantity (voltages, extra...) of each character over all conditions."""
        stacked = conditions.stack([np.asarray(pick(c), float) for c in characters])
        # (width, temperature, corner, voltage, extra...) to (voltage, width, temperature, ...)
        return variable((*CONDITIONS, *extra), np.moveaxis(stacked, 3, 0), units, source)

    def environment(pick: Callable[[SngCharacter], float], units: str, source: str) -> xr.Variable:
        stacked = conditions.stack([np.asarray(pick(c), float) for c in characters])
        return variable(ENVIRONMENT, stacked[conditions.nominal_width], units, source)

    def outcomes(c: SngCharacter) -> np.ndarray:
        return by_outcome(c.energies, c.probability, c.reset.probability)

    def outcome_errors(c: SngCharacter) -> np.ndarray:
        return by_outcome_error(c.energies, c.probability, c.reset.probability)

    d2d = f"{bench.device.set.spread.sigma_ln_tau_d2d.source}: D2D of the device"
    ideal = "assumed: ideal RESET" if law_free else EXACT
    sense = "derived: quadrature over log-normal resistances, frozen offset and noise of the latch"
    stuck = "derived: share of (device, amplifier) pairs that read wrong more often than right"
    by_time = "simulated: transients at fractions of the exposure at which the device switches"
    data = {
        "exposure": over(lambda c: c.exposure, "1", EXACT),
        "Ps": over(lambda c: c.probability, "1", EXACT),
        "Ps_stderr": over(
            lambda c: standard_error(c.bench.device.set, c.exposure, c.bench.design.write_time),
            "1",
            "fitted: covariance of the fit; an assumed Ea counts as exact",
        ),
        "Ps_population_mean": over(
            lambda c: c.population.mean, "1", f"derived: {d2d}, R_HRS and transistor mismatch"
        ),
        "Ps_population_p05": over(
            lambda c: c.population.p05, "1", f"derived: {d2d} and transistor mismatch"
        ),
        "Ps_population_p95": over(
            lambda c: c.population.p95, "1", f"derived: {d2d} and transistor mismatch"
        ),
        "sigma_ln_exposure_d2d": over(
            lambda c: c.population.sigma_d2d,
            "1",
            d2d,
        ),
        "sigma_ln_exposure_mismatch": over(
            lambda c: c.population.sigma_mismatch, "1", SIMULATED + " with shifted thresholds"
        ),
        "pi": over(
            lambda c: stored_probability(c.probability, c.reset.probability),
            "1",
            "derived: Ps/(Ps + Pr (1 - Ps))",
        ),
        "lag1": over(
            _lag_one,
            "1",
            "derived: Markov chain of the stored state, memory of the thresholds included",
        ),
        "Pr": environment(lambda c: c.reset.probability, "1", ideal),
        "Pr_population_mean": environment(lambda c: c.reset.mean, "1", ideal),
        "e01": environment(lambda c: c.sense.e01, "1", sense),
        "e10": environment(lambda c: c.sense.e10, "1", sense),
        "e01_stuck": environment(lambda c: c.sense.hrs.stuck, "1", stuck),
        "e10_stuck": environment(lambda c: c.sense.lrs.stuck, "1", stuck),
        "trip_resistance": environment(lambda c: c.sense.flip_resistance, "ohm", SIMULATED),
        "sense_offset": environment(
            lambda c: c.sense.sigma_offset, "V", "derived: sensitivity to each threshold, Pelgrom"
        ),
        "sense_noise": environment(
            lambda c: c.sense.noise, "V", "derived: kT/C at sense node and outputs, upper bound"
        ),
        "set_loss": variable(
            ("loss_voltage",),
            nominal.loss.set_loss,
            "V",
            f"{SIMULATED}: write voltage less V_cell, HRS",
        ),
        "reset_loss": environment(
            lambda c: c.loss.reset_loss[0], "V", f"{SIMULATED}: RESET voltage less |V_cell|, LRS"
        ),
        "energy": over(outcomes, "J", by_time, "phase", "outcome"),
        "energy_stderr": over(
            outcome_errors,
            "J",
            "derived: change of the quadrature when its nodes are halved",
            "phase",
            "outcome",
        ),
        "reset_energy_hrs": over(lambda c: c.energies.reset_hrs, "J", SIMULATED),
        "reset_energy_failed": over(lambda c: c.energies.reset_failed, "J", SIMULATED),
        "reset_energy_switched": over(
            lambda c: c.energies.reset_switched, "J", by_time, "switch_fraction"
        ),
        "write_energy_held": over(lambda c: c.energies.write_held, "J", SIMULATED),
        "write_energy_lrs": over(lambda c: c.energies.write_lrs, "J", SIMULATED),
        "write_energy_switched": over(
            lambda c: c.energies.write_switched, "J", by_time, "switch_fraction"
        ),
        "read_energy": over(lambda c: c.energies.read, "J", SIMULATED, "stored"),
        "reset_exposure": environment(lambda c: c.reset.exposure, "1", EXACT),
        "phase_time": variable(
            ("phase",), list(nominal.bench.design.phase_times), "s", "assumed: cell timing"
        ),
        "leakage_power": environment(lambda c: c.leakage, "W", SIMULATED),
        "area": _area(bench),
    }
    codes = np.concatenate([[0.0], np.linspace(v[0], v[-1], 2**converter.bits - 1)])
    data |= _pairs(nominal)
    data |= _named_costs(nominal)
    data |= _codes(nominal, codes, converter)
    data |= _inverse_map(characters, conditions, codes)
    example = nominal.example
    for name, (vector, label, units) in SIGNALS.items():
        data[f"waveform_{name}"] = variable(("waveform_time",), example[vector], units, SIMULATED)
        data[f"waveform_{name}"].attrs["long_name"] = label
    coordinates = {
        "write_voltage": ("write_voltage", v, {"units": "V"}),
        **conditions.coordinates(),
        "phase": list(PHASES),
        "outcome": list(OUTCOMES),
        "switch_fraction": ("switch_fraction", FRACTIONS, {"units": "1"}),
        "stored": ["hrs", "lrs"],
        "pair_option": list(PAIRS),
        "loss_voltage": ("loss_voltage", nominal.loss.set_drive, {"units": "V"}),
        "code": np.arange(codes.size),
        "probability": np.arange(PROBABILITY_STEPS + 1) / PROBABILITY_STEPS,
        "waveform_time": ("waveform_time", example.time, {"units": "s"}),
    }
    worst = max((c.worst for c in characters), key=lambda s: s.voltage / s.rating)
    attributes = {
        "role": "sng",
        "description": "1T1R CBRAM with drivers and latched sense amplifier, "
        f"{sum(counts(cell_parts(bench.design, bench.technology)).values())} transistors",
        "interpolation_error_P": interpolation_error,
        "population_change_P": max(c.population.change for c in characters),
        "flip_resistance_ohm": nominal.sense.flip_resistance,
        "hrs_nodes": nominal.population.hrs_nodes,
        "terminal": f"the {bench.design.terminal} electrode meets the access transistor",
        "reset_voltage_V": bench.design.reset_voltage,
        "compliance_gate_V": bench.design.compliance_gate,
        "read_voltage_V": bench.design.resolved(bench.technology).read_voltage,
        "reference_V": bench.design.reference,
        "sense_bias_V": bench.design.sense_bias,
        "io_class": bench.technology.io_class if bench.design.path == "io" else "core",
        "io_width_m": bench.design.io_width,
        "phase_order": ",".join(bench.design.order),
        "dac_bits": converter.bits,
        "supply_noise_V": converter.noise,
        "simulated_cycles": sum(sum(c.bench.cycles) for c in characters),
        "worst_stress": str(worst),
    }
    return xr.Dataset(data, coordinates, attributes)


def _lag_one(c: SngCharacter) -> np.ndarray:
    """Correlation of successive stored bits at each write voltage."""
    memory, pr = c.bench.device.set.spread.memory.value, c.reset.probability
    if memory == 0:
        return lag_one(c.probability, pr)
    inner = np.clip(c.probability, 1e-9, 1 - 1e-9)
    return np.array([memory_statistics(float(p), pr, memory).lag1 for p in inner])


def _area(bench: Bench) -> xr.Variable:
    """Area of the cell with the rule it follows from."""
    by_role = areas(bench.technology, cell_parts(bench.design, bench.technology))
    source = (
        f"derived: I/O transistors {bench.technology.io_area_source}; core transistors half an "
        "inverter each at the technology's pitches (assumed)"
    )
    return variable((), sum(by_role.values()), "m2", source)


def _named_costs(nominal: SngCharacter) -> dict[str, xr.Variable]:
    """What a write path above the core supply needs outside the cell, by rule and not simulated.

    The pump is one for the mean current of one SNG that writes at P = 1/2 or the highest P.
    """
    bench, highest = nominal.bench, float(nominal.voltages[-1])
    if bench.design.path != "io" or highest <= bench.technology.supply:
        return {}
    place = int(np.argmin(np.abs(nominal.probability - 0.5)))
    energy = by_outcome(nominal.energies, nominal.probability, nominal.reset.probability)
    mean = float(nominal.probability[place] * energy[place, 1, 1])
    current = mean / (bench.design.write_time * float(nominal.voltages[place]))
    pump = charge_pump(bench.technology, highest, current)
    shifter = level_shifter(bench.technology)
    return {
        "charge_pump_efficiency": variable((), pump.efficiency, "1", pump.source),
        "charge_pump_area": variable((), pump.area, "m2", pump.source),
        "level_shifter_energy": variable((), shifter.energy_per_transition, "J", shifter.source),
        "level_shifter_area": variable((), shifter.area, "m2", shifter.source),
    }


def _pairs(nominal: SngCharacter) -> dict[str, xr.Variable]:
    """Ways to make two bits of p and p, or of p and 1 - p, where the stored bit has p = 1/2."""
    pr, memory = nominal.reset.probability, nominal.bench.device.set.spread.memory.value
    ps = pr / (1 + pr)  # pi = 1/2
    bits = (
        memory_statistics(ps, pr, memory)
        if memory
        else bit_statistics(ps, pr, conditional=nominal.bench.design.conditional_reset)
    )
    options = pair_options(bits)
    return {
        f"pair_{name}": variable(
            ("pair_option",),
            [np.nan if getattr(o, name) is None else float(getattr(o, name)) for o in options],
            "1",
            "derived: Markov chain of the stored state at p = 1/2; energy and time in cycles of "
            "one SNG",
        )
        for name in ("cycles", "devices", "energy", "correlation", "complement_correlation")
    }


def _codes(
    nominal: SngCharacter, codes: np.ndarray, converter: Converter
) -> dict[str, xr.Variable]:
    """Exposure and errors of P for each code of the DAC, at the nominal condition."""
    exposure = np.concatenate(
        [[0.0], interpolated_exposure(nominal.voltages, nominal.exposure, codes[1:])]
    )
    errors = budget_of_codes(nominal, codes, exposure, converter.noise)
    data = {
        "code_voltage": variable(("code",), codes, "V", "derived: equal steps of the DAC"),
        "code_exposure": variable(("code",), exposure, "1", EXACT),
    }
    sources = {
        "dac": "derived: half a step of the DAC times dP/dV",
        "supply": "derived: rms change of P(V) under the stated supply noise, by quadrature",
        "d2d": "derived: rms deviation of P over devices and cells (D2D, mismatch), by quadrature",
        "fit": "fitted: covariance of the fit",
    }
    for name, values in errors.items():
        data[f"code_error_{name}"] = variable(("code",), values, "1", sources[name])
    return data


def _inverse_map(
    characters: Sequence[SngCharacter], conditions: Conditions, codes: np.ndarray
) -> dict[str, xr.Variable]:
    """The code whose stored probability is nearest to each wanted one, at every condition."""
    wanted = np.arange(PROBABILITY_STEPS + 1) / PROBABILITY_STEPS
    nearest, missed = [], []
    for c in characters:
        exposure = interpolated_exposure(c.voltages, c.exposure, codes[1:])
        ps = np.concatenate([[0.0], c.bench.device.set.probability_of_exposure(exposure)])
        pi = stored_probability(ps, c.reset.probability)
        code = np.argmin(np.abs(pi - wanted[:, None]), axis=1)
        nearest.append(code.astype(float))
        missed.append(pi[code] - wanted)
    dimensions = ("probability", *CONDITIONS[1:])
    values = np.moveaxis(conditions.stack(nearest), 3, 0)
    whole = values if np.isnan(values).any() else values.astype(np.int32)
    return {
        "probability_code": variable(dimensions, whole, "1", "derived: nearest stored probability"),
        "probability_code_error": variable(
            dimensions,
            np.moveaxis(conditions.stack(missed), 3, 0),
            "1",
            "derived: stored probability of that code less the wanted one",
        ),
    }
