"""Resistances, gate voltage and graded RESET: simulated truth, and the measured sweeps."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from characterization.fit.conduction.distribution import anderson_darling_p, distribution_of
from characterization.fit.conduction.figure import graded_figure
from characterization.fit.conduction.gate import fit_lrs_vs_gate
from characterization.fit.conduction.graded_reset import fit_graded_reset
from characterization.fit.conduction.held_out import score_held_out_widths
from characterization.fit.conduction.hrs_iv import fit_hrs_iv, fit_hrs_table
from characterization.fit.conduction.resistances import resistances_of
from characterization.fit.table.base import Table, table_of_frame
from devices.conduction import GradedReset, LrsVsGate
from devices.parameter import Parameter
from formats.errors import InputError

R_MAX = Parameter(150e3, "ohm", "taken", "median HRS of the set sweep")
WIDTHS = np.array([2e-8, 1e-7, 4e-7, 1e-6, 2e-6])


def p(value: float) -> Parameter:
    return Parameter(value, "1", "assumed")


def truth(two_modes: bool) -> GradedReset:
    rest = {"v_half": 2.2, "v_half_scale": 0.2, "share_max": 0.8, "dip": 0.2} if two_modes else {}
    return GradedReset(
        1e-6,
        *(p(value) for value in (9e3, 0.08, 150e3, 3.0, 0.3, 0.5, 0.8)),
        valid_voltage=(0.5, 4.0),
        valid_width=(2e-8, 2e-6),
        **{name: p(value) for name, value in rest.items()},
    )


def simulated(two_modes: bool, per_condition: int, seed: int) -> tuple[np.ndarray, ...]:
    v, t = np.meshgrid(np.arange(1.0, 4.1, 0.5), WIDTHS)
    v, t = np.repeat(v.ravel(), per_condition), np.repeat(t.ravel(), per_condition)
    return v, t, truth(two_modes).sample(np.random.default_rng(seed), v, t)


def reset_sweep(folder: Path, lowest: float = 0.0) -> tuple[np.ndarray, ...]:
    """|V|, width and R_after of the measured RESET sweep at word lines that do not limit."""
    names = ["address", "width", "gate", "v", "before", "after"]
    path = folder / "nirram_tsmc40" / "reset_sweep.tsv.gz"
    rows = pd.read_csv(path, sep="\t", header=None, names=names)
    rows = rows[(rows.gate >= 2.4) & (rows.v >= lowest)]
    return rows.v.to_numpy(), rows.width.to_numpy(), rows.after.to_numpy()


def test_graded_fit_recovers_two_modes_and_their_share() -> None:
    """Ten values within 4 standard errors: false-alarm rate 6e-4; fixed seed."""
    fit = fit_graded_reset(*simulated(True, 80, 1), r_max=R_MAX)
    assert fit.chosen == "two modes, a part never RESETs"
    true = truth(True)
    shift = true.v_per_efold.value * np.log(fit.law.reference_width / 1e-6)
    for name in fit.order:
        found, value = getattr(fit.law, name), getattr(true, name).value
        if name in ("v_on", "v_half"):
            value -= shift
        assert abs(found.value - value) < 4 * found.stderr, name
        assert found.source == "fitted"
    v, t = fit.conditions.voltage, fit.conditions.width
    miss = fit.law.probability_above(20e3, v, t) - true.probability_above(20e3, v, t)
    assert np.abs(miss).max() < 0.05


def test_one_mode_is_chosen_where_every_cell_moves() -> None:
    fit = fit_graded_reset(*simulated(False, 40, 2), r_max=R_MAX)
    assert fit.chosen == "one mode"
    assert not fit.law.bimodal
    assert fit.law.v_scale.value == pytest.approx(0.5, abs=0.06)
    assert fit.conditions.r_squared_median > 0.99


def test_graded_fit_does_not_depend_on_polarity_or_the_order_of_rows() -> None:
    v, t, r = simulated(True, 20, 3)
    order = np.random.default_rng(0).permutation(v.size)
    one = fit_graded_reset(v, t, r, R_MAX, errors=False)
    other = fit_graded_reset(-v[order], t[order], r[order], R_MAX, errors=False)
    assert one.shapes[-1].log_likelihood == pytest.approx(other.shapes[-1].log_likelihood, abs=0.01)


def test_rows_without_a_resistance_are_counted_with_their_reason() -> None:
    v, t, r = simulated(True, 30, 3)
    r[:3] = [np.nan, -1.0, 0.0]
    fit = fit_graded_reset(v, t, r, R_MAX, shapes=("one mode",), errors=False)
    assert fit.excluded == (("the resistance after the pulse is not a positive number", 3),)
    assert any("3 rows" in sentence for sentence in fit.sentences)


def test_no_reset_and_one_voltage_are_refused() -> None:
    v, t, r = simulated(True, 30, 3)
    still = v < 1.2
    with pytest.raises(InputError, match="one value of the voltages"):
        fit_graded_reset(v[still], t[still], r[still])
    flat = np.exp(np.random.default_rng(1).normal(9, 0.05, v.size))
    with pytest.raises(InputError, match="no RESET seen"):
        fit_graded_reset(v, t, np.minimum(flat, np.exp(9.1)))
    with pytest.raises(InputError, match="both signs"):
        fit_graded_reset(np.where(still, -v, v), t, r)


def test_measured_reset_has_two_modes_and_the_law_meets_its_fractions(data_folder: Path) -> None:
    rows = reset_sweep(data_folder)
    fit = fit_graded_reset(*rows, r_max=R_MAX, thresholds=(15e3, 20e3, 30e3))
    one_mode = fit.shapes[0].log_likelihood
    assert max(shape.log_likelihood for shape in fit.shapes) - one_mode > 700
    told = fit.conditions
    hardest = (told.voltage == 3.0) & (told.width == 2e-6)
    np.testing.assert_allclose(told.above[hardest][0], [0.54, 0.47, 0.22], atol=0.005)
    np.testing.assert_allclose(told.above_law[hardest][0], [0.54, 0.47, 0.22], atol=0.05)
    assert np.abs(told.above - told.above_law).max() < 0.07
    assert told.r_squared_above > 0.98
    assert any("two modes" in sentence for sentence in fit.sentences)


def test_measured_widths_left_out_are_predicted_better_than_by_voltage_alone(
    data_folder: Path,
) -> None:
    rows = reset_sweep(data_folder, lowest=2.5)
    fit = fit_graded_reset(*rows, r_max=R_MAX, thresholds=(15e3,), errors=False)
    held = score_held_out_widths(fit, *rows)
    assert held.inside.tolist() == [False, True, True, True, True, True, False]
    assert np.all(held.law > held.constant)
    assert np.all(held.law_above[:, 0] > held.constant_above[:, 0])
    assert held.law @ held.count > held.one_mode @ held.count
    assert held.count.sum() == rows[0].size


def test_graded_figure_is_drawn_without_touching_pyplot() -> None:
    rows = simulated(True, 20, 5)
    fit = fit_graded_reset(*rows, r_max=R_MAX, shapes=("two modes",), errors=False)
    before = plt.get_fignums()
    figure = graded_figure(fit, *rows)
    assert plt.get_fignums() == before
    assert len(figure.axes) == 5  # the shortest width, the three that RESET most, the fractions
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    assert stream.tell() > 10_000


GATE = LrsVsGate(2.0, *(p(x) for x in (800.0, 1.7, 0.4, 5.5e3, 0.08, 0.7)), valid_gate=(0.5, 3.4))


def gate_rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    gate = np.repeat(np.arange(0.5, 3.45, 0.1), 80)
    noise = np.random.default_rng(seed).standard_normal(gate.size)
    return gate, GATE.median(gate) * np.exp(GATE.sigma(gate) * noise)


def test_gate_law_is_recovered_though_the_threshold_hides_high_resistances() -> None:
    """Six values within 4 standard errors: false-alarm rate 4e-4; fixed seed."""
    gate, r = gate_rows(1)
    fit = fit_lrs_vs_gate(gate, r, switched_below=50e3, reference_gate=2.0)
    hidden = int(np.sum(r >= 50e3))
    assert hidden > 30
    assert fit.excluded == (("not below 50000 ohm: not switched", hidden),)
    for name in fit.order:
        found = getattr(fit.law, name)
        assert abs(found.value - getattr(GATE, name).value) < 4 * found.stderr, name
    kept = r < 50e3
    ignoring = fit_lrs_vs_gate(gate[kept], r[kept], reference_gate=2.0)
    lowest = np.array(0.5)
    error, biased = (
        abs(np.log(float(law.median(lowest) / GATE.median(lowest))))
        for law in (fit.law, ignoring.law)
    )
    assert biased > 2 * error


def test_measured_lrs_falls_with_the_word_line_as_a_power_on_a_series_resistance(
    data_folder: Path,
) -> None:
    names = ["address", "width", "gate", "v", "before", "after"]
    path = data_folder / "nirram_tsmc40" / "set_sweep.tsv.gz"
    rows = pd.read_csv(path, sep="\t", header=None, names=names)
    rows = rows[(rows.before > 50e3) & (rows.v > 2.9)]
    fit = fit_lrs_vs_gate(rows.gate.to_numpy(), rows.after.to_numpy(), switched_below=50e3)
    assert fit.gate.size == 30  # 2.3999999999999995 V is 2.4 V
    assert fit.r_squared > 0.99
    assert np.abs(fit.median_law / fit.median - 1).max() < 0.12
    assert fit.gain_of_series > 500
    assert 0.3 < fit.law.v_t.value < 0.5


def test_too_few_gate_voltages_are_refused() -> None:
    with pytest.raises(InputError, match="4 gate voltages"):
        fit_lrs_vs_gate(np.repeat([1.0, 2.0, 3.0, 3.2], 30), np.full(120, 1e4))


def test_sinh_current_is_recovered_and_bad_points_are_counted() -> None:
    """V_s and I0 within 4 standard errors: false-alarm rate 1.3e-4; fixed seed."""
    random = np.random.default_rng(4)
    v = np.linspace(-1, 1, 41)
    i = 1e-9 * np.sinh(v / 0.2) * np.exp(0.05 * random.standard_normal(41))
    i[3] *= -1
    fit = fit_hrs_iv(v, i)
    assert sorted(count for _, count in fit.excluded) == [1, 1]
    for found, value in ((fit.law.v_s, 0.2), (fit.law.i0, 1e-9)):
        assert found.stderr is not None
        assert abs(found.value - value) < 4 * found.stderr
    assert fit.sigma_ln_current == pytest.approx(0.05, rel=0.4)
    assert fit.bounded


def test_ohmic_current_bounds_v_s_from_below_only() -> None:
    v = np.linspace(0.1, 1, 20)
    i = v * 1e-6 * np.exp(0.02 * np.random.default_rng(5).standard_normal(20))
    fit = fit_hrs_table(table_of_frame(pd.DataFrame({"voltage_V": v, "current_A": i})))
    assert not fit.bounded
    ends = fit.law.v_s.ci95
    assert ends is not None
    assert ends[0] is not None
    assert ends[1] is None
    with pytest.raises(InputError, match="current_A"):
        fit_hrs_table(table_of_frame(pd.DataFrame({"voltage_V": v})))


def test_anderson_darling_p_values_are_uniform_for_normal_data() -> None:
    """1,500 sets of 40; bounds at 4.5 binomial standard errors (false alarm 7e-6 each)."""
    random = np.random.default_rng(6)
    values = np.array([anderson_darling_p(random.standard_normal(40)) for _ in range(1500)])
    for level in (0.01, 0.05, 0.25, 0.5, 0.75):
        error = np.sqrt(level * (1 - level) / values.size)
        assert abs(np.mean(values < level) - level) < 4.5 * error + 0.003


def test_a_log_normal_passes_and_two_states_do_not() -> None:
    random = np.random.default_rng(7)
    one = np.exp(random.normal(9, 0.1, 400))
    fine = distribution_of(one, "LRS", "test")
    assert not fine.rejected
    mixed = distribution_of(np.concatenate([one, 10 * one[:100]]), "HRS", "test")
    assert mixed.rejected
    assert any("quantiles" in sentence for sentence in mixed.sentences)


def cycles(folder: Path, name: str) -> Table:
    names = ["device", "r_lrs_ohm", "r_hrs_ohm", "cycle"]
    path = folder / "nirram_tsmc40" / name
    return table_of_frame(pd.read_csv(path, sep="\t", header=None, names=names))


def test_measured_cycles_give_both_states_and_reject_the_log_normal(data_folder: Path) -> None:
    found = resistances_of(cycles(data_folder, "100cyc.tsv.gz"))
    assert found.lrs is not None
    assert found.hrs is not None
    assert found.conduction.r_lrs.value == pytest.approx(7523, rel=1e-3)
    assert found.hrs.rejected
    assert found.conduction.correlation.value == pytest.approx(-0.351, abs=0.001)
    assert any("did not RESET" in sentence for sentence in found.sentences)


def test_before_and_after_are_the_states_of_the_transition() -> None:
    random = np.random.default_rng(8)
    low, high = np.exp(random.normal(9, 0.1, 60)), np.exp(random.normal(12, 0.5, 60))
    did = np.arange(60) < 40
    setting = pd.DataFrame({"r_before_ohm": high, "r_after_ohm": np.where(did, low, high)})
    found = resistances_of(table_of_frame(setting), did)
    assert found.lrs is not None
    assert found.hrs is not None
    assert (found.lrs.count, found.hrs.count) == (40, 60)
    resetting = pd.DataFrame({"r_before_ohm": low, "r_after_ohm": np.where(did, high, low)})
    back = resistances_of(table_of_frame(resetting), did, "reset")
    assert back.lrs is not None
    assert back.lrs.count == 60
    with pytest.raises(InputError, match="exchanged"):
        resistances_of(table_of_frame(resetting), did, "set")
    few = resistances_of(table_of_frame(setting), np.arange(60) < 4)
    assert few.conduction.r_lrs.source == "assumed"
    assert any("4 rows" in sentence for sentence in few.sentences)
