"""Monte Carlo of the SNG: agrees with the exact probability, resumes, does not depend on jobs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from characterization.extract.check import monte_carlo as engine
from characterization.extract.check.intervals import Precision, clopper_pearson
from characterization.extract.check.kept import Block, KeptBlocks
from characterization.extract.check.monte_carlo import estimate, monte_carlo, simulated_block
from characterization.extract.check.table import CheckTable, check_table
from characterization.extract.check.units import (
    ENERGY_STEPS,
    Sampling,
    independent_bits,
    refusal,
    run_key,
    unit_deck,
)
from characterization.extract.sng.bench import QUICK_OPTIONS, QUICK_STEPS, Bench, sampled_bits
from characterization.extract.sng.exposure import cycle_exposures
from circuits.simulator import Simulator
from circuits.sng.cell import sng_circuit, sng_deck
from circuits.sng.design import SngDesign
from devices.cbram import CBRAM, NEVER
from devices.presets import knag2014
from devices.technology import CMOS40LP
from formats.errors import InputError
from formats.seeds import generator

DEVICE, DESIGN = knag2014(), SngDesign()
TINY = Sampling(units=2, cycles=3, seed=4)


def bench(simulator: Simulator, device: CBRAM = DEVICE, design: SngDesign = DESIGN) -> Bench:
    return Bench(simulator, device, CMOS40LP, design)


def with_memory(device: CBRAM, rho: float) -> CBRAM:
    spread = device.set.spread
    changed = replace(spread, memory=replace(spread.memory, value=rho))
    return replace(device, set=replace(device.set, spread=changed))


def with_stochastic_reset(device: CBRAM) -> CBRAM:
    law = device.set.with_values(2.8e-7, 0.15)
    return replace(device, reset=replace(law, reference_voltage=1.2))


def test_monte_carlo_agrees_with_the_exact_probability() -> None:
    """152 bits near P = 1/2; a 99.99-% interval, so a false alarm in 1 of 10,000."""
    voltages = np.array([3.35])
    sampling = Sampling(units=4, cycles=38, seed=1)
    fixed = Precision(half_width=0.0, confidence=0.9999, largest=152)
    with Simulator(2) as simulator:
        here = bench(simulator)
        quiet = here.run(here.circuit(voltages, np.full(1, NEVER)), 1)
        exact = DEVICE.set.probability_of_exposure(cycle_exposures(DEVICE, quiet, DESIGN, 1, 1))
        bit = monte_carlo(here, float(voltages[0]), sampling, fixed).bit
    p = float(exact[0])
    low, high = clopper_pearson(bit.ones, bit.count, 0.9999)
    assert 0.3 < p < 0.7 and low <= p <= high
    assert not low <= p + 0.25 <= high and not low <= p - 0.25 <= high


def test_the_numerics_of_bits_give_the_bits_of_finer_steps() -> None:
    """The same 20 thresholds, near P = 1/2, with the numerics of bits and with finer steps."""
    cycles = 20
    sets = DEVICE.set.sample_thresholds(generator(0, "same bits"), cycles).tolist()
    circuits = [
        sng_circuit(DEVICE, CMOS40LP, DESIGN, [3.36] * cycles, sets, [1.0] * cycles)
        for _ in range(2)
    ]
    circuits[0].raw_spice += f"\n.options {QUICK_OPTIONS}\n"
    decks = [
        sng_deck(circuit, DESIGN, cycles, ["v(q)"], count)
        for circuit, count in zip(circuits, (QUICK_STEPS, 2 * ENERGY_STEPS), strict=True)
    ]
    with Simulator(2) as simulator:
        coarse, fine = simulator.map(decks)
    assert 1.4 * coarse.time.size < fine.time.size
    bits = [sampled_bits(waves, CMOS40LP, DESIGN, cycles) for waves in (coarse, fine)]
    assert np.array_equal(*bits)
    assert 4 < bits[0].sum() < 16


def test_jobs_do_not_change_the_result_and_energies_have_an_error() -> None:
    sampling = replace(TINY, energies=True)
    blocks = []
    for jobs in (1, 2):
        with Simulator(jobs, cache="off") as simulator:
            blocks.append(simulated_block(bench(simulator), 3.4, sampling, 5))
    assert np.array_equal(blocks[0].ones, blocks[1].ones)
    assert np.array_equal(blocks[0].energy, blocks[1].energy)
    found = estimate(3.4, blocks[:1], sampling, Precision(0.05), True)
    assert found.energy is not None and found.energy_stderr is not None
    assert found.energy == pytest.approx(blocks[0].energy.mean(axis=0) / 3)
    spread = np.abs(np.diff(blocks[0].energy, axis=0))[0] / 3
    assert found.energy_stderr == pytest.approx(spread / 2)
    low, high = found.energy_interval(0.95)
    assert np.all((low <= found.energy) & (found.energy <= high))
    assert found.simulated == 8


def test_a_stopped_run_goes_on_and_gives_what_an_unbroken_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def block(here: Bench, voltage: float, sampling: Sampling, number: int) -> Block:
        asked.append(number)
        random = generator(sampling.seed, "test", number)
        return Block(random.binomial(sampling.cycles, 0.4, sampling.units), np.zeros((2, 0)))

    monkeypatch.setattr(engine, "simulated_block", block)
    file = tmp_path / "blocks.jsonl"

    def run(largest: int, kept: Path | None) -> engine.Estimate:
        with Simulator() as simulator:
            return monte_carlo(bench(simulator), 3.4, TINY, Precision(0.0, 0.95, largest), kept)

    unbroken = run(60, None)
    run(24, file)
    # Stopped in the midst of writing a block: that one is simulated again.
    file.write_text(file.read_text()[:-5])
    asked.clear()
    resumed = run(60, file)
    assert resumed == unbroken
    assert asked == list(range(3, 10))
    asked.clear()
    assert run(60, file) == unbroken
    assert asked == []
    file.write_text('{"not": "a block"}\n')
    with pytest.raises(InputError, match="line 1"):
        run(60, file)


def test_other_runs_may_share_a_file(tmp_path: Path) -> None:
    first, second = (KeptBlocks(tmp_path / "blocks", key) for key in ("a", "b"))
    first.append(0, Block(np.array([1, 2]), np.zeros((2, 0))))
    second.append(0, Block(np.array([3, 4]), np.ones((2, 3))))
    assert first.read()[0].ones.tolist() == [1, 2]
    assert second.read()[0].energy.tolist() == np.ones((2, 3)).tolist()
    with Simulator() as simulator:
        here = bench(simulator)
        keys = {
            run_key(here, 3.4, TINY),
            run_key(here, 3.5, TINY),
            run_key(here, 3.4, replace(TINY, seed=5)),
            run_key(bench(simulator, design=replace(DESIGN, io_width=1e-6)), 3.4, TINY),
        }
    assert len(keys) == 4


def test_every_unit_of_a_population_is_another_device_in_another_cell() -> None:
    sampling = Sampling(population=True, units=2, cycles=1, leading=0)
    with Simulator() as simulator:
        here = bench(simulator)
        decks = [unit_deck(here, 3.4, sampling, 0, unit) for unit in (0, 1, 0)]
        nominal = unit_deck(here, 3.4, TINY, 0, 0)

    def values(deck: str, start: str) -> list[str]:
        return [line for line in deck.lower().splitlines() if line.startswith(start)]

    assert decks[0] == decks[2]
    assert values(decks[0], ".subckt cbram") != values(decks[1], ".subckt cbram")
    assert values(decks[0], "macc") != values(decks[1], "macc")
    assert "delvto" in values(decks[0], "macc")[0]
    assert "delvto" not in values(nominal, "macc")[0]


def test_what_cannot_be_sampled_is_refused_with_the_reason() -> None:
    with Simulator() as simulator:
        plain, chain = bench(simulator), bench(simulator, with_stochastic_reset(DEVICE))
        remembers = bench(simulator, with_memory(DEVICE, 0.6))
        both = bench(simulator, with_memory(with_stochastic_reset(DEVICE), 0.6))
        carried = bench(simulator, design=replace(DESIGN, conditional_reset=True))
        assert refusal(plain, TINY) is None
        assert refusal(chain, TINY) is None
        assert refusal(remembers, TINY) is None
        assert "used up" in str(refusal(both, TINY))
        with pytest.raises(ValueError, match="outlives its cycle"):
            monte_carlo(carried, 3.4, TINY, Precision(0.1))
        with pytest.raises(ValueError, match="two units"):
            monte_carlo(plain, 3.4, replace(TINY, units=1), Precision(0.1))
        assert [independent_bits(b, TINY) for b in (plain, chain, remembers)] == [
            True,
            False,
            False,
        ]
        assert not independent_bits(plain, replace(TINY, population=True))
        assert independent_bits(chain, replace(TINY, cycles=1))


class Character:
    """What :func:`check_table` reads of a character, with P = 0.1 ... 0.9 over nine voltages."""

    class reset:
        probability = 1.0

    class sense:
        e01 = e10 = 0.0

    class population:
        mean = np.linspace(0.1, 0.9, 9)

    def __init__(self, bench: Bench, error: float = 0.0) -> None:
        self.bench, self.voltages = bench, np.linspace(3.1, 3.5, 9)
        self.probability = np.linspace(0.1, 0.9, 9) + error


def checked(error: float, monkeypatch: pytest.MonkeyPatch) -> CheckTable:
    def block(here: Bench, voltage: float, sampling: Sampling, number: int) -> Block:
        random = generator(7, "test", voltage.hex(), number, str(sampling))
        truth = np.interp(voltage, np.linspace(3.1, 3.5, 9), np.linspace(0.1, 0.9, 9))
        ones = random.binomial(sampling.cycles, truth, sampling.units)
        return Block(ones, np.zeros((sampling.units, 0)))

    monkeypatch.setattr(engine, "simulated_block", block)
    with Simulator() as simulator:
        return check_table(Character(bench(simulator), error))  # type: ignore[arg-type]


def test_check_finds_a_wrong_table_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six 99.9-% intervals: a false alarm in at most 6 of 1,000; an error of 0.1 is beyond them."""
    right = checked(0.0, monkeypatch)
    assert right.agrees
    assert [point.kind for point in right.points] == ["nominal"] * 3 + ["population"] * 3
    assert all(point.found.precise for point in right.points)
    wrong = checked(0.1, monkeypatch)
    assert [point.agrees for point in wrong.points] == [False] * 3 + [True] * 3
    assert "DISAGREE" in wrong.lines[0]
    variables = wrong.variables()
    assert variables["check_ones"].shape == (6,)
    assert np.all(variables["check_low"].to_numpy() < variables["check_high"].to_numpy())
