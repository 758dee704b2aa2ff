"""One seed, a tree of independent generators: each is named by what it is used for."""

from __future__ import annotations

import hashlib

import numpy as np


def seed_sequence(seed: int, *names: str | int) -> np.random.SeedSequence:
    """The numpy seed sequence of the branch ``names`` below ``seed``.

    A branch depends on its names only, so adding a use of randomness never moves another one.
    """
    key = "\0".join(f"{type(name).__name__}:{name}" for name in names)
    words = np.frombuffer(hashlib.sha256(key.encode()).digest(), dtype=np.uint32)
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(int(word) for word in words))


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator for the branch ``names`` below ``seed``."""
    return np.random.Generator(np.random.PCG64(seed_sequence(seed, *names)))


def integer_seed(seed: int, *names: str | int) -> int:
    """A 32-bit seed of the branch, for libraries that take an integer (JAX keys, splits)."""
    return int(seed_sequence(seed, *names).generate_state(1)[0])
