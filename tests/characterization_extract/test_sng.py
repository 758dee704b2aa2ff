"""The SNG: the same bits in ngspice and Python, exact probability, energy, gaps where it fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from characterization.extract.cli import main
from characterization.extract.export.liberty import write_liberty
from characterization.extract.figures.probability import probability_pictures
from characterization.extract.options import ExtractOptions
from characterization.extract.page.grids import conditions_grid
from characterization.extract.sng.bench import QUICK_STEPS, Bench, sampled_bits
from characterization.extract.sng.energy import phase_energies
from characterization.extract.sng.exposure import cycle_exposures, write_window
from characterization.extract.stage import run
from circuits.foundry import load_technology
from circuits.ratings import stresses
from circuits.simulator import Simulator
from circuits.sng.cell import resting_deck, sng_circuit, sng_deck
from circuits.sng.design import SngDesign
from devices.cbram import CBRAM, NEVER
from devices.presets import knag2014
from devices.technology import CMOS40LP
from formats.cells import read_cells
from formats.device import write_device
from formats.errors import InputError
from system.arithmetic.codes import environment_of
from system.arithmetic.conditions import Conditions

DEVICE, DESIGN = knag2014(), SngDesign()


@pytest.fixture(scope="module")
def cells_path(tmp_path_factory: pytest.TempPathFactory, demo_device: dict[str, Any]) -> Path:
    folder = tmp_path_factory.mktemp("extract")
    write_device(folder / "device.json", demo_device)
    return run(
        ExtractOptions(
            device=folder / "device.json", output=folder, points=5, cells=(), compliance_gate=1.0
        )
    )


@pytest.fixture(autouse=True)
def no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only cells.nc: libraries and page have tests of their own."""
    monkeypatch.setattr("characterization.extract.stage._write_libraries", lambda *_: None)


def test_ngspice_and_python_give_the_same_bits() -> None:
    """Bits of a transient with switching against u >= Y, u from a transient without switching.

    64 thresholds drawn from the law, and 64 beside u, from 0.2 to 10 % below and above it: the two
    must agree on exposures to 0.2 %, so on P to less than 1e-3.
    """
    random = np.random.default_rng(5)
    levels = np.linspace(3.1, 3.55, 6)
    chosen = random.integers(levels.size, size=128)
    saved = ("v(q)", "v(bl)", "v(be)", "v(xdev.s)")

    def deck(voltages: np.ndarray, thresholds: np.ndarray) -> str:
        cycles, ones = len(voltages), [1.0] * len(voltages)
        circuit = sng_circuit(DEVICE, CMOS40LP, DESIGN, list(voltages), list(thresholds), ones)
        return sng_deck(circuit, DESIGN, cycles, saved, QUICK_STEPS)

    with Simulator() as simulator:
        around = random.permutation(np.repeat(np.arange(levels.size), 2))
        quiet = simulator.run(deck(levels[around], np.full(around.size, NEVER)))
        seen = cycle_exposures(DEVICE, quiet, DESIGN, around.size)
        u = np.array([seen[around == level].mean() for level in range(levels.size)])
        # What a cycle gains does not depend on the voltages before.
        assert seen == pytest.approx(u[around], rel=1e-4)
        beside = np.geomspace(0.002, 0.1, 32)
        factors = random.permutation(np.concatenate([1 - beside, 1 + beside]))
        drawn = DEVICE.set.sample_thresholds(random, 64)
        thresholds = np.concatenate([drawn, u[chosen[64:]] * factors])
        transient = simulator.run(deck(levels[chosen], thresholds))
    bits = sampled_bits(transient, CMOS40LP, DESIGN, chosen.size)
    assert np.array_equal(bits, (u[chosen] >= thresholds).astype(int))
    assert 16 < bits[:64].sum() < 48 and bits[64:].sum() == 32
    # Each 1 is one SET event: no other enters LRS, not even for a moment.
    in_lrs = transient["v(xdev.s)"] > 0.5
    assert np.sum(~in_lrs[:-1] & in_lrs[1:]) == bits.sum()
    # P of the exposures: the share of drawn thresholds within 4.9 standard deviations (1e-6).
    p = DEVICE.set.probability_of_exposure(u)
    met = (DEVICE.set.sample_thresholds(random, 50_000)[:, None] <= u).mean(axis=0)
    assert np.all(np.abs(met - p) < 4.9 * np.sqrt(p * (1 - p) / 50_000))


