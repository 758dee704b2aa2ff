"""The SNG: the same bits in ngspice and Python, exact probability, energy, ratings, errors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from characterization.extract.cli import main
from characterization.extract.energy import phase_energies
from characterization.extract.sng import (
    Bench,
    cycle_exposures,
    sampled_bits,
    write_window,
)
from characterization.extract.stage import ExtractOptions, run
from circuits.ratings import stresses
from circuits.simulator import Simulator
from circuits.sng import NEVER, SngDesign, sng_circuit, sng_deck
from devices.presets import knag2014
from devices.technology import CMOS40LP
from formats.cells import read_cells
from formats.device import write_device
from formats.errors import InputError

DEVICE, DESIGN = knag2014(), SngDesign()


@pytest.fixture(scope="module")
def cells_path(tmp_path_factory: pytest.TempPathFactory, demo_device: dict[str, Any]) -> Path:
    folder = tmp_path_factory.mktemp("extract")
    write_device(folder / "device.json", demo_device)
    return run(ExtractOptions(device=folder / "device.json", output=folder, points=9))


def test_ngspice_and_python_give_the_same_512_bits() -> None:
    """Bits of a transient with switching against u >= Y, u from a transient without switching."""
    cycles = 512
    random = np.random.default_rng(5)
    voltages = random.choice(np.linspace(3.1, 3.55, 6), cycles).tolist()
    thresholds = DEVICE.set.sample_thresholds(random, cycles)
    ones = [1.0] * cycles
    saved = ("v(q)", "v(bl)", "v(be)", "v(xdev.s)")
    with Simulator(2) as simulator:
        switching = sng_circuit(DEVICE, CMOS40LP, DESIGN, voltages, list(thresholds), ones)
        still = sng_circuit(DEVICE, CMOS40LP, DESIGN, voltages, [NEVER] * cycles, ones)
        decks = [sng_deck(circuit, DESIGN, cycles, saved) for circuit in (switching, still)]
        transient, quiet = simulator.map(decks)
    bits = sampled_bits(transient, CMOS40LP, DESIGN, cycles)
    exposure = cycle_exposures(DEVICE, quiet, DESIGN, cycles)
    assert np.array_equal(bits, (exposure >= thresholds).astype(int))
    assert 150 < bits.sum() < 362
    # Each 1 is one SET event: no other enters LRS, not even for a moment.
    in_lrs = transient["v(xdev.s)"] > 0.5
    assert np.sum(~in_lrs[:-1] & in_lrs[1:]) == bits.sum()
    # P of the realised exposures: sum of bits within 4.9 standard deviations (1e-6).
    p = DEVICE.set.probability_of_exposure(exposure)
    assert abs(bits.sum() - p.sum()) < 4.9 * np.sqrt(np.sum(p * (1 - p)))


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
    assert p[-1] > 0.9
    assert np.all(sng["Ps_population_p05"] < p)
    assert np.all(sng["Ps_population_p95"] > p)
    assert cells.sng.attrs["interpolation_error_P"] < 1e-4
    assert float(cells.sng["Pr"].item()) == 1.0
    # The access path takes a little of the write voltage, so exposure is below the bare device's.
    bare = DEVICE.set.rate(sng["write_voltage"].to_numpy()) * DESIGN.write_time
    assert np.all((sng["exposure"] < bare) & (sng["exposure"] > 0.85 * bare))
    assert json.loads(cells.attributes["provenance"])["stage"] == "extract"


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


def test_stage_refuses_a_violated_rating_by_name() -> None:
    from characterization.extract.stage import refuse_violations
    from circuits.ratings import Stress

    with pytest.raises(InputError, match=r"cell SNG, transistor mwr .* 3.9 V, rated 3.63 V"):
        refuse_violations("device.json", "SNG", (Stress("mwr", "p33", "gd", 3.9, 3.63),))


def test_too_short_a_pulse_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="choose a longer write pulse"):
        write_window(DEVICE, replace(DESIGN, write_time=1e-8), 3.57)


def test_same_inputs_give_the_same_bytes_for_one_and_two_jobs(
    cells_path: Path, tmp_path: Path
) -> None:
    device = cells_path.with_name("device.json")
    again = run(ExtractOptions(device=device, output=tmp_path, points=9, jobs=1))
    assert again.read_bytes() == cells_path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.json"], "nowhere.json"),
        (["DEVICE", "--technology", "cmos7"], "'cmos7' is unknown"),
        (["DEVICE", "--pulse-width", "-1"], "--pulse-width"),
        (["DEVICE", "--dac-bits", "99"], "--dac-bits"),
        (["DEVICE", "--pulse-width", "1e-8"], "longer write pulse"),
        (["DEVICE", "--nonsense"], "nonsense"),
    ],
)
def test_bad_options_exit_with_2_and_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    demo_device: dict[str, Any],
) -> None:
    path = tmp_path / "device.json"
    write_device(path, demo_device)
    arguments = [str(path) if word == "DEVICE" else word for word in arguments]
    assert main([*arguments, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_a_1t1r_law_is_refused_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], demo_device: dict[str, Any]
) -> None:
    path = tmp_path / "device.json"
    write_device(path, {**demo_device, "voltage_reference": "1t1r"})
    assert main([str(path), "-o", str(tmp_path / "out")]) == 2
    assert "--cell-voltage" in capsys.readouterr().err
