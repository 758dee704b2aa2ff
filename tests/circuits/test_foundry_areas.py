"""The table of poly pitches is what the netlists of the cells have."""

from __future__ import annotations

import pytest

from circuits.cell_area import cell_pitches, derived_area
from circuits.logic.gates import GATES
from devices.technology import CMOS40LP
from devices.technology.areas import PITCHES


@pytest.mark.parametrize("name", [name for name in GATES if name in PITCHES])
def test_pitches_of_the_table_are_those_of_the_netlist(name: str) -> None:
    cell = GATES[name].subcircuit(CMOS40LP)
    assert cell_pitches(cell, CMOS40LP) == PITCHES[name]
    assert derived_area(cell, CMOS40LP) == CMOS40LP.gate_area_table[name].derived