@pytest.mark.parametrize("name", ["cmos40lp", "freepdk45"])
def test_few_time_steps_give_the_exposure_of_many_on_every_technology(name: str) -> None:
    try:
        technology = load_technology(name)
    except InputError as error:
        pytest.skip(str(error))
    # Thick-oxide transistors of FreePDK45 have thresholds of some 1.5 V.
    design = replace(DESIGN, compliance_gate=1.0 if name == "cmos40lp" else 1.8)
    voltages, never = np.array([3.2, 3.4]), np.full(2, NEVER)
    with Simulator() as simulator:
        bench = Bench(simulator, DEVICE, technology, design)
        quick, fine = (
            bench.run_all([bench.circuit(voltages, never)], 2, quick=quick)[0]
            for quick in (True, False)
        )
    few, many = (cycle_exposures(DEVICE, run, design, 2, 1) for run in (quick, fine))
    assert few == pytest.approx(many, rel=2e-5)
    assert quick.time.size < 0.8 * fine.time.size
    assert many[1] > 0.4


def test_probability_does_not_depend_on_the_time_step() -> None:
    circuit = sng_circuit(DEVICE, CMOS40LP, DESIGN, [3.35], [NEVER], [1.0])
    deck = sng_deck(circuit, DESIGN, 1)
    body, transient = deck.split(".tran ")
    coarse, fine = (f"{DESIGN.write_time / points:.6g}" for points in (100, 200))
    assert transient.count(coarse) == 2
    with Simulator(2) as simulator:
        runs = simulator.map([deck, f"{body}.tran {transient.replace(coarse, fine)}"])
    p = [
        float(DEVICE.set.probability_of_exposure(cycle_exposures(DEVICE, run, DESIGN, 1))[0])
        for run in runs
    ]
    assert runs[1].time.size > 1.3 * runs[0].time.size
    assert p[0] == pytest.approx(p[1], abs=1e-4)


def test_mean_energy_of_a_stream_follows_from_the_table(cells_path: Path) -> None:
    """48 cycles from drawn thresholds against the stored energy by outcome.

    The switched energy is a mean over the switching time: its spread over 48 cycles bounds the
    difference (5 standard errors).
    """
    cycles = 48
    sng = read_cells(cells_path).sng.isel(pulse_width=0, temperature=0, corner=0)
    place = int(np.argmin(np.abs(sng["Ps"].to_numpy() - 0.5)))
    voltage = float(sng["write_voltage"][place])
    thresholds = DEVICE.set.sample_thresholds(np.random.default_rng(1), cycles)
    with Simulator() as simulator:
        bench = Bench(simulator, DEVICE, CMOS40LP, DESIGN)
        circuit = bench.circuit(np.full(cycles, voltage), thresholds)
        waveforms = bench.run(circuit, cycles)
    bits = sampled_bits(waveforms, CMOS40LP, DESIGN, cycles + 1)[1:]
    energies = phase_energies(waveforms, DESIGN, cycles, first=1)
    table = sng["energy"].to_numpy()[place]
    ones, zeros = bits == 1, bits == 0
    assert energies[zeros, 1] == pytest.approx(table[1, 0], rel=0.01)
    spread = energies[ones, 1].std() / np.sqrt(ones.sum())
    assert energies[ones, 1].mean() == pytest.approx(table[1, 1], abs=5 * spread)
    assert energies[ones, 2] == pytest.approx(table[2, 1], rel=0.02)


def test_cell_file_holds_the_exact_probabilities(cells_path: Path) -> None:
    cells = read_cells(cells_path)
    sng = cells.sng.isel(pulse_width=0, temperature=0, corner=0)
    p = sng["Ps"].to_numpy()
    assert p == pytest.approx(-np.expm1(-sng["exposure"].to_numpy()), rel=1e-9)
    assert np.all(np.diff(p) > 0)
    assert p[0] < 2e-3
    assert p[-1] > 0.85  # 3.53 V: the ratings end the range there
    assert np.all(sng["Ps_population_p05"] < p)
    assert np.all(sng["Ps_population_p95"] > p)
    assert cells.sng.attrs["interpolation_error_P"] < 1e-4
    assert float(cells.sng["Pr"].item()) == 1.0
    # The access path takes a little of the write voltage, so exposure is below the bare device's.
    bare = DEVICE.set.rate(sng["write_voltage"].to_numpy()) * DESIGN.write_time
    assert np.all((sng["exposure"] < bare) & (sng["exposure"] > 0.85 * bare))
    assert json.loads(cells.attributes["provenance"])["stage"] == "extract"
    # Every supply's current at rest, by an operating point of a deck without clocks and pulses.
    with Simulator() as simulator:
        circuit = sng_circuit(DEVICE, CMOS40LP, DESIGN, [3.53], [NEVER], [1.0])
        rest = simulator.run(resting_deck(circuit))
    power = sum(
        max(0.0, -float(rest[f"v({name[3:-1]})"][0] * rest[name][0]))
        for name in rest.vectors
        if name.startswith("i(v") and f"v({name[3:-1]})" in rest.vectors
    )
    assert float(cells.sng["leakage_power"].squeeze()) == pytest.approx(power, rel=0.02)


