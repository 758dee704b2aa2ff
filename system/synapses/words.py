"""Many random words for one step of training, cheaply.

Threefry-2x32 of Salmon et al., SC11 (2011), with 13 rounds, the fewest they report without a
failure in BigCrush (recalled), and both words of each block: a third of the work of
``system.arithmetic.noise.random_words``, whose words are those of JAX itself.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = np.uint32(0x1BD11BDA)
_ROUNDS = 13


def paired_words(key: jax.Array, count: int) -> jax.Array:
    """``count`` uint32 words of a threefry2x32 key: first words of the blocks (i, 0), then seconds.

    Fewer than 2^33 words.
    """
    half = -(-count // 2)
    first, second = jax.random.key_data(key)
    return jnp.concatenate(blocks(first, second, jax.lax.iota(jnp.uint32, half), 0))[:count]


def blocks(key0: jax.Array, key1: jax.Array, x: jax.Array, y: int) -> tuple[jax.Array, jax.Array]:
    """The two words of each block (x, y) under a key of two words."""
    keys = key0, key1, key0 ^ key1 ^ _PARITY
    a, b = x + keys[0], jnp.broadcast_to(np.uint32(y) + keys[1], x.shape)
    for done in range(_ROUNDS):
        rotation = _ROTATIONS[done // 4 % 2][done % 4]
        a = a + b
        b = ((b << rotation) | (b >> (32 - rotation))) ^ a
        if done % 4 == 3:
            group = done // 4 + 1
            a, b = a + keys[group % 3], b + keys[(group + 1) % 3] + np.uint32(group)
    # Without the barrier XLA makes the words anew wherever they are read.
    return jax.lax.optimization_barrier((a, b))


def uniform(words: jax.Array) -> jax.Array:
    """Uniform variates in [0, 1) of the highest 24 bits."""
    return (words >> 8).astype(jnp.float32) * np.float32(2.0**-24)


def scrambled(words: jax.Array) -> jax.Array:
    """Other words of the same (the finaliser of MurmurHash3, a bijection; Appleby, recalled).

    What is known of a word's highest bits says nothing simple of the result, so that one word
    serves first for a decision and then for the size of what was decided.
    """
    words = (words ^ (words >> 16)) * np.uint32(0x85EBCA6B)
    words = (words ^ (words >> 13)) * np.uint32(0xC2B2AE35)
    return words ^ (words >> 16)
