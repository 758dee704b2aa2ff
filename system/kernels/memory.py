"""Bits of a device whose SET thresholds remember those before, clock by clock.

The score of renewal k is z(k) = rho z(k-1) + sqrt(1 - rho^2) eps(k), and the cycle sets the bit
where the threshold is reached: z(k) <= limit, or with C2C g(z(k)) + sigma n(k) <= ln(exposure), g
being ln of the threshold of the score z in a table of cubics. The renewals' bits are made 64 at a
time; a RESET that fails leaves the device in LRS, where no SET threshold is used up: the stored
bit stays 1 and the next renewal waits.

Philox counters of renewals 64 r to 64 r + 63: (64 r + 32 + j, ...) for eps, j = 0..15, and
(64 r + 48 + j, ...) for n; each call has the numbers of the renewals j, 16 + j, 32 + j and 48 + j.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from system.kernels.comparison import (
    STARTS,
    Address,
    fill_pairs,
    number_definition,
    part_of,
    sense,
)
from system.kernels.normal import fill_normals, normals_definition, place_numbers, variate
from system.kernels.philox import philox, philox_definition

HOLD, READ, SCORE, CYCLE = np.arange(4, dtype=np.uint64)
"""Slots of the random numbers."""
SCORE_END, SCORE_STEPS = 8.0, 32
"""The table of g reaches from -SCORE_END to SCORE_END in steps of 1/SCORE_STEPS."""
_PIECE = 64
"""Words a thread makes at a time."""
_ONE, _ZERO = np.uint64(1), np.uint64(0)
_LOW, _HALF = np.uint64(2**32 - 1), np.uint64(32)
_WORD, _SLOT, _BITS = np.uint64(6), np.uint64(4), np.uint64(64)
_CALLS = 16
_LAST_INTERVAL = int(2 * SCORE_END * SCORE_STEPS) - 1


@njit(nogil=True, cache=True)
def _numbers(r, slot, stream, life, c3, k0, k1, out):  # type: ignore[no-untyped-def]
    """64 random numbers of 32 bits for the renewal word ``r``."""
    c0, c1, c2 = (np.uint64(r) << _WORD) + (slot << _SLOT), np.uint64(stream), np.uint64(life)
    for j in range(np.uint64(_CALLS)):
        a, b = philox(c0 + j, c1, c2, c3, k0, k1)
        out[j] = a & _LOW
        out[j + np.uint64(16)] = a >> _HALF
        out[j + np.uint64(32)] = b & _LOW
        out[j + np.uint64(48)] = b >> _HALF


@njit(inline="always", cache=True)
def _ln_threshold(z, table):  # type: ignore[no-untyped-def]
    """g of a score; ``table`` (4, intervals) holds cubics in the place 0..1 of an interval."""
    where = min(max((z + SCORE_END) * SCORE_STEPS, 0.0), 2 * SCORE_END * SCORE_STEPS)
    start = min(math.floor(where), _LAST_INTERVAL)
    interval, place = np.uint64(start), where - start
    value = (table[3, interval] * place + table[2, interval]) * place + table[1, interval]
    return value * place + table[0, interval]


@njit(nogil=True, cache=True)
def _renewals(r, score, limit, spread, tables, address, buffers):  # type: ignore[no-untyped-def]
    """The bits of 64 renewals as a word, and the last score."""
    numbers, x, z = buffers
    digits = x.view(np.uint64)
    stream, life, c3, k0, k1 = address
    (rho, sigma), (normal, table) = spread, tables
    fresh = math.sqrt(1 - rho * rho)
    _numbers(r, SCORE, stream, life, c3, k0, k1, numbers)
    place_numbers(numbers, x)
    # One loop, so that the next variates are read while the score waits for the last one.
    for i in range(np.uint64(64)):
        score = rho * score + fresh * variate(numbers[i], digits[i], normal)
        z[i] = score
    if sigma != 0:
        _numbers(r, CYCLE, stream, life, c3, k0, k1, numbers)
        place_numbers(numbers, x)
        for i in range(np.uint64(64)):
            z[i] = _ln_threshold(z[i], table) + sigma * variate(numbers[i], digits[i], normal)
    word = _ZERO
    for i in range(np.uint64(64)):
        word |= np.uint64(z[i] <= limit) << i
    return word, score


@njit(parallel=True, cache=True)
def memory_start(limit, spread, hold, tables, address, score, bit):  # type: ignore[no-untyped-def]
    """Score (S,) and stored bit (S,) uint64 before clock 0, in the long run's distribution.

    A renewal that set the bit lasts longer, 1/P(RESET) cycles on the average, than one that did
    not: renewals are drawn, and those that left 0 are kept with the probability P(RESET).
    """
    streams, lives, purpose, key = address
    c3, k0, k1 = np.uint64(purpose), np.uint64(key[0]), np.uint64(key[1])
    for s in prange(limit.size):
        numbers, x, z = np.empty(3, np.uint64), np.empty(3), np.empty(3)
        c0 = np.uint64(STARTS)
        while True:
            a, b = philox(c0, np.uint64(streams[s]), np.uint64(lives[s]), c3, k0, k1)
            numbers[0], numbers[1], numbers[2] = a & _LOW, a >> _HALF, b & _LOW
            fill_normals(numbers, tables[0], x, z)
            reached = z[0]
            if spread[1] != 0:
                reached = _ln_threshold(z[0], tables[1]) + spread[1] * z[1]
            if reached <= limit[s] or numbers[2] >= hold:
                break
            c0 += _ONE
        score[s], bit[s] = z[0], np.uint64(reached <= limit[s])


@njit(parallel=True, cache=True)
def memory_words(limit, spread, hold, errors, tables, address, first, state, words):  # type: ignore[no-untyped-def]
    """Fill ``words`` (S, W) with the words ``first`` on of S streams, read with errors.

    ``limit`` (S,) float64: the score (without C2C) or ln(exposure) (with it) up to which a renewal
    sets the bit; ``spread`` = (rho, sigma); ``hold`` (uint64, out of 2^32) P(RESET fails);
    ``errors`` and ``address`` as in :func:`system.kernels.comparison.sense`; ``tables`` = (that of
    :func:`system.kernels.normal.normal_table`, that of :func:`_ln_threshold`). ``state`` = (score,
    stored bit, next renewals, how many of them, next renewal word), each (S,), is moved on.
    """
    count, width = words.shape
    piece = max(1, _PIECE // width)
    for part in prange((count + piece - 1) // piece):
        low, high = part * piece, min(count, (part + 1) * piece)
        scores, bits, nexts, lefts, places = state
        _fill(
            limit[low:high],
            spread,
            hold,
            errors,
            tables,
            part_of(address, low, high),
            first,
            (
                scores[low:high],
                bits[low:high],
                nexts[low:high],
                lefts[low:high],
                places[low:high],
            ),
            words[low:high],
        )


@njit(nogil=True, cache=True)
def _fill(limit, spread, hold, errors, tables, address, first, state, words):  # type: ignore[no-untyped-def]
    streams, lives, purpose, key = address
    c3, k0, k1 = np.uint64(purpose), np.uint64(key[0]), np.uint64(key[1])
    buffers = np.empty(64, np.uint64), np.empty(64), np.empty(64)
    if hold:
        fails = np.full(limit.size, hold)
        fill_pairs(fails, fails, address, HOLD, first, words, np.empty_like(words))
    for s in range(limit.size):
        stream = streams[s], lives[s], c3, k0, k1
        _stored(s, limit[s], spread, hold, tables, stream, buffers, state, words[s])
    sense(errors, address, READ, first, words)


@njit(nogil=True, cache=True)
def _stored(s, limit, spread, hold, tables, address, buffers, state, words):  # type: ignore[no-untyped-def]
    """Turn words of failing RESETs into stored bits; without ``hold`` every cycle is a renewal."""
    scores, bits, nexts, lefts, places = state
    score, bit, following, left, place = scores[s], bits[s], nexts[s], lefts[s], places[s]
    for w in range(words.size):
        failing, stored, t = words[w], _ZERO, _ZERO
        while t < _BITS:
            if left == 0:
                following, score = _renewals(place, score, limit, spread, tables, address, buffers)
                place, left = place + 1, 64
            if not hold:
                stored, left = following, 0
                break
            if not (bit & (failing >> t)):
                bit = following & _ONE
                following >>= _ONE
                left -= 1
            stored |= bit << t
            t += _ONE
        words[w] = stored
    scores[s], bits[s], nexts[s], lefts[s], places[s] = score, bit, following, left, place


def memory_definition(
    limit: np.ndarray,
    spread: tuple[float, float],
    hold: int,
    errors: np.ndarray,
    table: np.ndarray,
    address: Address,
    length: int,
) -> np.ndarray:
    """The same bits, unpacked (S, length) bool, in plain numpy and one clock after the other."""
    streams, lives, purpose, key = address
    seed = int(key[0]), int(key[1])
    (rho, sigma), count = spread, np.size(streams)
    score = np.empty(count)
    stored = np.empty((count, length), bool)
    bit = np.zeros(count, bool)
    for s in range(count):
        for start in range(STARTS, 2**32):
            a, b = philox_definition((start, streams[s], lives[s], purpose), seed)
            z, n = normals_definition(np.array([a & _LOW, a >> _HALF]))
            bit[s] = (_ln_definition(z, table) + sigma * n if sigma else z) <= limit[s]
            score[s] = z
            if bit[s] or int(b & _LOW) >= hold:
                break
    eps, cycle = (_scores_definition(address, slot, length) for slot in (SCORE, CYCLE))
    fails = number_definition(address, HOLD, length) < hold
    used = np.zeros(count, int)
    fresh = math.sqrt(1 - rho * rho)
    for t in range(length):
        renewed = ~(bit & fails[:, t])
        new, n = eps[np.arange(count), used], cycle[np.arange(count), used]
        following = rho * score + fresh * new
        reached = _ln_definition(following, table) + sigma * n if sigma else following
        score, used = np.where(renewed, following, score), used + renewed
        bit = np.where(renewed, reached <= limit, bit)
        stored[:, t] = bit
    reading = number_definition(address, READ, length)
    return np.where(stored, reading >= errors[1], reading < errors[0])


def _scores_definition(address: Address, slot: np.uint64, length: int) -> np.ndarray:
    streams, lives, purpose, key = address
    k = np.arange(length)
    r, j, quarter = k // 64, k % 16, k % 64 // 16
    counter = (64 * r + 16 * int(slot) + j)[None], streams[:, None], lives[:, None], purpose
    pair = philox_definition(counter, (int(key[0]), int(key[1])))
    word = np.where(quarter < 2, *pair)
    return normals_definition(np.where(quarter % 2, word >> _HALF, word & _LOW))


def _ln_definition(z: np.ndarray, table: np.ndarray) -> np.ndarray:
    where = np.clip((z + SCORE_END) * SCORE_STEPS, 0.0, 2 * SCORE_END * SCORE_STEPS)
    interval = np.minimum(where.astype(int), _LAST_INTERVAL)
    place = where - interval
    constant, linear, square, cube = table[:, interval]
    return np.asarray(((cube * place + square) * place + linear) * place + constant)
