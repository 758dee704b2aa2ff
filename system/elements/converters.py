"""Between binary numbers and streams, and the isolator that makes a stream independent of itself.

- B2S: a comparator; bit t is 1 where the number exceeds the random number of clock t.
- S2B: a counter.
- isolator: a chain of D flip-flops delays a stream, so that a stream of independent clocks meets
  an independent copy of itself (x AND its delay is x^2; Gaines 1967, recalled).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from system.bitstream.packed import BitStream


def binary_to_stochastic(values: np.ndarray, random: np.ndarray) -> BitStream:
    """Streams of integers ``values`` (...) by comparison with integers ``random`` (..., N).

    Bit t is random[..., t] < value, so P(1) = value/2^w for uniform numbers of w bits. The shapes
    (...) broadcast: one row of numbers for many values makes streams of SCC = 1. Raises ValueError
    where either is no array of integers.
    """
    values, random = np.asarray(values), np.asarray(random)
    for name, array in (("values", values), ("random numbers", random)):
        if not np.issubdtype(array.dtype, np.integer):
            raise ValueError(f"{name} of type {array.dtype}: expected integers")
    # Signed and unsigned 64-bit integers would be compared as floating-point numbers.
    return BitStream.pack(random.astype(np.int64) < values.astype(np.int64)[..., None])


def stochastic_to_binary(stream: BitStream) -> Any:
    """Ones of each stream: its share in units of 1/N."""
    return stream.count()


def isolate(stream: BitStream, clocks: int = 1) -> BitStream:
    """The stream ``clocks`` later: D flip-flops that start at 0; numpy or JAX.

    Raises ValueError for fewer than one clock.
    """
    if clocks < 1:
        raise ValueError(f"a delay of {clocks} clocks: expected 1 or more")
    words = stream.words
    xp: Any = np
    if not isinstance(words, np.ndarray):
        import jax.numpy as xp
    width = words.dtype.itemsize * 8
    whole, rest = divmod(clocks, width)
    moved = _later(xp, words, whole)
    if rest:
        carried = _later(xp, words, whole + 1) >> words.dtype.type(width - rest)
        moved = (moved << words.dtype.type(rest)) | carried
    kept = BitStream.pack(np.ones(stream.length))
    ones = kept.words if xp is np else kept.to_jax().words
    return BitStream(moved & ones, stream.length)


def _later(xp: Any, words: Any, count: int) -> Any:
    """Words moved ``count`` places up, zeros below."""
    zeros = xp.zeros_like(words[..., : min(count, words.shape[-1])])
    return xp.concatenate([zeros, words[..., : max(words.shape[-1] - count, 0)]], axis=-1)
