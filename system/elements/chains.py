"""Exact moments of state machines: the Markov chain of a machine and what feeds it.

A *source* is a hidden Markov chain that gives a machine one symbol a clock: independent clocks have
one hidden state; a bit stream with lag-1 correlation has two; a device that remembers, read through
sense errors, is one too. State of machine and source together move by a matrix; propagating the
probability of each state with the first two moments of the count so far gives the mean and the
variance of a share of ones over N clocks exactly, from any starting state, and the covariance of
two machines that read the same streams. Elements without memory are machines of one state
(:func:`memoryless`), so they get their moments for sources with memory here too.

Leading axes of a source's arrays are a batch of sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from system.elements.machine import Machine

LARGEST_CHAIN = 1024
"""States of machine and source together; the matrix is dense."""


class Source(NamedTuple):
    """A hidden Markov chain: ``start`` (..., H) is the law of its state in the first clock,
    ``transition`` (..., H, H) that from clock to clock, ``emission`` (..., H, A) the symbol's."""

    start: np.ndarray
    transition: np.ndarray
    emission: np.ndarray


class ShareMoments(NamedTuple):
    """Means of two machines' shares of ones (the same twice for one machine) and covariance."""

    first: np.ndarray
    second: np.ndarray
    covariance: np.ndarray


def independent_source(law: np.ndarray) -> Source:
    """Independent clocks of a law (..., A) of symbols."""
    law = np.asarray(law, float)
    one = np.ones((*law.shape[:-1], 1))
    return Source(one, one[..., None], law[..., None, :])


def markov_source(probability: np.ndarray, lag1: np.ndarray) -> Source:
    """Bits of P(1) ``probability`` (...) whose autocorrelation is ``lag1`` to the power of the lag.

    Stationary from the first clock: P(1 | 1) = p + r (1 - p), P(1 | 0) = p (1 - r). A cell whose
    RESET can fail gives such a stream. Raises ValueError where no such chain exists.
    """
    p, r = np.broadcast_arrays(np.asarray(probability, float), np.asarray(lag1, float))
    after_one, after_zero = p + r * (1 - p), p * (1 - r)
    for name, q in (("P(1 | 1)", after_one), ("P(1 | 0)", after_zero)):
        if not np.all((q >= 0) & (q <= 1)):
            raise ValueError(f"{name} = {q}: no bits of P(1) = {p} have a lag-1 of {r}")
    transition = np.stack(
        [np.stack([1 - after_zero, after_zero], -1), np.stack([1 - after_one, after_one], -1)], -2
    )
    emission = np.broadcast_to(np.eye(2), transition.shape)
    return Source(np.stack([1 - p, p], -1), transition, emission)


def read_errors(source: Source, false_one: float, false_zero: float) -> Source:
    """A source of bits read with errors: 0 taken for 1, and 1 for 0, with these probabilities."""
    channel = np.array([[1 - false_one, false_one], [false_zero, 1 - false_zero]])
    return Source(source.start, source.transition, source.emission @ channel)


def joined_sources(*sources: Source) -> Source:
    """Independent sources side by side; the first has the lowest bits of the symbol."""
    joint = sources[0]
    for source in sources[1:]:
        joint = Source(*(_kron(b, a, k) for a, b, k in zip(joint, source, (1, 2, 2), strict=True)))
    return joint


def memoryless(truth: np.ndarray, name: str = "gate") -> Machine:
    """An element without memory, given by its truth table, as a machine of one state."""
    output = np.asarray(truth)[None, :]
    return Machine(name, np.zeros(output.shape, np.int32), output.astype(np.uint8), 0)


def moments(
    machine: Machine, source: Source, length: int, state: int | None = None
) -> ShareMoments:
    """Mean and variance of the share of ones over ``length`` clocks; exact.

    ``state``: the machine's before the first clock (None: its start). Raises ValueError for a
    source whose symbols are not the machine's, or a chain above ``LARGEST_CHAIN`` states.
    """
    begin = machine.start if state is None else state
    return _propagated(machine.following, machine.output, machine.output, source, length, begin)


def shared_moments(
    first: Machine,
    second: Machine,
    source: Source,
    length: int,
    reads: tuple[np.ndarray, np.ndarray],
) -> ShareMoments:
    """Moments of two machines that read one source, from their starts; exact.

    ``reads``: for each machine, the symbol it reads for each symbol of the source (:func:`wired`
    for bits of streams). Shared streams are bits both read; the source's law holds correlation.
    """
    a, b = reads
    shape = (first.states * second.states, a.size)
    following = first.following[:, None, a] * second.states + second.following[None, :, b]
    f = np.broadcast_to(first.output[:, None, a], following.shape).reshape(shape)
    g = np.broadcast_to(second.output[None, :, b], following.shape).reshape(shape)
    begin = first.start * second.states + second.start
    return _propagated(following.reshape(shape), f, g, source, length, begin)


