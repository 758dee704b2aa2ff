"""A crossbar with wires: closed forms, reciprocity, and ngspice on a tile of the mapped network."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.crossbar import column_currents
from circuits.simulator import Simulator
from devices.binary_states import BinaryStates
from devices.crossbar import transfer
from formats.seeds import generator
from system.binarized.pairs import Pairs, draw_plane

STATES = BinaryStates.of_spread(1e5, 10, 0.3, 0.3)


def conductances(rows: int, columns: int) -> np.ndarray:
    random = generator(0, "crossbar", rows, columns)
    on = random.random((rows, columns)) < 0.5
    return STATES.conductances(on, random.standard_normal(on.shape))


def test_without_wires_it_is_the_conductances() -> None:
    g = conductances(5, 7)
    np.testing.assert_array_equal(transfer(g, 0), g)


def test_one_cell_is_three_resistances_in_series() -> None:
    assert transfer(np.array([[1e-5]]), 50.0)[0, 0] == pytest.approx(1 / (1e5 + 100))


def test_two_cells_on_one_row_are_a_ladder() -> None:
    """Solved by hand: the second cell hangs behind one more segment."""
    a, b, r = 2e3, 5e3, 100.0
    second = r + b + r
    joined = 1 / (1 / (a + r) + 1 / second)
    first_node = joined / (joined + r)
    found = transfer(np.array([[1 / a, 1 / b]]), r)[0]
    assert found == pytest.approx([first_node / (a + r), first_node / second])


def test_wide_and_tall_arrays_are_one_another_turned_over() -> None:
    """Sources and grounds change places (reciprocity); both ways of solving meet."""
    g = conductances(4, 9)
    turned = transfer(g[::-1, ::-1].T, 500.0)
    np.testing.assert_allclose(transfer(g, 500.0), turned[::-1, ::-1].T, rtol=1e-9)


def test_column_currents_of_a_mapped_tile_are_those_of_ngspice() -> None:
    """8 rows, 4 outputs in pairs; the effective weights against the two columns' currents."""
    plane = np.where(generator(1, "tile").random((8, 4)) < 0.5, -1.0, 1.0)
    pairs = Pairs(STATES, segment=20.0)
    weights, _, _ = draw_plane(plane, pairs, generator(2, "tile"))
    # The same devices, drawn once more.
    on = np.stack([plane > 0, plane < 0], axis=2).reshape(8, 8)
    g = STATES.conductances(on, generator(2, "tile").standard_normal((1, 8, 8)))[0]
    voltages = 0.1 * (generator(3, "tile").random(8) < 0.5)
    with Simulator(cache="off") as simulator:
        currents = column_currents(simulator, g, 20.0, voltages)
    ours = voltages @ weights * STATES.unit
    np.testing.assert_allclose(currents[0::2] - currents[1::2], ours, rtol=1e-7)
    without = voltages @ g
    assert np.abs(currents / without - 1).max() > 1e-3  # the wires matter


@pytest.mark.parametrize("segment", [-1.0, np.inf, np.nan])
def test_wires_that_are_none_are_refused(segment: float) -> None:
    with pytest.raises(ValueError, match="0 ohm or more"):
        transfer(conductances(2, 2), segment)
