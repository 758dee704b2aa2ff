"""Inputs of the SNG: the fit of its device, the device's resistances, and how devices differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from devices.cbram import CBRAM
from devices.law import normal_quadrature
from devices.parameter import Parameter
from formats.cells import Cells
from formats.device import parse_device
from formats.training import Training
from system.budget.calibration import errors, trim_bits
from system.budget.lines import NORMAL_95, Line
from system.budget.sng import SngTable, conditions
from system.budget.uncertainty.altered import Written
from system.budget.uncertainty.figures import Mixture, Part
from system.budget.uncertainty.inputs import Curve, Effect, Input, LogNormal, curve, factor

KNOTS = (-2.0, 0.0, 2.0)
"""z at which curves are computed. At 0 the table is the bill's, but for the mean over devices."""
_DEVICES = 15
"""Gauss-Hermite nodes over devices."""
_WRITE_CURRENT = factor(
    "write current",
    1.2,
    "assumed: the saturation current of the access transistor, which limits the LRS current, is "
    "that of our own card and its gate voltage; Ion of the card lies within 5 % of its target",
)
SNGS = "SNGs"
"""The group of the lines whose count is one of devices."""
Price = Callable[[SngTable], Sequence[Line]]
"""The lines whose energy the table of the SNG makes."""
Key = tuple[str, str]
"""A line's item, and energy_inference or energy_training."""
ENERGIES = ("energy_inference", "energy_training")


@dataclass(frozen=True)
class Generator:
    """What moves the energy of the lines of SNGs.

    ``parts`` are their energies while the device is in HRS, while it is in LRS, and the rest, each
    with its inputs; ``curves`` those of inputs that move a whole line, ``idle`` inputs whose spread
    is not known.
    """

    parts: Mapping[Key, Mixture]
    curves: Sequence[tuple[Input, Mapping[Key, Curve]]]
    idle: tuple[Input, ...]


def written(cells: Cells, table: SngTable) -> tuple[Written, CBRAM]:
    """The write of the SNG, and its device; raises :class:`InputError` where there is none."""
    content = parse_device(
        str(cells.attributes["device_json"]), f"{cells.path}, attribute device_json"
    )
    device, at = CBRAM.from_dict(content), cells.sng.isel(conditions(cells))
    order = np.argsort(np.asarray(cells.sng["write_voltage"].to_numpy(), float))
    law = device.set
    if law.activation is not None:
        law = law.at_temperature(table.temperature)
    made = Written(
        table,
        law,
        np.maximum(np.asarray(at["exposure"].to_numpy(), float)[order], 1e-300),
        float(at["Pr"]),
        table.pulse_width,
        device.conduction.r_hrs.value,
        device.conduction.r_lrs.value,
    )
    return made, device


def of_generator(
    cells: Cells,
    training: Training,
    table: SngTable,
    price: Price,
    corner: tuple[Input, float] | None,
) -> Generator:
    """All inputs of the SNG.

    ``corner``: the input whose z moves the write current in LRS by so much in ln, None where the
    corners are priced elsewhere. Raises :class:`InputError` for a broken device.
    """
    write, device = written(cells, table)
    nominal = price(table)
    fitted, idle = _fit(write, nominal, price)
    return Generator(
        _parts(write, device, nominal, price, corner),
        [*fitted, *_devices(cells, training, write, device, nominal, price)],
        idle,
    )


def _energies(lines: Sequence[Line]) -> dict[Key, float]:
    return {
        (line.item, name): float(getattr(line, name))
        for line in lines
        for name in ENERGIES
        if getattr(line, name) > 0
    }


def _curves(
    write: Written, tables: Mapping[float, SngTable], nominal: Sequence[Line], price: Price
) -> dict[Key, Curve]:
    """Curves of all lines through their energies with the tables at some z."""
    whole = _energies(nominal)
    priced = [
        whole if table is write.table else _energies(price(table)) for table in tables.values()
    ]
    return {
        key: curve(tuple(tables), [energies[key] for energies in priced], energy)
        for key, energy in whole.items()
    }


Moving = list[tuple[Input, Mapping[Key, Curve]]]


