"""Numbers become the bit probabilities that cells.nc gives, device by device."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from formats.cells import Cells, read_cells
from formats.errors import InputError
from system.arithmetic import Deviation, Generators, arithmetic_of
from system.arithmetic.operands import REGISTER_BITS, describe_dependence
from system.bitstream.ownership import Kind, StreamRules

NUMBERS = np.linspace(0, 1, 301)
NOBODY = np.zeros(NUMBERS.size)


def changed(cells: Cells, **variables: float | np.ndarray) -> Cells:
    """The same cells with other values of variables of the SNG."""
    sng = cells.sng.copy(deep=True)
    for name, values in variables.items():
        sng[name] = xr.full_like(sng[name], 0.0) + values
    return dataclasses.replace(cells, groups={**cells.groups, "sng": sng})


def with_spread(cells: Cells, **values: float) -> Cells:
    """The same cells with another spread of the SET law ("sigma_ln_V0" and so on)."""
    device = json.loads(cells.attributes["device_json"])
    places = {"sigma_ln_tau_c2c": device["set"]["c2c"], "rho": device["set"]["memory"]}
    for name, value in values.items():
        place = places.get(name, device["set"]["d2d"])
        place[name.removesuffix("_c2c")]["value"] = value
    return dataclasses.replace(
        cells, attributes={**cells.attributes, "device_json": json.dumps(device)}
    )


def definition(cells: Cells, ln_tau: np.ndarray = NOBODY, ln_v0: np.ndarray = NOBODY) -> np.ndarray:
    """P(bit = 1) for NUMBERS, step by step in numpy, for the exponential law without tables."""
    device = json.loads(cells.attributes["device_json"])["set"]
    tau_ref = device["parameters"]["tau_ref"]["value"]
    pr, e01, e10 = (float(cells.sng[name].squeeze()) for name in ("Pr", "e01", "e10"))
    sigma = device["c2c"]["sigma_ln_tau"]["value"]

    def read(exposure: np.ndarray) -> np.ndarray:
        rng = np.linspace(-8, 8, 4001)
        weight = np.exp(-(rng**2) / 2)
        switching = np.array(
            [np.sum(weight * -np.expm1(-u * np.exp(-sigma * rng))) / weight.sum() for u in exposure]
        )
        stored = switching / (switching + pr * (1 - switching) + 1e-300)
        return stored * (1 - e10) + (1 - stored) * e01

    exposure = cells.sng["code_exposure"].to_numpy()
    register = np.round(NUMBERS * 2**REGISTER_BITS) / 2**REGISTER_BITS
    code = np.argmin(np.abs(read(exposure)[None] - register[:, None]), axis=1)
    own = exposure[code]
    width = float(cells.sng["pulse_width"].to_numpy()[0])
    over_v0 = np.log(np.maximum(own, 1e-300) * tau_ref / width)  # (V - V_ref)/V0 of the device
    return read(own * np.exp(-ln_tau + over_v0 * (np.exp(-ln_v0) - 1)))


def ours(cells: Cells, ln_tau: np.ndarray = NOBODY, ln_v0: np.ndarray | None = None) -> np.ndarray:
    device = Deviation(jnp.asarray(ln_tau), None if ln_v0 is None else jnp.asarray(ln_v0))
    found = Generators.from_cells(cells).probability(jnp.asarray(NUMBERS, jnp.float32), device)
    return np.asarray(found, float)


@pytest.fixture
def cells(shared_cells: Path) -> Cells:
    return read_cells(shared_cells)


def test_tables_agree_with_the_definition(cells: Cells) -> None:
    assert np.max(np.abs(ours(cells) - definition(cells))) < 2e-5


def test_tables_agree_with_read_errors_failing_reset_and_cycle_spread(cells: Cells) -> None:
    bad = with_spread(changed(cells, Pr=0.9, e01=0.02, e10=0.05), sigma_ln_tau_c2c=0.7)
    rng = np.random.default_rng(1)
    ln_tau = rng.normal(0, 0.5, NUMBERS.size)
    assert np.max(np.abs(ours(bad, ln_tau) - definition(bad, ln_tau))) < 2e-5


def test_a_device_with_its_own_v0_follows_the_law(cells: Cells) -> None:
    rng = np.random.default_rng(2)
    ln_tau, ln_v0 = rng.normal(0, 0.2, NUMBERS.size), rng.normal(0, 0.03, NUMBERS.size)
    wanted = definition(cells, ln_tau, ln_v0)
    assert np.max(np.abs(ours(cells, ln_tau, ln_v0) - wanted)) < 1e-4


def test_numbers_are_met_as_nearly_as_the_codes_allow(cells: Cells) -> None:
    """1,023 codes: within half the largest step of probability, up to the last code."""
    probability = np.sort(-np.expm1(-cells.sng["code_exposure"].to_numpy()))
    reachable = probability[-1] >= NUMBERS
    step = np.max(np.diff(probability))
    assert np.max(np.abs(ours(cells) - NUMBERS)[reachable]) < step / 2 + 1e-4
    assert np.allclose(ours(cells)[~reachable], probability[-1], atol=2e-5)


def test_probabilities_come_from_the_file(cells: Cells) -> None:
    """With all exposures below 0.1, no bit probability can pass 1 - exp(-0.1)."""
    weak = changed(cells, code_exposure=np.linspace(0, 0.1, cells.sng.sizes["code"]))
    assert ours(weak).max() == pytest.approx(-np.expm1(-0.1), abs=2e-5)
    noisy = changed(cells, e01=0.1)
    assert ours(noisy).min() == pytest.approx(0.1, abs=2e-5)


def test_devices_spread_as_the_law_says(cells: Cells) -> None:
    """Standard deviations of 20,000 devices within 3 % (6 standard errors)."""
    wide = Generators.from_cells(
        with_spread(cells, sigma_ln_tau_ref=0.4, sigma_ln_V0=0.05, correlation=-0.5)
    )
    devices = wide.draw_devices(np.random.default_rng(3), (20_000,))
    assert devices.ln_v0 is not None
    assert np.std(devices.ln_tau) == pytest.approx(0.4, rel=0.03)
    assert np.std(devices.ln_v0) == pytest.approx(0.05, rel=0.03)
    assert np.corrcoef(devices.ln_tau, devices.ln_v0)[0, 1] == pytest.approx(-0.5, abs=0.04)
    none = Generators.from_cells(with_spread(cells, sigma_ln_tau_ref=0.0))
    assert np.all(np.asarray(none.draw_devices(np.random.default_rng(3), (9,)).ln_tau) == 0)


def test_devices_behind_weights_follow_the_stream_rules(cells: Cells) -> None:
    wide = Generators.from_cells(with_spread(cells, sigma_ln_tau_ref=0.4, sigma_ln_V0=0.05))

    def drawn(kind: Kind, group: int = 1, uses: int = 9) -> tuple[np.ndarray, np.ndarray]:
        rules = StreamRules(kind=kind, group=group)
        found = wide.draw_weights(np.random.default_rng(5), (5, 3), uses, rules)
        assert found.ln_v0 is not None
        return np.asarray(found.ln_tau), np.asarray(found.ln_v0)

    plain = wide.draw_devices(np.random.default_rng(5), (5, 3))
    assert np.array_equal(drawn("parameter")[0], plain.ln_tau)
    assert np.array_equal(drawn("use", uses=1)[0], plain.ln_tau)
    for own in drawn("use"):
        assert own.shape == (9, 5, 3) and np.unique(own).size == own.size
    for shared in drawn("turns", 4):
        groups = np.append(shared.ravel(), shared[-1, -1]).reshape(4, 4)
        assert np.all(groups == groups[:, :1]) and np.unique(shared).size == 4


def test_set_events_follow_the_stationary_cycle(cells: Cells) -> None:
    """Events counted in 200,000 simulated RESET-write-read cycles; 5 standard errors."""
    bad = Generators.from_cells(changed(cells, Pr=0.8, e01=0.05, e10=0.1))
    rng, switching, state, sets, read = np.random.default_rng(4), 0.3, 0, 0, 0
    cycles = 200_000
    uniform = rng.random((cycles, 3))
    for reset, write, sense in uniform:
        if state and reset < 0.8:
            state = 0
        if not state and write < switching:
            state, sets = 1, sets + 1
        read += sense < (0.9 if state else 0.05)
    expected = bad.read_out.read(np.array([switching]))[0]
    assert read / cycles == pytest.approx(expected, abs=5 * np.sqrt(0.25 / cycles))
    assert sets / cycles == pytest.approx(bad.read_out.set_events(expected), abs=0.005)


def test_dependent_bits_are_warned_about(cells: Cells) -> None:
    assert describe_dependence(Generators.from_cells(cells)) is None
    lagged = describe_dependence(Generators.from_cells(changed(cells, lag1=0.05)))
    assert lagged is not None and "0.05" in lagged
    remembered = describe_dependence(Generators.from_cells(with_spread(cells, rho=0.6)))
    assert remembered is not None and "0.6" in remembered


def test_an_unknown_arithmetic_is_refused_by_name(cells: Cells, generators: Generators) -> None:
    mac = cells.mac("bipolar_mux").assign_attrs(adder="or")
    with pytest.raises(InputError, match=r"'or'.*bipolar with mux"):
        arithmetic_of(cells.path, "bipolar_mux", mac, generators, 256)
