"""The machines of stochastic computing: saturating counters that steer their output.

Outputs are those of the state before the clock's bit is counted (a published circuit that reads
after it puts out the same stream one clock earlier). Counters start in the middle. Means stated
here are stationary, for independent clocks; exact moments of finite streams come from
:mod:`system.elements.chains`.
"""

from __future__ import annotations

import numpy as np

from system.elements.machine import Machine

OVERSHOOT = 0.5826
"""Mean overshoot of a Gaussian walk over a barrier, in standard deviations of a step."""


def stanh(states: int) -> Machine:
    """Stanh: a counter of K states steps up on 1, down on 0; output 1 in its upper half.

    On a bipolar x the bipolar output is tanh((K/2) artanh x) exactly, about tanh(K x/2) (Brown,
    Card, IEEE TC 50 (2001); formula recalled, the exact one derived: stationary law (p/(1-p))^k).
    Raises ValueError for an odd number of states or fewer than 2.
    """
    _even(states)
    k = np.arange(states)
    output = np.repeat((k >= states // 2)[:, None], 2, axis=1)
    return Machine(f"Stanh of {states} states", _steps(states), _bits(output), states // 2)


def exponential(states: int, gain: int) -> Machine:
    """Sexp: the counter of :func:`stanh`, with output 0 in its last ``gain`` states.

    On a bipolar x the unipolar output is (1 - r^(K-G))/(1 - r^K), r = (1+x)/(1-x), about
    exp(-2 G x) for x > 0 (Brown, Card 2001; recalled). Raises ValueError for a gain that is not
    below the number of states.
    """
    _even(states)
    if not 1 <= gain < states:
        raise ValueError(f"a gain of {gain} with {states} states: expected 1 to {states - 1}")
    output = np.repeat((np.arange(states) < states - gain)[:, None], 2, axis=1)
    return Machine(f"Sexp of {states} states", _steps(states), _bits(output), states // 2)


def relu(states: int) -> Machine:
    """FSM ReLU of a bipolar x: the input in the counter's upper half, else a toggling bit (0).

    The counter of :func:`stanh` estimates the sign. The mean is x (1 + tanh((K/2) artanh x))/2: x
    for large x, 0 for small. (After the stochastic ReLU of Yu, Kim, Lee, Choi, ICCD 2017,
    recalled; the saturating counter and the toggle flip-flop are our reading.) State 2 k + toggle.
    """
    _even(states)
    counter = _steps(states)
    following = np.empty((states, 2, 2), np.int32)
    output = np.empty((states, 2, 2), np.int64)
    for toggle in (0, 1):
        following[:, toggle] = 2 * counter + (1 - toggle)
        output[:, toggle] = np.where((np.arange(states) >= states // 2)[:, None], [0, 1], toggle)
    return Machine(
        f"ReLU of {states} states",
        following.reshape(-1, 2),
        _bits(output.reshape(-1, 2)),
        states // 2 * 2,
    )


def maximum(depth: int) -> Machine:
    """max of two streams of any correlation: a counter D of (ones of x) - (ones of y).

    Output x while D > 0, y while D < 0, x OR y at D = 0: in each clock what the greater of the two
    counts gains, so the output's count is max of the counts until |D| reaches ``depth``, where D
    saturates (accumulator max of Temenos, Sotiriadis, IEEE TVLSI 2021, abstract read; the circuit
    is our reading). State D + depth. Raises ValueError for a depth below 1.
    """
    difference, x, y = _differences(depth)
    output = np.where(difference > 0, x, np.where(difference < 0, y, x | y))
    return Machine(f"max of depth {depth}", _walk(difference, x - y, depth), _bits(output), depth)


def minimum(depth: int) -> Machine:
    """min of two streams of any correlation: x + y less the output of :func:`maximum`."""
    difference, x, y = _differences(depth)
    output = np.where(difference > 0, y, np.where(difference < 0, x, x & y))
    return Machine(f"min of depth {depth}", _walk(difference, x - y, depth), _bits(output), depth)


def toggle_adder() -> Machine:
    """(a + b)/2 without a select: x where the bits agree, else a flip-flop's bit, which toggles.

    The output's count is half the sum of the inputs' counts, rounded down, whatever the correlation
    (Lee, Alaghi, Hayes, Sathe, Ceze, DATE 2017; recalled).
    """
    following = np.array([[0, 1, 1, 0], [1, 0, 0, 1]], np.int32)
    output = np.array([[0, 0, 0, 1], [0, 1, 1, 1]])
    return Machine("toggle adder", following, _bits(output), 0)


def gain(factor: int, depth: int) -> Machine:
    """Linear gain of a unipolar stream: min(1, g p) for a deep counter (assumed; ours).

    Each 1 adds g to a counter that holds up to ``depth`` and gives one of it in each clock. Raises
    ValueError for a factor below 2 or a depth below the factor.
    """
    if factor < 2 or depth < factor:
        raise ValueError(f"a gain of {factor} with depth {depth}: expected 2 or more, and depth >=")
    held = np.arange(depth + 1)[:, None] + factor * np.arange(2)[None, :]
    output = held > 0
    following = np.minimum(held - output, depth)
    return Machine(f"gain of {factor}", following.astype(np.int32), _bits(output), 0)


def btanh(fan_in: int, states: int) -> Machine:
    """Btanh on counts v of ``fan_in`` bipolar bits: a counter of K states steps by 2 v - n.

    Output 1 in its upper half (Kim, Kim, Yu, Lee, Choi, Wu, DAC 2016; recalled). Its symbols are
    the counts 0 ... n. Raises ValueError for an odd number of states or no inputs.
    """
    _even(states)
    if fan_in < 1:
        raise ValueError(f"Btanh of {fan_in} inputs: expected 1 or more")
    k = np.arange(states)[:, None]
    following = np.clip(k + 2 * np.arange(fan_in + 1)[None, :] - fan_in, 0, states - 1)
    output = np.repeat(k >= states // 2, fan_in + 1, axis=1)
    return Machine(
        f"Btanh of {fan_in} inputs", following.astype(np.int32), _bits(output), states // 2
    )


def btanh_states(fan_in: int, slope: float = 1.0) -> int:
    """States for which Btanh is about tanh(slope times the sum of its inputs).

    A walk of drift m = sum m_i and variance sum (1 - m_i^2), about n, between reflecting walls K
    apart spends tanh(m K/(2 n)) more of its time in the upper half (diffusion limit; derived). Its
    steps of about sqrt(n) overshoot each wall as if that stood 0.5826 sqrt(n) further out (mean
    overshoot of a Gaussian walk, Siegmund 1979; recalled): K = 2 n slope - 1.165 sqrt(n). Largest
    error at slope 1, computed: 0.035 for n = 4, 0.017 for 16, 0.0021 for 64, 0.0017 for 200.
    """
    return max(2, 2 * round(fan_in * slope - OVERSHOOT * fan_in**0.5))


def _steps(states: int) -> np.ndarray:
    """The saturating counter (K, 2): down on 0, up on 1."""
    k = np.arange(states)[:, None]
    return np.clip(k + np.array([[-1, 1]]), 0, states - 1).astype(np.int32)


def _differences(depth: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D (2 depth + 1, 1) and the bits x and y of the four symbols (1, 4)."""
    if depth < 1:
        raise ValueError(f"a depth of {depth}: expected 1 or more")
    symbols = np.arange(4)[None, :]
    return np.arange(-depth, depth + 1)[:, None], symbols & 1, symbols >> 1


def _walk(difference: np.ndarray, step: np.ndarray, depth: int) -> np.ndarray:
    return (np.clip(difference + step, -depth, depth) + depth).astype(np.int32)


def _bits(output: np.ndarray) -> np.ndarray:
    return np.asarray(output).astype(np.uint8)


def _even(states: int) -> None:
    if states < 2 or states % 2:
        raise ValueError(f"a counter of {states} states: expected an even number, 2 or more")
