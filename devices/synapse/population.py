"""Devices drawn from a synapse, and what pulses make of them, all from numpy generators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from devices.synapse.law import Synapse


@dataclass(frozen=True)
class Drawn:
    """End states (S) of each device and whether pulses move it.

    A stuck one has both ends at the state it stays in.
    """

    low: np.ndarray
    high: np.ndarray
    moves: np.ndarray


def draw(synapse: Synapse, shape: tuple[int, ...], generator: np.random.Generator) -> Drawn:
    """Devices of the population; ends that would cross are drawn as their geometric mean.

    That happens to devices of a small range with a large spread, which then do not move.
    """
    sigmas = synapse.sigma_ln_g_max.value, synapse.sigma_ln_g_min.value
    high = synapse.g_max.value * np.exp(sigmas[0] * generator.standard_normal(shape))
    low = synapse.g_min.value * np.exp(sigmas[1] * generator.standard_normal(shape))
    fate = generator.random(shape)
    crossed = low >= high
    meeting = np.sqrt(low * high)
    low, high = np.where(crossed, meeting, low), np.where(crossed, meeting, high)
    at_low = fate < synapse.stuck_low.value
    at_high = ~at_low & (fate < synapse.stuck_low.value + synapse.stuck_high.value)
    high, low = np.where(at_low, low, high), np.where(at_high, high, low)
    return Drawn(low, high, low < high)


def initial(
    synapse: Synapse, drawn: Drawn, counts: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Conductances (S) after ``counts`` potentiating pulses on devices fresh at their low end."""
    up = synapse.potentiation.branch
    state = np.zeros(counts.shape)
    for k in range(int(counts.max(initial=0))):
        pulsed = counts > k
        state = np.where(pulsed, up.after(state, 1, generator.standard_normal(state.shape)), state)
    return drawn.low + (drawn.high - drawn.low) * state


def train_of_pulses(
    synapse: Synapse,
    drawn: Drawn,
    start: np.ndarray,
    polarity: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Conductances (S), shape (pulses + 1, devices): at the start and after each pulse.

    ``start`` (S) has the shape of the devices, ``polarity`` (pulses,) is 1 for potentiation and -1
    for depression.
    """
    up, down = synapse.branches
    span = drawn.high - drawn.low
    state = np.divide(start - drawn.low, span, out=np.zeros(start.shape), where=span > 0)
    course = [np.asarray(start, float)]
    for sign in polarity:
        normal = generator.standard_normal(start.shape)
        state = up.after(state, 1, normal) if sign > 0 else 1 - down.after(1 - state, 1, normal)
        course.append(drawn.low + span * state)
    return np.stack(course)
