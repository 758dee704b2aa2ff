"""The characterised column: model against ngspice, write schemes, energies, areas, errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from characterization.extract.column.access import access_curves
from characterization.extract.column.character import (
    ColumnCharacter,
    characterise_column,
    sense_at,
)
from characterization.extract.column.ladder import solve_ladder
from characterization.extract.column.read import characterise_read
from characterization.extract.column.write import PROBABILITIES
from circuits.foundry import load_technology
from circuits.mac.column import (
    column_circuit,
    column_deck,
    column_design,
    read_start,
    write_voltage,
)
from circuits.mac.column_write import half_select_circuit, half_select_deck
from circuits.simulator import Simulator, Waveforms
from devices.cbram import CBRAM
from devices.presets import cbram_low_voltage, knag2014
from devices.technology import CMOS40LP
from formats.errors import InputError

HALF = int(np.flatnonzero(PROBABILITIES == 0.5)[0])


@pytest.fixture(scope="module")
def high() -> ColumnCharacter:
    with Simulator() as simulator:
        return characterise_column(simulator, knag2014(), CMOS40LP)


@pytest.fixture(scope="module")
def low() -> ColumnCharacter:
    with Simulator() as simulator:
        return characterise_column(simulator, cbram_low_voltage(), CMOS40LP)


@pytest.mark.parametrize("n", [8, 16])
def test_the_whole_circuit_has_the_sense_voltage_of_the_nodal_solution(
    n: int, high: ColumnCharacter
) -> None:
    """Drawn bits and resistances: within 2 % of a step from count to count."""
    device = knag2014()
    design = column_design(device, CMOS40LP, n)
    random = np.random.default_rng(n)
    cells, stage = high.cells, sense_at(device, high.design, high.sense, 0.1)(n)
    # A run of cells in the middle, then everything on: the drop along the line shows most there.
    cases = [random.integers(0, 2, (2, n)) for _ in range(3)] + [np.ones((2, n), int)]
    with Simulator() as simulator:
        for states, words in cases:
            lrs = cells.r_lrs * np.exp(0.3 * random.standard_normal(n))
            hrs = cells.r_hrs * np.exp(0.5 * random.standard_normal(n))
            circuit = column_circuit(device, CMOS40LP, design, states, words, (), lrs, hrs)
            run = simulator.run(column_deck(circuit, design))
            found = float(np.interp(read_start(design), run.time, run["v(sn)"]))
            on = np.where(states == 1, 1 / (lrs + cells.on_lrs), 1 / (hrs + cells.on_hrs))
            off = np.where(states == 1, cells.off_lrs, cells.off_hrs)
            seen, _ = solve_ladder(np.where(words == 1, on, off), stage.wire, stage.ground)
            expected = float(stage.voltage(seen[None])[0])
            more = float(stage.voltage(np.array([seen + 1 / (cells.r_lrs + cells.on_lrs)]))[0])
            assert found == pytest.approx(expected, abs=0.02 * (expected - more))


def test_prediction_and_simulated_patterns_agree(
    high: ColumnCharacter, low: ColumnCharacter
) -> None:
    for column in (high, low):
        assert column.model_error < 0.02
        assert np.max(column.read.settling) < column.design.settle_time
        assert column.read.decision_delay < column.design.decision_time / 2


def test_a_sequential_write_has_its_p_as_a_transient(high: ColumnCharacter) -> None:
    """Operating points give the control voltage of P = 1/2; a pulse with its edges the exposure."""
    device, scheme = knag2014(), high.schemes["sequential"]
    run = write_transient(device, high, float(scheme.control[HALF]))
    exposure = float(np.sum(device.exposures(run.time, run["v(bl)"] - run["v(bea)"])[0]))
    assert float(device.set.probability_of_exposure(np.array(exposure))) == pytest.approx(
        0.5, abs=2e-3
    )


def test_write_energy_is_the_mean_over_the_switching_time(low: ColumnCharacter) -> None:
    """Four transients at Gauss-Legendre quantiles and one without switching, within 3 %."""
    device, scheme = cbram_low_voltage(), low.schemes["sequential"]
    control = float(scheme.control[HALF])
    x, w = np.polynomial.legendre.leggauss(4)
    thresholds = device.set.exposure_of_probability(0.5 * (x + 1) / 2)
    energies = []
    for threshold in (*thresholds, 1e12):
        run = write_transient(device, low, control, float(threshold))
        power = np.maximum(-run["v(vb0)"] * run["i(vvb0)"], 0.0)
        energies.append(float(np.trapezoid(power, run.time)))
    mean = 0.5 * float(w @ energies[:4]) / 2 + 0.5 * energies[4]
    assert scheme.energy[HALF] == pytest.approx(mean, rel=0.03)


def write_transient(
    device: CBRAM, column: ColumnCharacter, voltage: float, threshold: float = 1e12
) -> Waveforms:
    with Simulator() as simulator:
        circuit = half_select_circuit(device, CMOS40LP, column.design, voltage, threshold)
        return simulator.run(half_select_deck(circuit, column.design))


def test_only_the_sequential_scheme_takes_n_pulses(high: ColumnCharacter) -> None:
    times = {name: scheme.time for name, scheme in high.schemes.items()}
    one = high.design.write_cycle
    assert times["sequential"] == pytest.approx(high.fan_in * one)
    assert all(t == pytest.approx(one) for name, t in times.items() if name != "sequential")


def test_half_selected_cells_of_a_sequential_write_stay(
    high: ColumnCharacter, low: ColumnCharacter
) -> None:
    for column in (high, low):
        scheme = column.schemes["sequential"]
        assert 0 < scheme.disturb_set < 1e-5
        assert scheme.disturb_reset == 0.0
        assert scheme.borne


def test_raised_source_lines_reset_other_columns(high: ColumnCharacter) -> None:
    scheme = high.schemes["source-line"]
    assert scheme.disturb_voltage == pytest.approx(-(3.567 - 2.679), abs=0.03)
    assert scheme.disturb_reset == 1.0


def test_a_current_limited_word_line_cannot_set_p(
    high: ColumnCharacter, low: ColumnCharacter
) -> None:
    """In common source the threshold's mismatch alone moves P from 1/2 to nearly 0 or 1."""
    for column in (high, low):
        word, sequential = column.schemes["word-line"], column.schemes["sequential"]
        assert word.sigma_threshold[HALF] > 0.3
        assert sequential.sigma_threshold[HALF] < 0.01
        assert word.slope[HALF] > 5 * sequential.slope[HALF]