def test_dac_codes_give_the_simulated_probability(cells_path: Path) -> None:
    """At codes off the simulated grid, a new transient gives the tabulated exposure."""
    sng = read_cells(cells_path).sng
    codes = np.array([100, 517, 900])
    voltages = sng["code_voltage"].to_numpy()[codes]
    with Simulator() as simulator:
        bench = Bench(simulator, DEVICE, CMOS40LP, DESIGN)
        waveforms = bench.run(bench.circuit(voltages, np.full(3, NEVER)), 3)
    exposure = cycle_exposures(DEVICE, waveforms, DESIGN, 3, first=1)
    table = sng["code_exposure"].to_numpy()[codes]
    law = DEVICE.set
    assert law.probability_of_exposure(exposure) == pytest.approx(
        law.probability_of_exposure(table), abs=1e-4
    )
    assert sng["code_exposure"].to_numpy()[0] == 0.0


def test_a_voltage_beyond_the_rating_is_found_by_name() -> None:
    with Simulator() as simulator:
        circuit = sng_circuit(DEVICE, CMOS40LP, DESIGN, [3.8], [NEVER], [1.0])
        waveforms = simulator.run(sng_deck(circuit, DESIGN, 1))
    worst = stresses(circuit, waveforms, CMOS40LP)[0]
    assert worst.violated
    assert "p33" in str(worst) or "n33" in str(worst)


def stochastic_reset(device: CBRAM, tau: float = 2.8e-7) -> CBRAM:
    """The device with an exponential RESET law, tau (s) at 1.2 V."""
    law = device.set.with_values(tau, 0.15)
    return replace(device, reset=replace(law, reference_voltage=1.2))


def test_a_stochastic_reset_is_extracted_and_its_chain_holds(
    tmp_path: Path, demo_device: dict[str, Any]
) -> None:
    """Pr from the RESET exposure, pi and lag1 from Pr; a failed RESET costs more than an idle."""
    path = tmp_path / "device.json"
    content = stochastic_reset(DEVICE).to_dict()
    write_device(path, {**content, "provenance": demo_device["provenance"]})
    options = ExtractOptions(device=path, output=tmp_path, points=3, cells=())
    plain = read_cells(run(options)).sng
    sng = plain.isel(pulse_width=0, temperature=0, corner=0)
    pr, ps = float(sng["Pr"]), sng["Ps"].to_numpy()
    assert 0.4 < pr < 0.8
    assert pr == pytest.approx(-np.expm1(-float(sng["reset_exposure"])), rel=1e-9)
    # Its own R_LRS and device make RESET more or less likely: the mean lies below (concave).
    assert 0.9 * pr < float(sng["Pr_population_mean"]) < pr
    assert sng["pi"].to_numpy() == pytest.approx(ps / (ps + pr * (1 - ps)), rel=1e-9)
    assert sng["lag1"].to_numpy() == pytest.approx((1 - ps) * (1 - pr), rel=1e-9)
    assert np.all(sng["reset_energy_failed"] > 5 * sng["reset_energy_hrs"])
    # Two bits of one device hang together by the failed RESET, two devices do not.
    by_option = sng["pair_correlation"].to_series()
    assert by_option["parallel"] == 0.0
    half = pr / (1 + pr)  # the Ps that makes pi = 1/2
    assert by_option["successive"] == pytest.approx((1 - half) * (1 - pr), abs=1e-9)