def _fit(write: Written, nominal: Sequence[Line], price: Price) -> tuple[Moving, tuple[Input, ...]]:
    """The fitted parameters of the SET law, each with its part that the ones before leave free."""
    law = write.law
    order = [name for name in law.covariance_order if name in ("tau_ref", "V0", "shape")]
    if not order:
        said = law.tau_ref.note or "no fit"
        none = Input(
            "device fit",
            "none: the device states no covariance",
            None,
            f"{law.tau_ref.source}: parameters without an error ({said}); their uncertainty is in "
            "no interval",
        )
        return [], (none,)
    places = [law.covariance_order.index(name) for name in order]
    root = _root(np.array(law.covariance)[np.ix_(places, places)])

    def table(shift: np.ndarray) -> SngTable:
        by = dict(zip(order, np.exp(shift), strict=True))
        moved = law.with_values(
            law.tau_ref.value * by.get("tau_ref", 1.0),
            law.v0.value * by.get("V0", 1.0),
            law.shape_value * by.get("shape", 1.0),
        )
        return write.slower(moved.ln_tau(write.voltages) - law.ln_tau(write.voltages), moved)

    found: Moving = []
    for column, name in enumerate(order):
        before = f", apart from {' and '.join(order[:column])}" if column else ""
        sigma = float(root[column, column])
        one = Input(
            f"device fit, {name}",
            f"log-normal{before}; moves the write voltage that a wanted probability takes",
            sigma,
            "fitted: covariance of the SET law in device.json",
        )
        tables = {z: table(root[:, column] * z) if z else write.table for z in KNOTS}
        found.append((one, _curves(write, tables, nominal, price)))
    return found, ()


def _root(covariance: np.ndarray) -> np.ndarray:
    """Lower triangular square root of a covariance, which may be singular."""
    size = len(covariance)
    root = np.zeros((size, size))
    for j in range(size):
        left = covariance[j, j] - root[j, :j] @ root[j, :j]
        root[j, j] = math.sqrt(max(left, 0.0))
        for i in range(j + 1, size):
            if root[j, j] > 0:
                root[i, j] = (covariance[i, j] - root[i, :j] @ root[j, :j]) / root[j, j]
    return root


def _parts(
    write: Written,
    device: CBRAM,
    nominal: Sequence[Line],
    price: Price,
    corner: tuple[Input, float] | None,
) -> dict[Key, Mixture]:
    """R_HRS, whose current flows in every pulse that switches nothing, R_LRS, and the transistor
    that limits the current in LRS."""
    moving_lrs: list[tuple[Input, Effect]] = [
        (_WRITE_CURRENT, LogNormal(_WRITE_CURRENT.sigma or 0.0))
    ]
    if corner is not None:
        moving_lrs.append((corner[0], LogNormal(corner[1])))
    whole, none = _energies(nominal), -np.inf
    without = [
        _energies(price(table))
        for table in (write.conducting(ln_hrs=none), write.conducting(ln_lrs=none))
    ]
    hrs, lrs = (
        _resistance(name, parameter, times)
        for name, parameter, times in (
            ("R_HRS", device.conduction.r_hrs, 10.0),
            ("R_LRS", device.conduction.r_lrs, 3.0),
        )
    )
    moved = [
        {z: _energies(price(table(one.sigma * z))) if z else whole for z in KNOTS if one.sigma}
        for one, table in (
            (hrs, lambda ln: write.resisting(ln_hrs=ln)),
            (lrs, lambda ln: write.resisting(ln_lrs=ln)),
        )
    ]
    found = {}
    for key, energy in whole.items():
        parts = [energy - rest.get(key, 0.0) for rest in without]
        mixture = [Part(1.0 - sum(parts) / energy)]
        for part, one, at, others in zip(parts, (hrs, lrs), moved, ([], moving_lrs), strict=True):
            effects = list(others)
            if at and part > 1e-9 * energy:
                values = [part + energies[key] - energy for energies in at.values()]
                effects.append((one, curve(KNOTS, values, part)))
            mixture.append(Part(part / energy, tuple(effects)))
        found[key] = tuple(mixture)
    return found


def _resistance(name: str, parameter: Parameter, times: float) -> Input:
    """A resistance of the device; where it has no error, known within a factor ``times``."""
    sigma = _sigma(parameter)
    if sigma is not None:
        return Input(name, "log-normal", sigma, f"fitted: {name} of device.json")
    note = f" ({parameter.note})" if parameter.note else ""
    return factor(name, times, f"assumed: {name} is {parameter.source}{note}, without an error")


def _sigma(parameter: Parameter) -> float | None:
    """Standard deviation of the logarithm of a fitted parameter; None where it has no error."""
    if not parameter.value:
        return None
    if parameter.stderr is not None:
        return parameter.stderr / abs(parameter.value)
    low, high = parameter.ci95 or (None, None)
    if low is None or high is None or not 0 < low <= high:
        return None
    return math.log(high / low) / (2 * NORMAL_95)


