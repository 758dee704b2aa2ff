"""The key ``wear`` of report.json: how devices are used, when they fail, what that does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from formats.cells import Cells
from formats.training import STUCK, Training
from system.budget.accuracy import wilson
from system.budget.lines import Budget
from system.budget.sng import conditions, sng_table
from system.budget.wear.disturb import (
    DATASHEET,
    TEN_YEARS,
    ReadDisturb,
    bit_time,
    device_of,
    read_disturb,
    rests,
)
from system.budget.wear.endurance import TABLE, Endurance
from system.budget.wear.failure import (
    Rates,
    failed_share,
    first_failure,
    hazard,
    images_to_share,
    survival,
)
from system.budget.wear.shared import EVERY_LAYER, groups_of_training, shared_groups
from system.budget.wear.sharing import UnderRules, comparison
from system.budget.wear.use import (
    Group,
    epoch_images,
    inference_groups,
    named,
    recorded_images,
)
from system.budget.workload import COLUMN, KINDS

SHARES = {"first": None, "per_mille": 1e-3, "percent": 1e-2}
"""The times of a row: the first device (the median), 0.1 % and 1 % of all (expected)."""
SENSITIVITY = (("weibull", (1.0, 2.0, 4.0, 8.0)), ("lognormal", (0.25, 0.5, 1.0)))
_CURVE_POINTS = 49
_DERIVED = "derived: order statistics of the devices' use and the endurance's distribution, exact"
_SPREAD = {
    "ranks": "by rank, as training.nc recorded",
    "two": "one device at the recorded most, all others at the mean of the rest",
    "none": "not known: all at the mean",
    "shared": "a device makes streams of many operands in turn: all of a product's alike (assumed)",
}


@dataclass(frozen=True)
class _Clock:
    """Images an epoch (None: has none), and images a second."""

    epoch: float | None
    rate: float


def wear(cells: Cells, training: Training, bill: Budget, endurance: Endurance) -> dict[str, Any]:
    """The content of the key; raises :class:`InputError` where recorded cycles are no numbers."""
    table = sng_table(cells)
    reset = float(cells.sng.isel(conditions(cells))["Pr"])
    trained = groups_of_training(training, bill.layout, table, reset)
    if bill.layout.architecture.shared:
        inferring = shared_groups(bill.layout, bill.workload.forward, table, reset)
    else:
        inferring = inference_groups(bill.workload, table, reset, trained)
    timing = bill.timing
    uses = {"training": trained, "inference": inferring}
    clocks = {
        "training": _Clock(epoch_images(training), timing.rate),
        "inference": _Clock(None, min(timing.requested_rate, 1 / timing.inference)),
    }
    present = {use: groups for use, groups in uses.items() if _all(groups).most > 0}
    first = next(iter(present), None)
    return {
        "endurance": {
            "law": endurance.law,
            "characteristic_cycles": endurance.value,
            "shape": endurance.shape,
            "text": endurance.describe(),
            "source": endurance.source,
            "shape_source": endurance.shape_source,
        },
        "use": [
            _group(use, group, training)
            for use, groups in present.items()
            for group in groups
            if group.pulses.most > 0
        ],
        "table": [
            row
            for use, groups in present.items()
            for own, law in (
                *((False, endurance.at(cycles)) for cycles in TABLE),
                (True, endurance),
            )
            for row in _rows(use, groups, law, clocks[use], own)
        ],
        "shapes": [] if first is None else _shapes(present[first], endurance, first, clocks[first]),
        "curve": [_curve(use, groups, endurance) for use, groups in present.items()],
        "this_training": _this_training(training, trained, endurance),
        "accuracy_with_worn_devices": _accuracies(
            training, None if first is None else _all(present[first]).devices
        ),
        "sharing_and_life": []
        if not trained
        else [
            _under(one, endurance, clocks["training"])
            for one in comparison(training, bill.layout, table, reset, trained)
        ],
        "retention": _retention(cells),
        "read_disturb": _disturb(read_disturb(cells), bill),
    }


def _all(groups: Iterable[Group], pulses: bool = False) -> Rates:
    return Rates.joined(group.pulses if pulses else group.switching for group in groups)


def _group(use: str, group: Group, training: Training) -> dict[str, Any]:
    spread = "none"
    if group.layer == EVERY_LAYER:
        spread = "shared"
    elif group.recorded:
        spread = "ranks" if "cycles_by_rank" in training.data else "two"
    return {
        "use": use,
        "layer": group.layer,
        "kind": group.kind,
        "devices": group.switching.devices,
        "switching_events_per_image": group.switching.mean,
        "switching_events_per_image_most_used": group.switching.most,
        "bits_per_image": group.pulses.mean,
        "bits_per_image_most": group.pulses.most,
        "pulses_in_vain_per_image": group.in_vain,
        "spread": _SPREAD[spread]
        + (
            "; in the proportions of training (assumed)"
            if use != "training" and spread != "shared"
            else ""
        ),
        "source": "derived: training.nc cycles_per_device, bits of the workload"
        if use == "training" and spread != "shared"
        else "derived: mean bit probabilities of training.nc, bits of the workload",
    }


def _times(rates: Rates, endurance: Endurance, clock: _Clock) -> dict[str, float | None]:
    """Images, epochs and seconds to the first and to shares of failed devices; None: never."""
    found: dict[str, float | None] = {}
    for name, share in SHARES.items():
        images = (
            first_failure(rates, endurance)
            if share is None
            else images_to_share(rates, endurance, share)
        )
        found[f"images_to_{name}"] = _finite(images)
        found[f"epochs_to_{name}"] = _finite(images / clock.epoch) if clock.epoch else None
        found[f"seconds_to_{name}"] = _finite(images / clock.rate)
    return found


def _rows(
    use: str, groups: Sequence[Group], endurance: Endurance, clock: _Clock, own: bool
) -> list[dict[str, Any]]:
    rows = []
    for stress, pulses in (("switching", False), ("every pulse", True)):
        rates = _all(groups, pulses)
        ends = [first_failure(rates, endurance, p) for p in (0.025, 0.975)]
        rows.append(
            {
                "use": use,
                "stress": stress,
                "endurance_cycles": endurance.value,
                "own": own,
                **_times(rates, endurance, clock),
                "images_to_first_interval95": None if not all(map(math.isfinite, ends)) else ends,
                "first_to_fail": _first_group(groups, endurance, pulses),
                "source": f"{_DERIVED}; endurance {endurance.source}; "
                f"shape {endurance.shape_source}",
            }
        )
    return rows


def _first_group(groups: Sequence[Group], endurance: Endurance, pulses: bool) -> str:
    """The group that holds the first failure most probably: that of the largest hazard then."""
    images = first_failure(_all(groups, pulses), endurance)
    parts = [group.pulses if pulses else group.switching for group in groups]
    likely = max(range(len(groups)), key=lambda k: hazard(parts[k], endurance, images))
    return named(groups[likely].layer, groups[likely].kind)


def _shapes(
    groups: Sequence[Group], endurance: Endurance, use: str, clock: _Clock
) -> list[dict[str, Any]]:
    """The same times at other shapes of the distribution, whose choice is assumed."""
    return [
        {
            "use": use,
            "law": law,
            "shape": shape,
            **_times(_all(groups), Endurance(law, endurance.value, shape), clock),
            "source": f"{_DERIVED}; endurance {endurance.source}; shape assumed: one of several",
        }
        for law, shapes in SENSITIVITY
        for shape in shapes
    ]


def _curve(use: str, groups: Sequence[Group], endurance: Endurance) -> dict[str, Any]:
    """Share failed against images, from well before the first failure to nearly all devices."""
    every = _all(groups)
    of_kind = {
        kind: Rates.joined(g.switching for g in groups if g.kind == kind)
        for kind in (*KINDS, COLUMN)
        if any(g.kind == kind and g.switching.most > 0 for g in groups)
    }
    used = float(every.counts[every.per_image > 0].sum())
    last = images_to_share(every, endurance, 0.99 * used / every.devices)
    images = np.geomspace(first_failure(every, endurance) / 3, last, _CURVE_POINTS)
    return {
        "use": use,
        "stress": "switching",
        "images": [float(value) for value in images],
        "failed": {
            name: [failed_share(rates, endurance, float(value)) for value in images]
            for name, rates in {"all": every, **of_kind}.items()
        },
        "source": f"{_DERIVED}; endurance {endurance.source}; shape {endurance.shape_source}",
    }


def _this_training(
    training: Training, groups: Sequence[Group], endurance: Endurance
) -> dict[str, Any] | None:
    """What the recorded run itself would have cost of devices."""
    if not groups:
        return None
    images, rates = float(recorded_images(training)), _all(groups)
    share = failed_share(rates, endurance, images)
    return {
        "images": images,
        "probability_without_failure": survival(rates, endurance, images),
        "failed_share": share,
        "failed_devices": share * rates.devices,
        "source": f"{_DERIVED}, at the images of the recorded run; endurance {endurance.source}",
    }


def _accuracies(training: Training, devices: float | None) -> list[dict[str, Any]]:
    """Accuracy of the trained network with a share of its SNGs stuck, and with a single one."""
    data = training.data
    if "worn_correct" not in data:
        return []
    correct = np.asarray(data["worn_correct"].transpose("worn", "stuck", "seed").to_numpy(), float)
    shares = [float(value) for value in data["worn_share"].to_numpy()]
    images = int(data["worn_images"])
    source = str(data["worn_correct"].attrs.get("source", "simulated: what-if of training.nc"))
    rows = []
    for share, of_share in zip(shares, correct, strict=True):
        for state, right in zip(STUCK, of_share, strict=True):
            if share == 0 and state != STUCK[0]:
                continue
            accuracy = float(right.mean()) / images
            rows.append(
                {
                    "failed": "none" if share == 0 else f"{100 * share:g} %",
                    "share": share,
                    "stuck": None if share == 0 else state,
                    "accuracy": accuracy,
                    "interval95": list(wilson(accuracy, images)),
                    "by_seed": [float(value) / images for value in right],
                    "test_images": images,
                    "source": f"{source}; devices that fail chosen at random, not trained around",
                }
            )
    if devices and rows and shares[0] == 0:
        whole = rows[0]
        rows.insert(
            1,
            {
                **whole,
                "failed": "first",
                "share": 1 / devices,
                "source": f"derived: one of {devices:.0f} SNGs, taken as no change",
            },
        )
    return rows


def _under(one: UnderRules, endurance: Endurance, clock: _Clock) -> dict[str, Any]:
    every = _all(one.groups)
    parameters = Rates.joined(g.switching for g in one.groups if g.kind == "parameter")
    told = "as trained" if one.trained else "not trained under this rule"
    return {
        "stream_life": one.rules.life_text,
        "sng_sharing": one.rules.sharing_text,
        "trained": one.trained,
        "sngs": every.devices,
        "parameter_sngs": parameters.devices,
        "parameter_switching_events_per_image": parameters.mean,
        **_times(every, endurance, clock),
        "parameters": _times(parameters, endurance, clock),
        "first_to_fail": _first_group(one.groups, endurance, False),
        "source": f"derived: {told}; counts of streams and SNGs by the rules, use spread as "
        f"trained; endurance {endurance.source}; shape {endurance.shape_source}",
    }


def _retention(cells: Cells) -> dict[str, Any]:
    device, time = device_of(cells), bit_time(cells)
    return {
        "bit_s": time,
        "states": [
            {
                "state": rest.state,
                "rate_in_use_Hz": rest.rate_in_use,
                "tau_at_0V_s": rest.tau,
                "lost_in_a_bit": rest.switched(time),
                "lost_in_ten_years": rest.switched(TEN_YEARS),
                "extrapolated": True,
                "source": "derived: the device's law at 0 V, extrapolated from "
                f"{rest.law.valid_voltage[0]:g} to {rest.law.valid_voltage[1]:g} V",
            }
            for rest in rests(device)
        ],
        "meaning": "A bit is stored from its write to its read, within one bit time; weights are "
        "words in SRAM. rate_in_use is what every simulation here takes at 0 V: none. The formula "
        "at 0 V is outside the range of the law: what it says of ten years is no prediction "
        "(a law 1/sinh(V/V0), the same at write voltages, says that nothing is ever lost).",
        "product_for_comparison": {
            "retention_years": 10,
            "endurance_writes": 10_000,
            "source": DATASHEET,
        },
    }


def _disturb(found: ReadDisturb | None, bill: Budget) -> dict[str, Any] | None:
    if found is None:
        return None
    bits = max((product.longest for product in bill.workload.products), default=0.0)
    return {
        "voltage_V": found.voltage,
        "time_s": found.time,
        "hrs_per_bit": found.hrs,
        "hrs_per_bit_after_failed_write": found.hrs_after_write,
        "lrs_per_bit": found.lrs,
        "stream_length": bits,
        "hrs_per_stream": found.per_stream(bits),
        "extrapolated": found.extrapolated,
        "meaning": "Upper limits: the whole read voltage over the device for the whole read "
        "phase. The bit probabilities of cells.nc count exposure up to the sampling of the bit, so "
        "this is in them; the next RESET clears it. A read has the polarity of SET: LRS stays.",
        "source": "derived: the device's law at the read voltage and phase time of cells.nc"
        + (", outside the law's range: extrapolated" if found.extrapolated else ""),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def row_of(content: Mapping[str, Any], use: str) -> Mapping[str, Any] | None:
    """The row of the device's own endurance with switching events, or None."""
    rows = content["table"]
    return next(
        (r for r in rows if r["own"] and r["use"] == use and r["stress"] == "switching"), None
    )
