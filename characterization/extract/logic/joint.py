"""Joint laws of successive input states, and the energy of a cell under them.

A joint law is an array J[before, after]: how often, per bit, the inputs go from one state to
another. A state counts the inputs as bits, the first one most significant. Held signals make one
transition a bit (the sum of J is 1); return-to-zero signals make two (0 -> x -> 0; the sum is 2).
With a table of transition energies, correlation in time and between inputs included,

    energy per bit = sum of table * J.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIGNALLING = ("held", "return-to-zero")


def expected_energy(table: np.ndarray, joint: np.ndarray) -> float:
    """Energy (J) per bit; raises ValueError where the two are of different cells."""
    if table.shape != joint.shape:
        raise ValueError(f"a table of {table.shape} states, a joint law of {joint.shape}")
    return float(np.sum(table * joint))


def states(probabilities: Sequence[float]) -> np.ndarray:
    """Probability of each state of independent inputs with these probabilities of a 1."""
    law = np.array([1.0])
    for p in _checked(probabilities):
        law = np.outer(law, [1.0 - p, p]).ravel()
    return law


def fresh(law: np.ndarray) -> np.ndarray:
    """Held signals whose states are drawn anew for each bit from ``law`` (any, over states)."""
    return np.outer(law, law)


def independent(probabilities: Sequence[float]) -> np.ndarray:
    """Held, inputs independent of each other and from bit to bit."""
    return fresh(states(probabilities))


def return_to_zero(law: np.ndarray, rest: int = 0) -> np.ndarray:
    """Every bit returns to the state ``rest`` before the next; ``law`` over states."""
    joint = np.zeros((law.size, law.size))
    joint[rest] += law
    joint[:, rest] += law
    return joint


def signalled(law: np.ndarray, signalling: str, rest: int = 0) -> np.ndarray:
    """States drawn anew for each bit, by the cell's signalling; raises ValueError for another."""
    if signalling not in SIGNALLING:
        raise ValueError(f"signalling {signalling!r}: expected one of {', '.join(SIGNALLING)}")
    return fresh(law) if signalling == "held" else return_to_zero(law, rest)


def lagged(probabilities: Sequence[float], correlations: Sequence[float]) -> np.ndarray:
    """Held, independent inputs, each with its lag-1 autocorrelation (1: it never changes).

    Raises ValueError for a correlation no stationary bit stream of that probability has.
    """
    joint = np.ones((1, 1))
    for p, rho in zip(_checked(probabilities), correlations, strict=True):
        spread = rho * p * (1 - p)
        pair = np.array(
            [[(1 - p) ** 2 + spread, p * (1 - p) - spread], [p * (1 - p) - spread, p * p + spread]]
        )
        if np.any(pair < -1e-12):
            lowest = -min(p / (1 - p), (1 - p) / p) if 0 < p < 1 else 0.0
            raise ValueError(
                f"lag-1 correlation {rho:g} at P(1) = {p:g}: possible are {lowest:.3g} to 1"
            )
        joint = np.kron(joint, np.maximum(pair, 0.0))
    return joint


def realised(streams: np.ndarray) -> np.ndarray:
    """Shares of the transitions in realised bits, shape (time, inputs); two vectors or more."""
    bits = np.asarray(streams, dtype=int)
    count = bits.shape[1]
    numbers = bits @ (1 << np.arange(count)[::-1])
    joint = np.zeros((2**count, 2**count))
    np.add.at(joint, (numbers[:-1], numbers[1:]), 1.0)
    return joint / (numbers.size - 1)


def _checked(probabilities: Sequence[float]) -> list[float]:
    for p in probabilities:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"probability {p:g}: expected 0 to 1")
    return [float(p) for p in probabilities]
