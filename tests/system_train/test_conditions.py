"""Temperature and corner come from the tables of cells.nc; what-ifs replace what they name."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from formats.cells import Cells
from formats.errors import InputError
from system.arithmetic import Deviation, Generators, mode_of
from system.arithmetic.conditions import Conditions
from system.arithmetic.operands import REGISTER_BITS, describe_dependence
from system.bitstream.ownership import DEFAULT_RULES
from tests.system_train.warm_cells import SLOW, WIDTH, law_of, warm_cells

NUMBERS = np.linspace(0, 1, 201)


def code_voltages(cells: Cells, e01: float = 1e-3) -> np.ndarray:
    """Write voltage of each of NUMBERS, by its nearest code at the nominal condition."""
    sng = cells.sng
    p = -np.expm1(-sng["code_exposure"].to_numpy()) * (1 - e01) + e01
    register = np.round(NUMBERS * 2**REGISTER_BITS) / 2**REGISTER_BITS
    code = np.argmin(np.abs(p[None] - register[:, None]), axis=1)
    return np.asarray(sng["code_voltage"].to_numpy()[code])


def found(cells: Cells, device: Deviation | None = None, **conditions: Any) -> np.ndarray:
    generators = Generators.from_cells(cells, conditions=Conditions(**conditions))
    nominal = Deviation(jnp.zeros(NUMBERS.size), None)
    number = jnp.asarray(NUMBERS, jnp.float32)
    return np.asarray(generators.probability(number, device or nominal), float)


def test_the_nominal_condition_by_name_changes_no_bit() -> None:
    cells = warm_cells()
    plain = Generators.from_cells(cells)
    named = Generators.from_cells(cells, conditions=Conditions(temperature_K=300.0, corner="tt"))
    again = Generators.from_cells(cells, conditions=Conditions(dac_bits=10))
    for other in (named, again):
        for name in ("level_ln_exposure", "level_voltage", "level_code", "readout"):
            assert np.array_equal(getattr(plain, name), getattr(other, name)), name
        assert (plain.start, plain.step, plain.read_out) == (
            other.start,
            other.step,
            other.read_out,
        )
    exposure = cells.sng["code_exposure"].to_numpy()[plain.level_code]
    written = exposure > 0
    wanted = np.log(exposure[written]).astype(np.float32)
    assert np.array_equal(plain.level_ln_exposure[written], wanted)


@pytest.mark.parametrize("follows", [True, False], ids=["V0 follows T", "V0 fixed"])
@pytest.mark.parametrize("kelvin", [275.0, 288.0, 325.0, 350.0])
def test_temperature_is_a_bias_of_the_laws_own_size(follows: bool, kelvin: float) -> None:
    """Codes of 300 K, probabilities of the law at T; between tabulated ones too (Arrhenius)."""
    cells = warm_cells(follows)
    e01 = np.exp(np.interp(1 / kelvin, 1 / np.array([350, 300, 275]), np.log([1e-2, 1e-3, 1e-4])))
    switching = law_of(cells).probability(code_voltages(cells), WIDTH, kelvin)
    here = found(cells, temperature_K=kelvin)
    assert np.max(np.abs(here - (switching * (1 - e01) + e01))) < 5e-5
    assert np.max(np.abs(here - found(cells))) > 0.05


@pytest.mark.parametrize("kelvin", [300.0, 325.0, 350.0])
def test_a_device_keeps_its_identity_at_other_temperatures(kelvin: float) -> None:
    """A device of its own tau_ref and V0 follows its own law moved to T."""
    cells = warm_cells()
    law = law_of(cells)
    rng = np.random.default_rng(2)
    ln_tau, ln_v0 = rng.normal(0, 0.2, NUMBERS.size), rng.normal(0, 0.05, NUMBERS.size)
    voltage = code_voltages(cells, e01=0.0)
    own = [
        law.with_values(law.tau_ref.value * math.exp(a), law.v0.value * math.exp(b)).probability(
            np.array([v]), WIDTH, kelvin
        )[0]
        for a, b, v in zip(ln_tau, ln_v0, voltage, strict=True)
    ]
    device = Deviation(jnp.asarray(ln_tau), jnp.asarray(ln_v0))
    here = found(cells, device, temperature_K=kelvin, sense_error=0.0)
    assert np.max(np.abs(here - np.array(own))) < 5e-5


def test_a_corner_is_read_from_the_file() -> None:
    cells = warm_cells()
    switching = -np.expm1(-SLOW * law_of(cells).rate(code_voltages(cells)) * WIDTH)
    assert np.max(np.abs(found(cells, corner="ss") - (switching * 0.99 + 0.01))) < 5e-5


def test_what_the_file_lacks_is_refused_with_what_it_has() -> None:
    cells = warm_cells()
    with pytest.raises(InputError, match=r"--corner.*'ff'.*ss, tt"):
        Generators.from_cells(cells, conditions=Conditions(corner="ff"))
    for kelvin in (274.0, 351.0):
        with pytest.raises(InputError, match=r"--temperature.*275, 300, 350 K"):
            Generators.from_cells(cells, conditions=Conditions(temperature_K=kelvin))


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("temperature_K", -3.0, "--temperature"),
        ("temperature_K", math.nan, "--temperature"),
        ("dac_bits", 1, "--dac-bits"),
        ("dac_bits", 17, "--dac-bits"),
        ("dac_bits", 7.5, "--dac-bits"),
        ("d2d_ln_tau", -0.1, "--d2d-ln-tau"),
        ("d2d_ln_v0", math.inf, "--d2d-ln-v0"),
        ("c2c_ln_tau", -1.0, "--c2c-ln-tau"),
        ("memory", 1.0, "--memory"),
        ("sense_error", 0.5, "--sense-error"),
    ],
)
def test_impossible_values_are_refused_by_option(name: str, value: float, option: str) -> None:
    with pytest.raises(InputError, match=f"^{option}: is"):
        Conditions(**{name: value})


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_fewer_dac_bits_miss_by_half_a_code_step(bits: int) -> None:
    """2^bits codes from the least to the greatest voltage; the worst error is half a step."""
    cells = warm_cells()
    levels = np.linspace(2.6, 3.7, 2**bits - 1)
    p = np.concatenate([[0.0], law_of(cells).probability(levels, WIDTH)]) * 0.999 + 0.001
    reachable = (p[0] <= NUMBERS) & (p[-1] >= NUMBERS)
    missed = np.abs(found(cells, dac_bits=bits) - NUMBERS)[reachable].max()
    half = np.max(np.diff(p)) / 2
    assert 0.8 * half < missed < half + 1e-4
    generators = Generators.from_cells(cells, conditions=Conditions(dac_bits=bits))
    assert np.unique(generators.level_code).size == generators.code_voltage.size == 2**bits


def test_what_ifs_replace_what_they_name_and_nothing_else() -> None:
    cells = warm_cells()
    plain = Generators.from_cells(cells)
    spread = {"d2d_ln_tau": 0.7, "d2d_ln_v0": 0.1, "c2c_ln_tau": 0.5, "memory": -0.3}
    other = Generators.from_cells(cells, conditions=Conditions(**spread))
    law = other.law.spread
    assert (law.sigma_ln_tau_d2d.value, law.sigma_ln_v0_d2d.value) == (0.7, 0.1)
    assert (law.sigma_ln_tau_c2c.value, law.memory.value) == (0.5, -0.3)
    assert law.memory.source == "assumed"
    assert replace(other.law, spread=plain.law.spread) == plain.law
    drawn = other.draw_devices(np.random.default_rng(1), (20_000,))
    assert np.std(drawn.ln_tau) == pytest.approx(0.7, rel=0.03)
    assert drawn.ln_v0 is not None and np.std(drawn.ln_v0) == pytest.approx(0.1, rel=0.03)
    # The codes know the C2C: the nominal device still gives the number asked for.
    assert np.max(np.abs(found(cells, c2c_ln_tau=0.5) - NUMBERS)[4:180]) < 2e-3


def test_sense_errors_of_a_what_if_bound_the_bit() -> None:
    p = found(warm_cells(), sense_error=0.1)
    assert p.min() == pytest.approx(0.1, abs=1e-5) and 0.89 < p.max() <= 0.9 + 1e-5
    inside = (NUMBERS > 0.1) & (NUMBERS < 0.89)
    assert np.max(np.abs(p - NUMBERS)[inside]) < 2e-3


def test_memory_of_a_what_if_forces_the_exact_mode() -> None:
    cells = warm_cells()
    words = DEFAULT_RULES, "sign-magnitude", "exact-counter"
    assert mode_of(Generators.from_cells(cells), *words)[0] == "moments"
    lagged = Generators.from_cells(cells, conditions=Conditions(memory=0.4))
    assert "rho = 0.4" in str(describe_dependence(lagged))
    assert mode_of(lagged, *words)[0] == "exact"
    # And a what-if without memory takes that of the file away, correlations in the file included.
    sng = cells.sng.assign(lag1=xr.full_like(cells.sng["lag1"], 0.3))
    remembered = replace(warm_cells(memory=0.5), groups={"sng": sng})
    assert describe_dependence(Generators.from_cells(remembered)) is not None
    forgetful = Generators.from_cells(remembered, conditions=Conditions(memory=0.0))
    assert describe_dependence(forgetful) is None


def test_conditions_are_written_and_read_and_told() -> None:
    assert Conditions().to_dict() == {} and "nominal" in Conditions().sentence()
    some = Conditions(temperature_K=350.0, corner="ss", dac_bits=6, memory=0.2)
    assert Conditions.from_dict(json.loads(json.dumps(some.to_dict()))) == some
    assert some.sentence() == (
        "at 350 K and corner ss (simulated: cells.nc) "
        "with a DAC of 6 bits, memory rho 0.2 (assumed)"
    )
    assert some.at_nominal == Conditions(dac_bits=6, memory=0.2)
    with pytest.raises(InputError, match=r"'humidity'"):
        Conditions.from_dict({"humidity": 3})
