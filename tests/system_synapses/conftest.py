"""A tiny network on a few digits, trained on synapses."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from devices.synapse import PRESETS, Synapse
from formats.seeds import generator
from system.images import Images, load_images
from system.networks import build_network
from system.synapses.crossbars import Programmed, crossbars_of, programmed
from system.synapses.learning import Course


@pytest.fixture(scope="module", autouse=True)
def compiled_quickly(quickly: None) -> None:
    """All modules of this folder; see ``quickly``."""


@pytest.fixture(scope="session")
def digits() -> Images:
    """Images of 8x8 pixels."""
    return load_images("digits", 200, 100)


@dataclasses.dataclass(frozen=True)
class Bench:
    """A course and the devices it begins with."""

    course: Course
    start: Programmed


def bench(
    cells: str = "pair", network: str = "mlp", recentre: bool = False, **what_if: Any
) -> Bench:
    """Synapses of dynamic range 15 and 32 levels, unless said otherwise."""
    synapse: Synapse = PRESETS["limited-15-32"]().assuming(**what_if)
    template = build_network(network, generator(1, "weights"), 8, 10)
    crossbars = crossbars_of(template, cells)
    course = Course(
        synapse, crossbars, template, "gradient", 0.4, 3, 20, 10, recentre=recentre, seed=1
    )
    return Bench(course, programmed(template, crossbars, synapse, 1))


@pytest.fixture
def make_bench() -> Any:
    """:func:`bench`."""
    return bench