def test_the_follower_s_word_line_is_more_than_the_transistor_bears_at_high_voltage(
    high: ColumnCharacter, low: ColumnCharacter
) -> None:
    rating = CMOS40LP.transistors["nmos_io"].ratings.lowest
    assert high.schemes["word-line-follower"].word_line > rating
    assert not high.schemes["word-line-follower"].borne
    assert low.schemes["word-line-follower"].borne


def test_a_shared_driver_lowers_p_and_anticorrelates_the_cells(low: ColumnCharacter) -> None:
    for voltage in range(len(low.group_voltages)):
        column = [row[voltage] for row in low.group_writes]
        marginals = [group.marginal for group in column]
        assert np.all(np.diff(marginals) < 0)
        assert all(group.correlation < 1e-9 for group in column)
        assert column[1].correlation < -0.005


def test_the_core_transistor_s_cell_is_4f_by_12f(
    high: ColumnCharacter, low: ColumnCharacter
) -> None:
    assert low.cell_area == pytest.approx(0.0768e-12, rel=1e-6)
    assert high.cell_area > 8 * low.cell_area
    assert low.area > 10 * low.cell_area  # the sense stage and drivers, shared by 8 cells


def test_energy_grows_with_both_operands_and_is_the_sum_of_its_parts(
    high: ColumnCharacter,
) -> None:
    assert np.all(np.diff(high.energy, axis=0) >= 0)
    assert np.all(np.diff(high.energy, axis=1) > 0)
    assert high.energy[5, 5] == pytest.approx(sum(high.energy_parts.values()))
    # With all word lines off: comparator and ladder; with HRS on all of them, their edges.
    fixed = high.energy_parts["comparator"] + high.energy_parts["ladder"]
    assert high.energy[0, 0] == pytest.approx(fixed, rel=1e-3)
    raised = fixed + 2 * high.energy_parts["word line"]
    assert raised < high.energy[0, -1] < 1.05 * raised
    assert high.leakage * high.fan_in == pytest.approx(high.read.leakage)


def test_the_usable_n_is_the_spread_s_and_untrimmed_the_offset_s(
    high: ColumnCharacter, low: ColumnCharacter
) -> None:
    for column in (high, low):
        usable = {share: curve.usable for share, curve in column.curves.items()}
        assert usable[1.0] < usable[0.1] <= usable[0.0]
        assert column.usable == usable[column.design.offset_left] >= column.fan_in
        assert np.all(np.diff(column.line_drop) > 0)
        assert column.line_drop[-1] < 0.01


def test_another_corner_and_temperature_are_characterised(low: ColumnCharacter) -> None:
    """Slow and cold the model still holds; hot and fast, cells that are off leak."""
    device = cbram_low_voltage()
    with Simulator() as simulator:
        found = characterise_column(simulator, device, CMOS40LP.at("ss", 250.0))
        hot = access_curves(simulator, CMOS40LP.at("ff", 380.0), low.design, 1.0)
    assert found.model_error < 0.03
    assert found.schemes["sequential"].borne
    assert hot.leakage(0.3, 1e5) > 10 * low.access.leakage(0.3, 1e5)


def test_an_open_library_gives_the_same_column_unchanged(low: ColumnCharacter) -> None:
    """FreePDK45 where it is installed: other transistors, the same device and arithmetic."""
    try:
        technology = load_technology("freepdk45")
    except InputError as error:
        pytest.skip(str(error))
    with Simulator() as simulator:
        found = characterise_column(simulator, cbram_low_voltage(), technology)
    assert found.model_error < 0.02
    assert found.usable == low.usable
    assert found.schemes["sequential"].control == pytest.approx(
        low.schemes["sequential"].control, rel=1e-3
    )


def test_what_no_transistor_writes_or_does_not_settle_is_refused(low: ColumnCharacter) -> None:
    with Simulator() as simulator:
        with pytest.raises(InputError, match="take a higher I/O class"):
            characterise_column(simulator, knag2014(), CMOS40LP.with_io("2.5"))
        slow = replace(low.design, settle_time=0.5e-9)
        with pytest.raises(InputError, match="raise settle_time"):
            characterise_column(simulator, cbram_low_voltage(), CMOS40LP, slow)


def test_the_same_column_twice_is_the_same(low: ColumnCharacter) -> None:
    device, design = cbram_low_voltage(), low.design
    step = -np.diff(low.counts[0.5].sense_voltage)
    with Simulator(2) as simulator:
        again = characterise_read(simulator, device, CMOS40LP, design, step)
    assert np.array_equal(again.voltage, low.read.voltage)
    assert again.leakage == low.read.leakage
    assert write_voltage(device, 0.5, design.write_time) == low.group_voltages[2]
