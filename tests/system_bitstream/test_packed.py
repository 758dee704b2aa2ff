"""Packed streams against plain arrays of bits."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from system.bitstream import BitStream, StreamRules

LENGTHS = (1, 5, 63, 64, 65, 128, 200, 257)


@pytest.mark.parametrize("length", LENGTHS)
def test_packing_keeps_every_bit_and_counts_it(length: int) -> None:
    bits = np.random.default_rng(length).integers(0, 2, (3, 2, length)).astype(np.uint8)
    stream = BitStream.pack(bits)
    assert stream.shape == (3, 2)
    assert np.array_equal(stream.unpack(), bits)
    assert np.array_equal(stream.count(), bits.sum(-1))
    assert np.array_equal(stream[1].unpack(), bits[1])
    assert np.array_equal(stream[np.array([2, 0])].unpack(), bits[[2, 0]])
    assert np.array_equal(stream.reshape(6).unpack(), bits.reshape(6, length))


@pytest.mark.parametrize("length", LENGTHS)
def test_logic_on_packed_streams_is_logic_on_bits_in_numpy_and_jax(length: int) -> None:
    rng = np.random.default_rng(length)
    a, b = (rng.integers(0, 2, (4, length)).astype(np.uint8) for _ in range(2))
    for convert in (BitStream.to_numpy, BitStream.to_jax):
        x, y = convert(BitStream.pack(a)), convert(BitStream.pack(b))
        assert np.array_equal((x & y).unpack(), a & b)
        assert np.array_equal((x | y).unpack(), a | b)
        assert np.array_equal((x ^ y).unpack(), a ^ b)
        assert np.array_equal((~x).unpack(), 1 - a)
        assert np.array_equal(np.asarray((~x).count()), length - a.sum(-1))


def test_words_of_another_shape_or_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 along the last axis"):
        BitStream(np.zeros((3, 1), np.uint64), 65)
    with pytest.raises(ValueError, match="expected uint64"):
        BitStream(np.zeros((3, 2), np.int64), 65)
    with pytest.raises(ValueError, match="expected uint32"):
        BitStream(jnp.zeros((3, 2), jnp.int32), 64)
    with pytest.raises(ValueError, match="beyond the length of 3"):
        BitStream(np.array([9], np.uint64), 3)
    with pytest.raises(ValueError, match="64 and of 65"):
        BitStream.pack(np.ones(64)) & BitStream.pack(np.ones(65))


@pytest.mark.parametrize("life", ["image", "batch", "7"])
@pytest.mark.parametrize("sharing", ["parameter", "use", "turns:4", "common:12"])
def test_rules_are_read_and_written_in_the_same_words(life: str, sharing: str) -> None:
    rules = StreamRules.parse(life, sharing)
    assert (rules.life_text, rules.sharing_text) == (life, sharing)


@pytest.mark.parametrize(
    ("life", "sharing"), [("0", "use"), ("-1", "use"), ("image", "turns:1"), ("image", "two")]
)
def test_rules_in_other_words_are_refused(life: str, sharing: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        StreamRules.parse(life, sharing)


def test_lives_and_generators_follow_the_rules() -> None:
    assert StreamRules(1).lives(4).tolist() == [0, 1, 2, 3]
    assert StreamRules(0).lives(4).tolist() == [0, 0, 0, 0]
    assert StreamRules(3).lives(7).tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert StreamRules(1, "turns", 4).generators(10) == 3
    assert StreamRules(1, "use").generators(10, 784) == 7840
    assert StreamRules(1, "common", 2).generator_of(5).tolist() == [0, 0, 1, 1, 2]