def wired(bits: Sequence[int], streams: int) -> np.ndarray:
    """What a machine reads whose inputs are these bits of a source of ``streams`` streams."""
    symbols = np.arange(2**streams)
    read = np.zeros_like(symbols)
    for place, bit in enumerate(bits):
        read |= (symbols >> bit & 1) << place
    return read


def stationary_mean(machine: Machine, source: Source) -> np.ndarray:
    """P(output = 1) of the machine in the long run; exact.

    Raises ValueError where the long run depends on the start (inputs that never change).
    """
    step, ones = _matrices(machine.following, [machine.output], source)
    size = step.shape[-1]
    system = np.swapaxes(step, -1, -2) - np.eye(size)
    system[..., -1, :] = 1.0
    right = np.zeros((*system.shape[:-1], 1))
    right[..., -1, 0] = 1.0
    try:
        law = np.linalg.solve(system, right)[..., 0]
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{machine.name}: the long run depends on the start; use moments over N clocks"
        ) from None
    return np.asarray(np.einsum("...i,...ij->...", law, ones[0]))


def _propagated(
    following: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    source: Source,
    length: int,
    begin: int,
) -> ShareMoments:
    """E[C_f], E[C_g] and Cov of the counts of two outputs of one chain, over N and N^2.

    With v the law of the states, a, b and c the first and mixed moments of the counts restricted to
    each state, and T, F, G, H the matrices of a clock weighted by 1, f, g and fg: c' = cT + aG +
    bF + vH, a' = aT + vF, b' = bT + vG, v' = vT.
    """
    step, weighted = _matrices(following, [first, second, first & second], source)
    f, g, h = weighted
    hidden = source.start.shape[-1]
    v = np.zeros((*step.shape[:-2], step.shape[-1]))
    v[..., begin * hidden : (begin + 1) * hidden] = source.start
    a, b, c = np.zeros((3, *v.shape))
    for _ in range(length):
        c = _moved(c, step) + _moved(a, g) + _moved(b, f) + _moved(v, h)
        a, b = _moved(a, step) + _moved(v, f), _moved(b, step) + _moved(v, g)
        v = _moved(v, step)
    mean_f, mean_g = a.sum(-1) / length, b.sum(-1) / length
    return ShareMoments(mean_f, mean_g, c.sum(-1) / length**2 - mean_f * mean_g)


def _matrices(
    following: np.ndarray, weights: Sequence[np.ndarray], source: Source
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Matrix of a clock over (machine, hidden) states, and the same weighted by each output."""
    states, symbols = following.shape
    hidden = source.start.shape[-1]
    if source.emission.shape[-1] != symbols:
        raise ValueError(
            f"a source of {source.emission.shape[-1]} symbols for a machine of {symbols}"
        )
    size = states * hidden
    if size > LARGEST_CHAIN:
        raise ValueError(f"a chain of {size} states: expected {LARGEST_CHAIN} or fewer")
    batch = source.emission.shape[:-2]
    made = []
    for weight in (np.ones_like(following), *weights):
        # By symbol: each machine state goes to one other, with the hidden step beside it. (numpy
        # puts the axis of the two index arrays first.)
        matrix = np.zeros((*batch, states, hidden, states, hidden))
        for symbol in range(symbols):
            hop = source.emission[..., symbol, None] * source.transition
            taken = weight[:, symbol].reshape(-1, *(1,) * hop.ndim)
            matrix[..., np.arange(states), :, following[:, symbol], :] += taken * hop
        made.append(matrix.reshape(*batch, size, size))
    return made[0], made[1:]


def _moved(row: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.asarray((row[..., None, :] @ matrix)[..., 0, :])


def _kron(outer: np.ndarray, inner: np.ndarray, axes: int) -> np.ndarray:
    """Kronecker product over the last axes, ``outer`` slowest; batches broadcast."""
    if axes == 1:
        made = outer[..., :, None] * inner[..., None, :]
        return np.asarray(made.reshape(*made.shape[:-2], -1))
    made = outer[..., :, None, :, None] * inner[..., None, :, None, :]
    rows, columns = outer.shape[-2] * inner.shape[-2], outer.shape[-1] * inner.shape[-1]
    return np.asarray(made.reshape(*made.shape[:-4], rows, columns))
