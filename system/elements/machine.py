"""Finite state machines on packed streams: any Mealy machine of one or two input streams.

In each clock a machine in state k reads the symbol a (bit of the first stream + 2 times that of the
second), puts out ``output[k, a]`` and goes to ``following[k, a]``. It runs by a table of several
clocks at once (8 with one input, 4 with two), parallel over streams; the state is carried from
piece to piece, so that a long stream can be run in chunks of any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit, prange

from system.bitstream.packed import WORD_BITS, BitStream

_PIECE = 64
"""Streams a thread takes together."""
_OUT_BITS = 8
_ZERO, _ONE, _EIGHT = np.uint64(0), np.uint64(1), np.uint64(8)
_BYTE, _WORD = np.uint64(255), np.uint64(WORD_BITS)
MOST_STATES = 4096
"""States of a machine on streams: its table has 256 entries of 4 bytes for each."""


@dataclass(frozen=True, eq=False)
class Machine:
    """A machine of K states and A symbols, with ``start`` the state after a reset.

    ``following`` (K, A) int32 and ``output`` (K, A), 0 or 1. Machines on streams have A = 2 or 4; a
    machine on counts has one symbol for each count. Raises ValueError for tables that do not fit.
    """

    name: str
    following: np.ndarray
    output: np.ndarray
    start: int

    def __post_init__(self) -> None:
        if self.following.ndim != 2 or self.following.shape != self.output.shape:
            raise ValueError(
                f"{self.name}: tables of shapes {self.following.shape} and {self.output.shape}: "
                "expected the same (states, symbols)"
            )
        if self.following.min() < 0 or self.following.max() >= self.states:
            raise ValueError(f"{self.name}: a state outside 0 to {self.states - 1} follows")
        if not np.isin(self.output, (0, 1)).all():
            raise ValueError(f"{self.name}: outputs other than 0 and 1")
        if not 0 <= self.start < self.states:
            raise ValueError(f"{self.name}: starts in state {self.start} of {self.states}")

    @property
    def states(self) -> int:
        """Number of states K."""
        return int(self.following.shape[0])

    @property
    def symbols(self) -> int:
        """Number of symbols A."""
        return int(self.following.shape[1])

    @cached_property
    def inputs(self) -> int:
        """Input streams; raises ValueError where the machine does not read streams."""
        if self.symbols not in (2, 4) or self.states > MOST_STATES:
            raise ValueError(
                f"{self.name}: {self.states} states and {self.symbols} symbols: expected at most "
                f"{MOST_STATES} states, and 2 or 4 symbols for one or two streams"
            )
        return self.symbols // 2

    @cached_property
    def tables(self) -> tuple[np.ndarray, np.ndarray]:
        """uint32 (256 K,) for 8 / ``inputs`` clocks and (4 K,) for one.

        The index is 256 (or 4) state + the first stream's bits + the second's above them; the entry
        256 times the state reached + the output bits.
        """
        clocks = 8 // self.inputs
        byte = np.arange(256)
        first, second = byte & (2**clocks - 1), byte >> clocks
        state = np.repeat(np.arange(self.states), 256).reshape(self.states, 256)
        out = np.zeros_like(state)
        for t in range(clocks):
            symbol = (first >> t) & 1
            if self.inputs == 2:
                symbol = symbol + 2 * ((second >> t) & 1)
            symbol = np.broadcast_to(symbol, state.shape)
            out += self.output[state, symbol].astype(np.int64) << t
            state = self.following[state, symbol].astype(np.int64)
        several = (state << _OUT_BITS) + out
        single = np.zeros((self.states, 4), np.int64)
        single[:, : self.symbols] = (self.following.astype(np.int64) << _OUT_BITS) + self.output
        return several.astype(np.uint32).ravel(), single.astype(np.uint32).ravel()


def run(
    machine: Machine, *streams: BitStream, state: np.ndarray | None = None
) -> tuple[BitStream, np.ndarray]:
    """Output streams and the states reached (int32, shape of the streams); numpy only.

    ``state``: the states before the first clock (None: the machine's start), as an earlier call
    returned them for the clocks before. The shapes of the streams broadcast. Raises ValueError for
    another number of streams, different lengths, or states the machine does not have.
    """
    if len(streams) != machine.inputs:
        raise ValueError(f"{machine.name}: {len(streams)} streams: expected {machine.inputs}")
    if not all(isinstance(s.words, np.ndarray) for s in streams):
        raise ValueError(f"{machine.name}: streams in JAX: expected numpy (to_numpy)")
    length = streams[0].length
    if any(s.length != length for s in streams):
        raise ValueError(f"streams of {[s.length for s in streams]} bits do not meet")
    words = np.broadcast_arrays(*(s.words for s in streams))
    shape, width = words[0].shape[:-1], words[0].shape[-1]
    flat = [np.ascontiguousarray(w).reshape(-1, width) for w in words]
    states = starting_states(machine, shape, state)
    reached = states.reshape(-1)
    several, single = machine.tables
    out = np.empty_like(flat[0])
    _run(flat[0], flat[-1], 8 // machine.inputs, several, single, length, reached, out)
    return BitStream(out.reshape(*shape, width), length), states


def starting_states(
    machine: Machine, shape: tuple[int, ...], state: np.ndarray | None
) -> np.ndarray:
    """A fresh int32 array of states; raises ValueError for one the machine does not have."""
    if state is None:
        return np.full(shape, machine.start, np.int32)
    states = np.broadcast_to(state, shape).astype(np.int32)
    if states.size and not (states.min() >= 0 and states.max() < machine.states):
        raise ValueError(f"{machine.name}: states outside 0 to {machine.states - 1}")
    return states


def run_definition(
    machine: Machine, symbols: np.ndarray, state: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The same in plain numpy on symbols (..., N): output bits (..., N) and states reached.

    Symbols are bits for one stream, bits of the first + 2 times the second's for two, or counts.
    """
    current = starting_states(machine, symbols.shape[:-1], state)
    out = np.zeros(symbols.shape, np.uint8)
    for t in range(symbols.shape[-1]):
        out[..., t] = machine.output[current, symbols[..., t]]
        current = machine.following[current, symbols[..., t]].astype(np.int32)
    return out, current


@njit(parallel=True, cache=True)
def _run(first, second, clocks, several, single, length, state, out) -> None:  # type: ignore[no-untyped-def]
    """Fill ``out`` (S, W) and move ``state`` (S,) on; S streams in pieces over the threads."""
    streams, whole = first.shape[0], length // WORD_BITS
    for part in prange((streams + _PIECE - 1) // _PIECE):
        low, high = part * _PIECE, min(streams, (part + 1) * _PIECE)
        x, y, z, now = first[low:high], second[low:high], out[low:high], state[low:high]
        _run_words(x, y, np.uint64(clocks), several, whole, now, z)
        if length % WORD_BITS:
            _run_tail(x, y, clocks == 4, single, whole, length % WORD_BITS, now, z)


@njit(nogil=True, cache=True)
def _run_words(first, second, clocks, several, whole, state, out) -> None:  # type: ignore[no-untyped-def]
    """Whole words, four streams abreast: look-ups of one do not wait for those of another."""
    low = (_ONE << clocks) - _ONE
    high = _BYTE ^ low
    last = first.shape[0] - 1
    for s in range(0, last + 1, 4):
        # Beyond the last stream the last one is run again, to the same end.
        i, j, k, m = s, min(s + 1, last), min(s + 2, last), min(s + 3, last)
        a, b = np.uint64(state[i]), np.uint64(state[j])
        c, d = np.uint64(state[k]), np.uint64(state[m])
        for w in range(whole):
            t = p = q = u = v = _ZERO
            while t < _WORD:
                a = np.uint64(several[_index(a, first[i, w], second[i, w], t, clocks, low, high)])
                b = np.uint64(several[_index(b, first[j, w], second[j, w], t, clocks, low, high)])
                c = np.uint64(several[_index(c, first[k, w], second[k, w], t, clocks, low, high)])
                d = np.uint64(several[_index(d, first[m, w], second[m, w], t, clocks, low, high)])
                p, q = p | ((a & _BYTE) << t), q | ((b & _BYTE) << t)
                u, v = u | ((c & _BYTE) << t), v | ((d & _BYTE) << t)
                a, b, c, d = a >> _EIGHT, b >> _EIGHT, c >> _EIGHT, d >> _EIGHT
                t += clocks
            out[i, w], out[j, w], out[k, w], out[m, w] = p, q, u, v
        state[i], state[j], state[k], state[m] = a, b, c, d


@njit(inline="always", cache=True)
def _index(state, x, y, t, clocks, low, high):  # type: ignore[no-untyped-def]
    return (state << _EIGHT) | ((x >> t) & low) | (((y >> t) << clocks) & high)


@njit(nogil=True, cache=True)
def _run_tail(first, second, two, single, w, clocks, state, out) -> None:  # type: ignore[no-untyped-def]
    """The last ``clocks`` clocks, in word ``w``, one by one."""
    for s in range(first.shape[0]):
        now, out[s, w] = np.uint64(state[s]), _ZERO
        for clock in range(clocks):
            t = np.uint64(clock)
            symbol = (first[s, w] >> t) & _ONE
            if two:
                symbol |= ((second[s, w] >> t) & _ONE) << _ONE
            entry = np.uint64(single[(now << np.uint64(2)) | symbol])
            out[s, w] |= (entry & _ONE) << t
            now = entry >> _EIGHT
        state[s] = now
