"""The bits of an SNG as a Markov chain: cycle by cycle, and in the long run.

With an unconditional RESET every write starts with a clear exposure and a new threshold, so the
stored state is a two-state chain with P(SET) = Ps and P(RESET) = Pr: share of ones
pi = Ps/(Ps + Pr (1 - Ps)), lag-1 correlation (1 - Ps)(1 - Pr).

A conditional RESET, given only where the last bit read is 1, spares devices in HRS the pulse. They
then keep exposure and threshold from write to write:
- an exponential law has no memory, and Ps is the same in every write;
- any other law is a renewal process: a 1 comes once the exposure of n writes reaches the threshold,
  and the share of ones is 1/sum_j S(j u), S being the survival function and u the exposure of one
  write (with a RESET that does not fail);
- an LRS read as 0 gets no RESET: it stays, and is read again in the next cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from circuits.sng.design import SngDesign

_NODES = 96
_EDGE = 9.0
_SMALLEST_SURVIVAL = 1e-12
_MOST_WRITES = 1_000_000


@dataclass(frozen=True)
class Chain:
    """Bits by cycle, and the SET thresholds in force in each write."""

    bits: np.ndarray
    set_thresholds: np.ndarray


@dataclass(frozen=True)
class BitStatistics:
    """Share of ones, and correlations of bits one and two cycles apart."""

    probability: float
    lag1: float
    lag2: float


def thresholds_in_force(
    design: SngDesign,
    set_gains: Sequence[float] | np.ndarray,
    reset_gains: Sequence[float] | np.ndarray,
    set_thresholds: Sequence[float] | np.ndarray,
    reset_thresholds: Sequence[float] | np.ndarray,
) -> Chain:
    """Run the cell's chain over cycles, starting from the design's first state.

    ``set_gains`` and ``reset_gains`` are the exposures of each cycle's write and RESET,
    ``set_thresholds`` and ``reset_thresholds`` one draw for each cycle. A SET threshold drawn for a
    cycle comes into force if the device was renewed before that cycle's write (by a RESET pulse),
    else the one before stays. The reading is free of errors.
    """
    count = len(set_gains)
    state = last = design.first_state
    exposure, in_force, at_once = 0.0, float(set_thresholds[0]), design.order[0] == "reset"
    bits, used = np.empty(count, int), np.empty(count)

    def reset(cycle: int) -> None:
        nonlocal state, exposure, in_force
        if design.conditional_reset and last == 0:
            return
        if state == 1 and reset_gains[cycle] < reset_thresholds[cycle]:
            return
        state, exposure = 0, 0.0
        following = cycle if at_once else cycle + 1
        if following < count:
            in_force = float(set_thresholds[following])

    for cycle in range(count):
        if at_once:
            reset(cycle)
        used[cycle] = in_force
        if state == 0:
            exposure += set_gains[cycle]
            state = int(exposure >= in_force)
        bits[cycle] = last = state
        if not at_once:
            reset(cycle)
    return Chain(bits, used)


def carried_probability(survival: Callable[[np.ndarray], np.ndarray], exposure: float) -> float:
    """Share of ones with a conditional RESET that never fails: 1/sum_j S(j u).

    ``survival`` is that of the exposure at switching, ``exposure`` u that of one write. Exact for
    any law: the mean number of writes to a SET is the sum of the probabilities that j writes did
    not do (renewal theory). Raises ValueError where a million writes do not SET the device.
    """
    total, first = 0.0, 0
    while first < _MOST_WRITES:
        terms = survival(exposure * np.arange(first, first + 1000))
        total += float(np.sum(terms))
        if terms[-1] < _SMALLEST_SURVIVAL:
            return 1.0 / total
        first += 1000
    raise ValueError(f"an exposure of {exposure:g} a write does not SET the device")


def bit_statistics(
    ps: float, pr: float = 1.0, e01: float = 0.0, e10: float = 0.0, conditional: bool = False
) -> BitStatistics:
    """Bits read with errors e01 = P(1 | HRS), e10 = P(0 | LRS), independent from read to read.

    ``conditional``: the RESET is given only after a 1; then ``ps`` must be the same in every write
    (exponential law). States after the write: HRS, LRS.
    """
    one = np.array([e01, 1 - e10])
    pulse = np.array([[1 - ps, ps], [pr * (1 - ps), 1 - pr * (1 - ps)]])
    no_pulse = np.array([[1 - ps, ps], [0.0, 1.0]]) if conditional else pulse
    after = (1 - one)[:, None] * no_pulse, one[:, None] * pulse
    return _statistics(after[0] + after[1], after[1], one)


def memory_statistics(ps: float, pr: float = 1.0, memory: float = 0.0) -> BitStatistics:
    """Bits with an unconditional RESET and thresholds that remember the one before.

    E_k = -ln Phi(-z_k), z_k = rho z_(k-1) + sqrt(1 - rho^2) eps, k counting the renewals, so that a
    write SETs where z_k <= Phi^-1(Ps). The state after the write is told by z alone; the chain of
    z is solved on Gauss-Legendre nodes on both sides of that value (Nystroem). RESET thresholds
    are taken as independent. Raises ValueError for |memory| >= 1 or a Ps of 0 or 1.
    """
    if not abs(memory) < 1:
        raise ValueError(f"memory {memory:g}: expected a correlation between -1 and 1")
    if not 0.0 < ps < 1.0:
        raise ValueError(f"Ps {ps:g}: expected between 0 and 1")
    limit = float(np.clip(ndtri(ps), -_EDGE + 1, _EDGE - 1))
    x, w = np.polynomial.legendre.leggauss(_NODES)
    z = np.concatenate([_scaled(x, -_EDGE, limit), _scaled(x, limit, _EDGE)])
    weight = np.concatenate([w * (limit + _EDGE) / 2, w * (_EDGE - limit) / 2])
    spread = np.sqrt(1 - memory**2)
    fresh = np.exp(-(((z - memory * z[:, None]) / spread) ** 2) / 2) * weight
    fresh /= fresh.sum(axis=1, keepdims=True)
    lrs = (np.arange(z.size) < _NODES).astype(float)
    kept = (1 - pr) * lrs
    step = (1 - kept)[:, None] * fresh + np.diag(kept)
    return _statistics(step, lrs[:, None] * step, lrs)


def pair_probability(pa: float, pb: float, ties_to_one: float = 0.5) -> tuple[float, float]:
    """P(1) and the tie rate of a differential pair that stores a and b: 1 where a = 1, b = 0.

    A tie, a = b, is decided by the comparator's offset, the same way for good; ``ties_to_one`` is
    the share of ties that become 1: 0 or 1 for one amplifier, 1/2 over their population.
    P(1) = Pa (1 - Pb) + tie x ties_to_one.
    """
    tie = pa * pb + (1 - pa) * (1 - pb)
    return pa * (1 - pb) + tie * ties_to_one, tie


def untied_probability(pa: float, pb: float) -> tuple[float, float]:
    """P(1) and the rate of the bits that remain where ties are dropped (von Neumann, 1951).

    At Pa = Pb the probability is 1/2 whatever they are. Dropping needs to know of the tie, hence
    each device's own bit beside the comparison.
    """
    rate = pa * (1 - pb) + pb * (1 - pa)
    return (pa * (1 - pb) / rate if rate else np.nan), rate


def _scaled(x: np.ndarray, low: float, high: float) -> np.ndarray:
    return low + (high - low) * (x + 1) / 2


def _statistics(step: np.ndarray, step_after_one: np.ndarray, one: np.ndarray) -> BitStatistics:
    """From the transitions of a chain (all, and those in which the bit before is 1)."""
    size = len(one)
    equations = np.vstack([step.T - np.eye(size), np.ones(size)])
    stationary = np.linalg.lstsq(equations, np.append(np.zeros(size), 1.0), rcond=None)[0]
    p = float(stationary @ one)
    variance = p * (1 - p)
    following = stationary @ step_after_one
    both1, both2 = float(following @ one), float(following @ step @ one)
    if variance == 0:
        return BitStatistics(p, np.nan, np.nan)
    return BitStatistics(p, (both1 - p * p) / variance, (both2 - p * p) / variance)
