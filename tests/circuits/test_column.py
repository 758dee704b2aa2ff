"""The in-memory column's circuit: what it counts, which transistors it takes, what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.mac.column import (
    ColumnDesign,
    column_circuit,
    column_deck,
    column_design,
    column_pins,
    sample_times,
    write_voltage,
)
from circuits.mac.column_demo import STATES, WORD_BITS, column_demo
from circuits.mac.column_write import scheme_levels
from circuits.simulator import Simulator
from devices.cbram import CBRAM
from devices.presets import PRESETS, cbram_low_voltage, knag2014
from devices.technology import CMOS40LP


def settled(simulator: Simulator, device: CBRAM, states: list[int], words: list[int]) -> float:
    design = column_design(device, CMOS40LP, len(states))
    circuit = column_circuit(device, CMOS40LP, design, states, words)
    run = simulator.run(column_deck(circuit, design))
    return float(run["v(sn)"][-1])


@pytest.mark.parametrize("device", [knag2014(), cbram_low_voltage()], ids=list(PRESETS))
def test_only_a_stored_one_on_a_raised_word_line_draws_current(device: CBRAM) -> None:
    with Simulator() as simulator:
        both = settled(simulator, device, [1, 0, 0, 0], [1, 0, 0, 0])
        others = [
            settled(simulator, device, s, w)
            for s, w in (
                ([0, 0, 0, 0], [0, 0, 0, 0]),
                ([1, 1, 1, 1], [0, 0, 0, 0]),
                ([0, 0, 0, 0], [1, 0, 0, 0]),
            )
        ]
    step = others[0] - both
    assert step > 0.05
    # A stored 1 without its word line is nothing, an HRS with it a hundredth of a product.
    assert abs(others[1] - others[0]) < 2e-3 * step
    assert others[0] - others[2] == pytest.approx(step / 100, rel=0.35)


@pytest.mark.parametrize("name", PRESETS)
def test_the_demo_deck_counts_the_products(name: str) -> None:
    deck, remarks, lines = column_demo(PRESETS[name](), CMOS40LP)
    design = column_design(PRESETS[name](), CMOS40LP)
    with Simulator() as simulator:
        run = simulator.run(deck)
    over = np.interp(sample_times(design, 8), run.time, run["v(out)"]) > CMOS40LP.supply / 2
    products = sum(s * w for s, w in zip(STATES, WORD_BITS, strict=True))
    assert over.tolist() == [True] * products + [False] * (8 - products)
    assert len(lines) == 10
    assert any(str(products) in remark for remark in remarks)


def test_the_device_chooses_the_transistors() -> None:
    """3.6 V needs I/O transistors and 100 us, 0.6 V is borne by the core within 1 us."""
    high, low = column_design(knag2014(), CMOS40LP), column_design(cbram_low_voltage(), CMOS40LP)
    assert (high.access_role, high.driver_role, high.write_time) == ("nmos_io", "pmos_io", 1e-4)
    assert (low.access_role, low.driver_role, low.write_time) == ("nmos", "nmos_io", 1e-6)
    assert low.pitch == pytest.approx(4 * CMOS40LP.feature_size)
    with pytest.raises(ValueError, match="take a higher I/O class"):
        column_design(knag2014(), CMOS40LP.with_io("2.5"))


@pytest.mark.parametrize("name", PRESETS)
def test_a_read_disturbs_no_more_than_stated(name: str) -> None:
    device = PRESETS[name]()
    design = column_design(device, CMOS40LP)
    p = device.set.probability(np.array([design.read_voltage]), design.read_time)[0]
    assert p <= 1.001e-5
    assert design.read_voltage <= 0.4 * CMOS40LP.supply + 1e-12


def test_the_low_voltage_preset_is_assumed_throughout_and_sets_at_half_a_volt() -> None:
    device = cbram_low_voltage()
    assert write_voltage(device, 0.5, 1e-6) == pytest.approx(0.55, abs=1e-4)
    assert cbram_low_voltage(0.3).set.tau0 == pytest.approx(device.set.tau0, rel=1e-9)
    parameters = [device.set.tau_ref, device.set.v0, device.endurance, device.ideal_reset_time]
    parameters += [parameter for _, parameter in device.conduction.parameters()]
    assert {parameter.source for parameter in parameters} == {"assumed"}


def test_a_trim_of_one_tenth_takes_five_bits_and_no_trim_none() -> None:
    assert ColumnDesign(offset_left=0.1).trim_bits == 5
    assert replace(ColumnDesign(), offset_left=1.0).trim_bits == 0


def test_wrong_lengths_and_unknown_schemes_are_refused() -> None:
    design = column_design(knag2014(), CMOS40LP, 4)
    assert column_pins(design)[:5] == ("wl0", "wl1", "wl2", "wl3", "bl0")
    with pytest.raises(ValueError, match="need 4 values"):
        column_circuit(knag2014(), CMOS40LP, design, [1, 0, 1], [1, 1, 1, 1])
    with pytest.raises(ValueError, match="there is sequential"):
        scheme_levels("by hand", design, CMOS40LP, 2.6, 3.5)
