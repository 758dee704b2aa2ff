"""What networks on arrays get right, as plain types for report.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from formats.binarized import BinarizedResult
from formats.synapse_training import ARITHMETICS, SynapseTraining
from system.budget.accuracy import wilson

_WILSON = "Wilson interval of one test set"
_NO_STATES: dict[str, Any] = {
    "treatment": None,
    "ratio": None,
    "spread_on": None,
    "spread_off": None,
}


def of_synapses(training: SynapseTraining) -> dict[str, Any]:
    """The last networks of both arithmetics, by epoch, and on spoilt images."""
    data, images = training.data, int(training.attributes["test_images"])
    return {
        "runs": "seeds",
        "networks": [
            {
                "network": name,
                **_NO_STATES,
                **_score(np.atleast_1d(data["correct"].sel(arithmetic=name).to_numpy()), images),
                "source": f"simulated: synapses.nc correct; {_WILSON}",
            }
            for name in ARITHMETICS
        ],
        "by_epoch": [
            {"network": name, "epoch": epoch, "value": value, "interval95": interval}
            for name in ARITHMETICS
            for epoch, value, interval in _epochs(training, name, images)
        ],
        "corrupted": [row for name in ARITHMETICS for row in _corrupted(training, name, images)],
    }


def of_binarized(result: BinarizedResult) -> dict[str, Any]:
    """The networks without devices, then on chips by treatment and states."""
    data, images = result.data, int(result.attributes["test_images"])
    rows = [
        {
            "network": str(name),
            **_NO_STATES,
            **_score(np.array([correct]), images),
            "source": f"simulated: binarized.nc digital_correct; {_WILSON}",
        }
        for name, correct in zip(
            data["trained"].to_numpy(), data["digital_correct"].to_numpy(), strict=True
        )
    ]
    for name in data["mapped"].to_numpy():
        for treatment in data["treatment"].to_numpy():
            for number in range(data.sizes["condition"]):
                at = data.isel(condition=number)
                correct = at["correct"].sel(mapped=name, treatment=treatment).to_numpy()
                rows.append(
                    {
                        "network": str(name),
                        "treatment": str(treatment),
                        **{key: float(at[key]) for key in ("ratio", "spread_on", "spread_off")},
                        **_score(correct, images),
                        "source": f"simulated: binarized.nc correct, mean over chips; {_WILSON}",
                    }
                )
    return {"runs": "chips", "networks": rows, "by_epoch": [], "corrupted": []}


def _score(correct: np.ndarray, images: int) -> dict[str, Any]:
    """All runs see the same test images, so the interval is that of one set."""
    shares = np.asarray(correct, float) / images
    return {
        "value": float(shares.mean()),
        "interval95": list(wilson(float(shares.mean()), images)),
        "by_run": [float(share) for share in shares],
        "test_images": images,
    }


def _epochs(
    training: SynapseTraining, name: str, images: int
) -> list[tuple[int, float, list[float]]]:
    means = training.data["accuracy"].sel(arithmetic=name).mean("seed").to_numpy()
    known = [(k + 1, float(mean)) for k, mean in enumerate(means) if 0 <= mean <= 1]
    return [(epoch, mean, list(wilson(mean, images))) for epoch, mean in known]


def _corrupted(training: SynapseTraining, name: str, images: int) -> list[dict[str, Any]]:
    """Relative degradation: (a - a') / a, with the accuracy a of the same network on clean
    images."""
    data = training.data
    clean = float(data["correct"].sel(arithmetic=name).mean()) / images
    rows = []
    for corruption in data["corruption"].to_numpy():
        right = data["corrupted_correct"].sel(arithmetic=name, corruption=corruption)
        strengths = data["strength"].sel(corruption=corruption).to_numpy()
        for number, strength in enumerate(strengths):
            value = float(right.isel(step=number).mean()) / images
            rows.append(
                {
                    "network": name,
                    "corruption": str(corruption),
                    "strength": float(strength),
                    "value": value,
                    "interval95": list(wilson(value, images)),
                    "relative_degradation": (clean - value) / clean if clean else 0.0,
                }
            )
    return rows
