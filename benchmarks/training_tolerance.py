"""Tolerance maps: the spread and the errors that cost 1 point of accuracy, calibrated and not.

Networks are trained and tested on the deviating hardware itself (5,000 images, 3 epochs), so
training may adapt to it; beside them stand networks trained in floating point and mapped. Memory
makes bits depend on each other, which only the exact mode shows: there a network trained in
floating point is mapped onto devices that have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.training_grid import Work, place, share

SWEPT: dict[str, tuple[float, ...]] = {
    "d2d_ln_tau": (0.0, 0.25, 0.5, 1.0, 2.0, 3.0),
    "d2d_ln_v0": (0.0, 0.01, 0.02, 0.05, 0.1, 0.2),
    "dac_bits": (10, 7, 6, 5, 4, 3),
    "sense_error": (0.0, 0.001, 0.003, 0.01, 0.03, 0.1),
}
MEMORY = (0.0, 0.3, 0.6, 0.8, 0.9)
"""rho of the thresholds; 0.6 is the lag-1 correlation of a public record of 1,000 cycles."""
CALIBRATED = (0, 64)
LOST = 0.01
SETTINGS = ("train_images=5000", "epochs=3", "exact_images=0")
MEMORY_SETTINGS = (
    "train_images=5000",
    "epochs=3",
    "mode=float",
    "test_images=500",
    "exact_images=500",
)


def run(work: Work) -> dict[str, Any]:
    """One grid for each property; the first value of each is the undisturbed one."""
    maps, limits = {}, {}
    kinds = {name: (values, SETTINGS, "moments") for name, values in SWEPT.items()}
    kinds["memory"] = MEMORY, MEMORY_SETTINGS, "exact"
    for name, (values, settings, evaluation) in kinds.items():
        found = work.grid(
            f"tolerance-{name}",
            [f"{name}={','.join(map(str, values))}", _calibrate()],
            settings,
        )
        networks = {"mapped": "float"} if name == "memory" else {"trained": "sc", "mapped": "float"}
        for readbacks in CALIBRATED:
            for said, network in networks.items():
                curve = [
                    share(found[place(calibrate=readbacks, **{name: value})], network, evaluation)
                    for value in values
                ]
                calibrated = f"{readbacks} read-backs" if readbacks else "no calibration"
                label = f"{name}, {said}, {calibrated}"
                maps[label] = {"values": list(values), "accuracy": curve}
                limits[label] = crossing(values, curve)
                shown = "  ".join(
                    f"{v:g}: {100 * a:.2f}" for v, a in zip(values, curve, strict=True)
                )
                lost = "none of these" if limits[label] is None else limits[label]
                print(f"{label:>40}: {shown} | 1 point lost at {lost}")
    return {
        "shows": "accuracy (LeNet-5, MNIST, 5,000 images, 3 epochs, N = 256, one seed, 10,000 "
        "test images by moments) against D2D, DAC bits and sense errors, and against memory "
        "(mapped, 500 bit by bit); the value at which 1 point is lost, interpolated",
        "maps": maps,
        "one_point_lost_at": limits,
        "verdict": [],
    }


def _calibrate() -> str:
    return f"calibrate={','.join(map(str, CALIBRATED))}"


def crossing(values: Sequence[float], accuracy: Sequence[float]) -> float | None:
    """Value at which ``LOST`` is first lost against the first point, on straight lines; or None."""
    bar = accuracy[0] - LOST
    for k in range(1, len(values)):
        if accuracy[k] < bar:
            part = (accuracy[k - 1] - bar) / (accuracy[k - 1] - accuracy[k])
            return float(f"{values[k - 1] + part * (values[k] - values[k - 1]):.2g}")
    return None
