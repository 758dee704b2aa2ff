"""No two bits that meet come from the same random words."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from system.arithmetic.exact.addresses import purpose
from system.arithmetic.exact.gather import ProductName
from system.arithmetic.exact.layer import ExactLayers
from system.bitstream.sources.sobol import Sobol
from system.kernels import bernoulli, chain, comparison, memory
from system.kernels.philox import philox_definition

KEY = np.array([7, 8], np.uint32)
STREAMS, LIVES = np.arange(3, dtype=np.uint32), np.full(3, 5, np.uint32)


def test_each_operand_of_each_product_has_a_purpose_of_its_own() -> None:
    table = {
        "forward": (0, 1, 2, 3),
        "input_gradient": (4, 5, 6, 7),
        "weight_gradient": (8, 9, 10, 11),
    }
    assert set(table) == set(get_args(ProductName))
    for product, numbers in table.items():
        for part, number in zip(("a", "b", "padding", "select"), numbers, strict=True):
            assert purpose(product, part) == number  # type: ignore[arg-type]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Counters that the plain definitions ask Philox for."""
    asked: list[tuple[int, ...]] = []

    def recorded(counter: tuple[Any, ...], key: tuple[int, int]) -> Any:
        # A word is asked for at each of its 64 clocks; within a call each is counted once.
        parts = np.broadcast_arrays(*(np.asarray(part, np.int64) for part in counter))
        rows = np.stack([part.reshape(-1) for part in parts], 1)
        asked.extend(map(tuple, np.unique(rows, axis=0).tolist()))
        return philox_definition(counter, key)

    for module in (bernoulli, chain, comparison, memory):
        monkeypatch.setattr(module, "philox_definition", recorded)
    return asked


def test_bernoulli_draws_every_counter_once(drawn: list[tuple[int, ...]]) -> None:
    half = np.full(3, 32768, np.uint32)
    bernoulli.bernoulli_definition(half, STREAMS, LIVES, 1, KEY, 300)
    assert len(drawn) == 3 * 5 * 8  # streams, words, pairs of bits
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("kind", ["failing RESET", "memory"])
def test_numbers_of_a_device_never_share_a_counter(drawn: list[tuple[int, ...]], kind: str) -> None:
    address = STREAMS, LIVES, 1, KEY
    slots = (chain.CHAIN, chain.READ) if kind == "failing RESET" else (memory.HOLD, memory.READ)
    for slot in slots:
        comparison.number_definition(address, slot, 300)
    if kind == "memory":
        for slot in (memory.SCORE, memory.CYCLE):
            memory._scores_definition(address, slot, 300)
    assert len(drawn) >= 3 * 5 * 2 * 16
    assert len(set(drawn)) == len(drawn)
    assert max(row[0] for row in drawn) < comparison.STARTS  # where the first state is drawn


def test_sobol_streams_that_would_meet_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="dimension of its number"):
        ExactLayers("unipolar", "exact-counter", 64, Sobol(8))
