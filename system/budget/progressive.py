"""Progressive precision: an inference in stages of streams that stops when its decision is safe."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from formats.errors import InputError
from formats.training import Training
from system.budget.lines import Line, Progressive, Stage
from system.budget.workload import Workload


def progressive(
    training: Training,
    work: Workload,
    lines: Callable[[Workload], Sequence[Line]],
    latency: Callable[[Workload], float],
) -> Progressive | None:
    """Mean energy (J) and time (s) of an inference in the stages of training.nc, or None.

    An image that runs a stage pays what ``lines`` and ``latency`` say of an inference whose forward
    products all have the bits of that stage. Raises :class:`InputError` for stages that cannot be.
    """
    if "stage_length" not in training.data:
        return None
    length, reached, correct, decided = (
        np.atleast_1d(np.asarray(training.data[f"stage_{name}"].to_numpy(), float))
        for name in ("length", "reached", "correct", "images")
    )
    left = reached - np.append(reached[1:], 0.0)
    if not (np.all(length > 0) and reached[0] > 0 and np.allclose(left, decided)):
        raise InputError(
            training.path,
            f"stage_images {decided.tolist()} are not the images that stop in stages reached by "
            f"{reached.tolist()}, or stage_length {length.tolist()} is not above 0",
        )
    if np.any(correct > decided):
        raise InputError(training.path, "stage_correct exceeds stage_images")
    share = reached / reached[0]
    stages, parts = [], []
    for bits, part in zip(length, share, strict=True):
        of = replace(work, inference_length=int(bits))
        bill = lines(of)
        energy = math.fsum(line.energy_inference for line in bill)
        stages.append(Stage(int(bits), float(part), energy, latency(of)))
        parts.append(bill)
    mean = [_mean(same, share) for same in zip(*parts, strict=True)]
    return Progressive(
        stages=tuple(stages),
        images=int(reached[0]),
        correct=int(correct.sum()),
        lines=tuple(mean),
        latency=math.fsum(stage.reached * stage.latency for stage in stages),
    )


def _mean(same: Sequence[Line], share: np.ndarray) -> Line:
    """One line of all stages, with the energy of the stages that an image runs on the mean."""

    def of(values: Sequence[float]) -> float:
        return math.fsum(float(part) * value for part, value in zip(share, values, strict=True))

    return replace(
        same[0],
        energy_inference=of([line.energy_inference for line in same]),
        stderr_inference=of([line.stderr_inference for line in same]),
    )
