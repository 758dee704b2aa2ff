"""The tables of cells.nc against closed forms and brute force, without ngspice."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from characterization.extract.conditions import Conditions
from characterization.extract.library import Library, cell_area, cell_leakage
from characterization.extract.options import ExtractOptions, device_at, refuse_unused_activation
from characterization.extract.sng.reset import stored_probability
from characterization.extract.tables.errors import budget_of_codes
from characterization.extract.tables.logic import mac_group
from characterization.extract.tables.sng import _inverse_map, _lag_one, _pairs
from circuits.mac.counter import counter_mac
from devices.cbram import CBRAM
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.technology import CMOS40LP
from formats.errors import InputError

DEVICE = knag2014()
V0, WIDTH = DEVICE.set.v0.value, 1e-4
VOLTAGES = np.linspace(2.6, 3.6, 41)


def character(
    pr: float = 1.0, memory: float = 0.0, spread: float = 0.2, voltages: np.ndarray = VOLTAGES
) -> Any:
    """What the tables take from a characterised SNG: a bare device, no write path."""
    law = replace(
        DEVICE.set,
        spread=replace(DEVICE.set.spread, memory=Parameter(memory, "1", "assumed")),
    )
    exposure = law.rate(voltages) * WIDTH
    return SimpleNamespace(
        voltages=voltages,
        exposure=exposure,
        probability=law.probability_of_exposure(exposure),
        reset=SimpleNamespace(probability=pr),
        population=SimpleNamespace(
            sigma_d2d=np.full(voltages.size, 0.8 * spread),
            sigma_mismatch=np.full(voltages.size, 0.6 * spread),
        ),
        bench=SimpleNamespace(
            device=replace(DEVICE, set=law),
            design=SimpleNamespace(write_time=WIDTH, conditional_reset=False),
        ),
    )


def test_errors_of_p_are_those_of_the_exponential_law() -> None:
    """dP/dV = u exp(-u)/V0: small steps and noise follow it; the spread against drawn devices."""
    step, noise = 2e-4, 1e-4
    codes = np.concatenate([[0.0], np.arange(2.9, 3.5, step)])
    u = DEVICE.set.rate(codes[1:]) * WIDTH
    found = budget_of_codes(character(), codes, np.concatenate([[0.0], u]), noise)
    slope = u * np.exp(-u) / V0
    assert found["dac"][1:] == pytest.approx(slope * step / 2, rel=1e-3)
    assert found["supply"][1:] == pytest.approx(slope * noise, rel=1e-3)
    z = np.random.default_rng(0).standard_normal(400_000)
    for place in (300, 1500, 2500):
        p = -np.expm1(-u[place] * np.exp(-0.2 * z))
        expected = np.sqrt(np.mean((p + np.expm1(-u[place])) ** 2))
        assert found["d2d"][place + 1] == pytest.approx(expected, rel=0.01)
    assert all(values[0] == 0 for values in found.values())


@pytest.mark.parametrize("pr", [1.0, 0.6])
def test_the_inverse_map_names_the_nearest_code(pr: float) -> None:
    codes = np.concatenate([[0.0], np.linspace(2.6, 3.6, 63)])
    conditions = Conditions((WIDTH,), (300.0,), ("tt",))
    found = _inverse_map([character(pr)], conditions, codes)
    chosen = found["probability_code"].values.ravel()
    ps = np.concatenate([[0.0], -np.expm1(-DEVICE.set.rate(codes[1:]) * WIDTH)])
    pi = stored_probability(ps, pr)
    for k, code in enumerate(chosen):
        wanted = k / 256
        assert abs(pi[code] - wanted) <= np.min(np.abs(pi - wanted)) + 1e-6
        assert found["probability_code_error"].values.ravel()[k] == pytest.approx(
            pi[code] - wanted, abs=1e-6
        )


def test_memory_and_failed_resets_show_in_the_correlation_of_bits() -> None:
    """Against 100,000 cycles of the chain with remembered thresholds, within 5 standard errors."""
    rho, pr, cycles = 0.6, 0.7, 100_000
    c = character(pr, rho, voltages=np.array([2.9, 3.3, 3.5]))
    place = int(np.argmin(np.abs(c.probability - 0.4)))
    assert 0.2 < c.probability[place] < 0.6
    random = np.random.default_rng(4)
    thresholds = c.bench.device.set.sample_thresholds(random, cycles)
    fails = random.random(cycles) >= pr
    bits, state, used = np.empty(cycles, int), 0, 0
    for k in range(cycles):
        state = 1 if state and fails[k] else 0
        if not state:
            state = int(thresholds[used] <= c.exposure[place])
            used += 1
        bits[k] = state
    found = np.corrcoef(bits[1:], bits[:-1])[0, 1]
    assert _lag_one(c)[place] == pytest.approx(found, abs=5 * 2 / np.sqrt(cycles))
    free = character(pr, voltages=c.voltages)
    assert _lag_one(free) == pytest.approx((1 - c.probability) * (1 - pr))
    # Where the stored bit has p = 1/2 and no memory, two successive bits correlate by 1 - 2 Ps.
    pair = _pairs(character(pr))["pair_correlation"].values
    assert pair[1] == pytest.approx((1 - pr / (1 + pr)) * (1 - pr))


def test_environments_stand_at_their_temperature_and_corner() -> None:
    conditions = Conditions((WIDTH,), (250.0, 300.0, 360.0), ("tt", "ss"))
    values = [np.array([t, c == "ss"]) for t, c in conditions.environments]
    placed = conditions.over_environments(values)
    for t, kelvin in enumerate(conditions.temperatures):
        for c, corner in enumerate(conditions.corners):
            assert placed[t, c].tolist() == [kelvin, float(corner == "ss")]


def test_a_mac_of_eight_products_is_tabulated_per_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Area and leakage of the whole cell over its fan-in; energy that of a vector over it."""
    mac = counter_mac("unipolar", 8, "exact-counter", 16)
    gate = SimpleNamespace(leakage=np.array([2.0, 4.0]))
    library: Any = Library(
        CMOS40LP,
        {name: gate for name in mac.gates if name != "dff"},
        SimpleNamespace(leakage=5.0),
        {},
        SimpleNamespace(),
    )
    module = "characterization.extract.tables.logic"
    grid = np.array([0.0, 1.0])
    monkeypatch.setattr(
        f"{module}.operand_energy", lambda *_: (np.ones((2, 2)), np.zeros((2, 2)), grid)
    )
    monkeypatch.setattr(f"{module}.longest_path", lambda *_: SimpleNamespace(delay=1e-9))
    group = mac_group(mac, [library], Conditions((WIDTH,), (300.0,), ("tt",)), 0)
    count = sum(mac.gates.values())
    registers = mac.gates["dff"]
    assert cell_leakage(mac, library) == pytest.approx(3.0 * (count - registers) + 5.0 * registers)
    assert float(group["leakage_power"].squeeze()) == pytest.approx(
        (3.0 * (count - registers) + 5.0 * registers) / 8
    )
    whole = sum(CMOS40LP.gate_areas[name] * n for name, n in mac.gates.items())
    assert cell_area(mac, CMOS40LP) == pytest.approx(whole)
    assert float(group["area"]) == pytest.approx(whole / 8)
    assert group.attrs["accumulator_bits"] > 0


def test_an_assumed_activation_energy_is_taken_only_where_there_is_none() -> None:
    moved = device_at(DEVICE, 340.0, 0.6, "device.json").set
    assert moved.activation is not None and moved.activation.source == "assumed"
    assert moved.reference_temperature == 340.0
    known: CBRAM = device_at(DEVICE, 340.0, 0.6, "device.json")
    options = ExtractOptions(device="device.json", activation_energy=0.5)  # type: ignore[arg-type]
    refuse_unused_activation(options, DEVICE)
    with pytest.raises(InputError, match="activation energies of their own"):
        refuse_unused_activation(options, known)