def test_stochastic_reset_gives_the_same_bits_in_ngspice_and_python() -> None:
    """96 cycles, P(RESET) near 0.6: the Markov chain of stored bits, cycle by cycle.

    All are alike, so what one gains is taken from four cycles without switching.
    """
    cycles, alike = 96, 4
    device = stochastic_reset(DEVICE)
    random = np.random.default_rng(2)
    sets = device.set.sample_thresholds(random, cycles)
    resets = device.sample_reset_thresholds(random, cycles)
    never = np.full(alike, NEVER)

    def deck(sets: np.ndarray, resets: np.ndarray, state: int | None = None) -> str:
        voltages, count = [3.35] * len(sets), len(sets)
        circuit = sng_circuit(device, CMOS40LP, DESIGN, voltages, list(sets), list(resets), state)
        return sng_deck(circuit, DESIGN, count, write_steps=QUICK_STEPS)

    with Simulator() as simulator:
        runs = simulator.map([deck(sets, resets), deck(never, never), deck(never, never, 1)])
    set_gains = cycle_exposures(device, runs[1], DESIGN, alike)
    cell = runs[2]["v(bl)"] - runs[2]["v(be)"]
    total = np.concatenate([[0.0], np.cumsum(device.exposures(runs[2].time, cell)[1])])
    windows = np.array([DESIGN.windows(cycle)[0] for cycle in range(alike)])
    low, high = np.interp(windows.T, runs[2].time, total)
    set_gain, reset_gain = set_gains.mean(), (high - low).mean()
    assert set_gains == pytest.approx(set_gain, rel=1e-3)
    assert high - low == pytest.approx(reset_gain, rel=1e-3)
    state, expected = 0, []
    for cycle in range(cycles):
        if state == 1 and reset_gain >= resets[cycle]:
            state = 0
        if state == 0 and set_gain >= sets[cycle]:
            state = 1
        expected.append(state)
    assert np.array_equal(sampled_bits(runs[0], CMOS40LP, DESIGN, cycles), expected)
    p_reset = float(device.reset.probability_of_exposure(reset_gain))
    assert 0.4 < p_reset < 0.8


def test_too_short_a_pulse_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="choose a longer write pulse"):
        write_window(DEVICE, replace(DESIGN, write_time=1e-8), 3.57)


def test_same_inputs_give_the_same_bytes_for_one_and_two_jobs(
    cells_path: Path, tmp_path: Path
) -> None:
    device = cells_path.with_name("device.json")
    again = run(
        ExtractOptions(
            device=device, output=tmp_path, points=5, cells=(), compliance_gate=1.0, jobs=1
        )
    )
    assert again.read_bytes() == cells_path.read_bytes()


def test_a_corner_at_which_ngspice_fails_is_named_and_the_others_go_on(
    cells_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A slow corner whose card ngspice refuses; the typical one is that of an extraction alone."""
    slow = {
        name: replace(transistor, card={**transistor.card, "toxe": 0.0})
        for name, transistor in CMOS40LP.library["ss"].items()
    }
    broken = replace(CMOS40LP, library={**CMOS40LP.library, "ss": slow})
    monkeypatch.setattr("characterization.extract.stage.technology_of", lambda _: broken)
    device = str(cells_path.with_name("device.json"))
    asked = [device, "-o", str(tmp_path), "--points", "5", "--cells", "", "--compliance-gate", "1"]
    assert main([*asked, "--corners", "tt,ss"]) == 1
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert [line.partition(" is left out")[0] for line in lines[:-1]] == [
        "warning: SNG at ss, 300 K, 0.0001 s",
        "warning: logic at ss, 300 K",
    ]
    assert all("deck kept as /" in line and "Toxe" in line for line in lines[:-1])
    assert lines[-1].startswith(f"incomplete: {tmp_path / 'cells.nc'} is written without")
    assert "0.0001 s, 300 K, ss: missing" in out and "missing: sng at ss, 300 K, 0.0001 s" in out
    found, alone = read_cells(tmp_path / "cells.nc"), read_cells(cells_path)
    assert [gap.cell for gap in found.missing] == ["sng", "logic"]
    assert str(tmp_path) not in json.dumps([str(gap) for gap in found.missing])
    for name in ("sng", "nand2", "dff", "sign_magnitude_counter"):
        for key, values in alone.groups[name].data_vars.items():
            there = found.groups[name][key]
            if "corner" not in values.dims:
                assert there.identical(values)
                continue
            assert np.array_equal(there.sel(corner=["tt"]), values, equal_nan=True)
            assert there.sel(corner="ss").isnull().all()
    # What comes later refuses the corner, or states it.
    assert environment_of(found, Conditions()).is_nominal
    with pytest.raises(InputError, match=r"was extracted without .* at ss, 300 K.*extract the"):
        environment_of(found, Conditions(corner="ss"))
    written = write_liberty(found, CMOS40LP, tmp_path / "cells")
    assert [path.name for path in written] == ["cmos40lp_tt_300K.lib"]
    grid = conditions_grid(found.groups, "sign_magnitude_counter")
    assert grid is not None and [row[2] == "missing" for row in grid.rows] == [False, True]
    family = [one for one in probability_pictures(found.sng) if one.name == "probability_corner"]
    assert "Missing, as ngspice failed: ss." in family[0].caption and family[0].svg()
    # The nominal corner cannot be missing: nothing is written, and the message is one line.
    broken = replace(CMOS40LP, library={**CMOS40LP.library, "tt": slow})
    (tmp_path / "cells.nc").unlink()
    assert main([*asked, "--corners", "tt"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "the cells could not be simulated: ngspice: " in said
    assert not (tmp_path / "cells.nc").exists()
