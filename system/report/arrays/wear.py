"""When devices of an array wear out, as plain types for report.json."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from system.budget.arrays import Use
from system.budget.wear.endurance import TABLE, Endurance
from system.budget.wear.failure import Rates, failed_share, first_failure, images_to_share

SHARES = {"first": None, "per_mille": 1e-3, "percent": 1e-2}
"""The times of a row: the first device (the median), 0.1 % and 1 % of all (expected)."""
_DERIVED = "derived: order statistics of the devices' use and the endurance's distribution, exact"
_POINTS = 49


def wear(use: Use, endurance: Endurance) -> dict[str, Any]:
    """The content of the key."""
    most = max(use.spent, key=lambda name: use.spent[name][1])
    return {
        "unit": use.unit,
        "meaning": use.meaning,
        "endurance": {
            "law": endurance.law,
            "characteristic_cycles": endurance.value,
            "shape": endurance.shape,
            "text": endurance.describe(),
            "source": endurance.source,
            "shape_source": endurance.shape_source,
        },
        "use": [
            {
                "array": name,
                "devices": rates.devices,
                "pulses_per_unit": rates.mean,
                "pulses_per_unit_most_used": rates.most,
                "pulses_so_far": use.spent[name][0],
                "pulses_so_far_most_used": use.spent[name][1],
                "source": "derived: pulses of the recorded run over its images"
                if use.per_epoch
                else "derived: every device is programmed once",
            }
            for name, rates in use.rates.items()
        ],
        "so_far": {
            "most_used": most,
            "pulses": use.spent[most][1],
            "fraction": use.spent[most][1] / endurance.value,
            "source": f"derived: pulses over the endurance; endurance {endurance.source}",
        },
        "table": [
            _row(use, law, own)
            for own, law in (
                *((False, endurance.at(cycles)) for cycles in TABLE),
                (True, endurance),
            )
        ],
        "curve": _curve(use.every, endurance) if use.per_epoch and use.every.most else None,
    }


def _row(use: Use, endurance: Endurance, own: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"endurance_cycles": endurance.value, "own": own}
    for name, share in SHARES.items():
        units = (
            first_failure(use.every, endurance)
            if share is None
            else images_to_share(use.every, endurance, share)
        )
        found[f"units_to_{name}"] = _finite(units)
        found[f"epochs_to_{name}"] = _finite(units / use.per_epoch) if use.per_epoch else None
    return {
        **found,
        "source": f"{_DERIVED}; endurance {endurance.source}; shape {endurance.shape_source}",
    }


def _curve(every: Rates, endurance: Endurance) -> dict[str, Any]:
    """Share failed from well before the first failure to nearly all devices that are used."""
    used = float(every.counts[every.per_image > 0].sum())
    last = images_to_share(every, endurance, 0.99 * used / every.devices)
    images = np.geomspace(first_failure(every, endurance) / 3, last, _POINTS)
    return {
        "images": [float(value) for value in images],
        "failed": [failed_share(every, endurance, float(value)) for value in images],
        "source": f"{_DERIVED}; endurance {endurance.source}; shape {endurance.shape_source}",
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