def _devices(
    cells: Cells,
    training: Training,
    write: Written,
    device: CBRAM,
    nominal: Sequence[Line],
    price: Price,
) -> Moving:
    """D2D: the mean over devices differs from the nominal device, and each chip has its own.

    A code is that of the nominal device; others switch with another probability and energy there.
    The mean over all devices moves the energy (by Jensen's inequality), the devices of one chip
    scatter about it with the standard deviation of one over the root of their number.
    """
    spread, trimmed = _spread_of_ln_tau(cells, training, write)
    stated = device.set.spread.sigma_ln_tau_d2d
    own = _sigma(stated)
    sigma = math.log(2.0) / NORMAL_95 if own is None else own
    if not np.any(spread > 0) and not _resistance_spread(device):
        return []
    mean = Input(
        "D2D, mean over devices",
        f"sigma of ln tau {float(np.median(spread)):.3g}{trimmed}, "
        + ("a factor 2 either way at 95 %" if own is None else "log-normal")
        + "; the value is that of the nominal device",
        sigma,
        f"{stated.source}: D2D of the device"
        + (f" ({stated.note})" if stated.note else "")
        + ", spread of its resistances",
    )
    tables = {}
    for z in KNOTS:
        average, _ = _over_devices(write, device, spread * math.exp(sigma * z))
        tables[z] = write.added(average - write.mean(write.table))
    found: Moving = [(mean, _curves(write, tables, nominal, price))]
    _, deviation = _over_devices(write, device, spread)
    one = _energies(price(write.added(deviation)))
    whole = _energies(nominal)
    for line in nominal:
        drawn = {}
        for name in ENERGIES:
            key = (line.item, name)
            if key in whole and line.group == SNGS:
                sd = (one[key] / whole[key] - 1) / math.sqrt(line.count)
                drawn[key] = Curve((-1.0, 1.0), (-sd, sd))
        if drawn:
            source = f"derived: D2D of the device ({stated.source}) over the root of the number"
            words = f"log-normal, the sum of {line.count:,.0f} devices that differ independently"
            largest = max(bend.ln[1] for bend in drawn.values())
            found.append((Input(f"D2D, devices drawn, {line.item}", words, largest, source), drawn))
    return found


def _resistance_spread(device: CBRAM) -> bool:
    conduction = device.conduction
    return bool(conduction.sigma_ln_r_hrs.value or conduction.sigma_ln_r_lrs.value)


def _spread_of_ln_tau(cells: Cells, training: Training, write: Written) -> tuple[np.ndarray, str]:
    """Standard deviation over SNGs of ln exposure at each voltage, after a calibration if any."""
    at = cells.sng.isel(conditions(cells))
    order = np.argsort(np.asarray(cells.sng["write_voltage"].to_numpy(), float))
    names = ("sigma_ln_exposure_d2d", "sigma_ln_exposure_mismatch")
    if all(name in at for name in names):
        parts = [np.asarray(at[name].to_numpy(), float)[order] for name in names]
        spread = np.hypot(*parts)
    else:
        spread = write.law.sigma_ln_tau_d2d(write.voltages)
    if not trim_bits(training):
        return spread, ""
    before, after = errors(training, "rms_ln_tau")
    left = after / before if before else 1.0
    return spread * left, " (what the calibration of training.nc leaves)"


def _over_devices(
    write: Written, device: CBRAM, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation over devices of the energy (J) of a bit at each voltage.

    Devices differ in ln tau by ``sigma`` and, independently, in their resistances.
    """
    nodes, weights = normal_quadrature(_DEVICES)
    energies = np.array([write.mean(write.slower(sigma * z)) for z in nodes])
    conduction = device.conduction
    resisting = []
    for spread, hrs in ((conduction.sigma_ln_r_hrs.value, 1), (conduction.sigma_ln_r_lrs.value, 0)):
        shifts = [
            write.mean(write.resisting(hrs * spread * z, (1 - hrs) * spread * z)) for z in nodes
        ]
        resisting.append(np.array(shifts) - write.mean(write.table))
    mean, variance = np.zeros(sigma.size), np.zeros(sigma.size)
    for values in (energies, *resisting):
        centre = weights @ values
        mean += centre
        variance += weights @ (values - centre) ** 2
    return mean, np.sqrt(variance)
