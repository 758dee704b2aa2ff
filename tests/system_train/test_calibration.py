"""Trim words from read-backs take the D2D spread back, as far as their bits can tell."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from formats.errors import InputError
from system.arithmetic import Deviation, Generators
from system.arithmetic.calibration import Calibration, calibrate
from system.arithmetic.conditions import Conditions
from system.arithmetic.operands import Trim
from system.arithmetic.trim_tables import at_code
from system.bitstream.ownership import StreamRules
from tests.system_train.warm_cells import WIDTH, law_of, warm_cells

WIDE = (2.0, 4.4)
"""V; write voltages that leave room for any trim."""
STEP = (WIDE[1] - WIDE[0]) / 1022 / 0.156
"""ln tau of a DAC code of the published law."""
MANY = 20_000


def generators(sigma: float = 0.2, v0: float = 0.0, **conditions: Any) -> Generators:
    spread = {"d2d_ln_tau": sigma, "d2d_ln_v0": v0, "sense_error": 0.0}
    return Generators.from_cells(
        warm_cells(ends=WIDE), conditions=Conditions(**spread | conditions)
    )


def drawn(of: Generators) -> Deviation:
    return of.draw_devices(np.random.default_rng(11), (MANY,))


def error_of_half(of: Generators, devices: Deviation) -> float:
    found = np.asarray(of.probability(jnp.asarray(0.5), devices))
    return float(np.sqrt(np.mean((found - 0.5) ** 2)))


@pytest.mark.parametrize("kelvin", [300.0, 325.0])
def test_a_trimmed_device_is_written_at_the_trimmed_voltage(kelvin: float) -> None:
    """P against the law of each device, with its own V0, at the voltage of the moved code."""
    cells = warm_cells(ends=WIDE)
    law, here = law_of(cells), generators(temperature_K=kelvin)
    rng, voltage = np.random.default_rng(1), cells.sng["code_voltage"].to_numpy()
    offset, gain = rng.integers(-90, 90, 60), rng.normal(0, 0.05, 60)
    ln_tau, ln_v0 = rng.normal(0, 0.3, 60), rng.normal(0, 0.05, 60)
    trim = Trim(jnp.asarray(offset, jnp.float32), jnp.asarray(gain, jnp.float32))
    devices = Deviation(jnp.asarray(ln_tau), jnp.asarray(ln_v0), trim)
    for number in (0.1, 0.5, 0.9):
        code = here.level_code[round(number * 2**14)]
        moved = np.rint(code + offset + gain.astype(np.float32) * code).astype(int)
        wanted = [
            law.with_values(
                law.tau_ref.value * math.exp(a), law.v0.value * math.exp(b)
            ).probability(voltage[[c]], WIDTH, kelvin)[0]
            for a, b, c in zip(ln_tau, ln_v0, moved, strict=True)
        ]
        found = jax.jit(here.probability)(jnp.asarray(number, jnp.float32), devices)
        assert np.max(np.abs(np.asarray(found) - np.array(wanted))) < 5e-5


def test_a_trim_stays_within_the_dac_and_zero_stays_zero() -> None:
    here = generators()
    last = here.code_voltage.size - 1
    trim = Trim(jnp.asarray([-5000.0, 5000.0, 5000.0]), None)
    codes = here.trimmed_code(jnp.asarray([500, 500, 0]), trim)
    assert codes.tolist() == [1, last, 0]


def test_the_table_holds_the_mean_shift_given_the_count() -> None:
    """E[delta | count] of the first round by adaptive quadrature over the exponential device."""
    sigma, plan = 0.6, Calibration.plan(generators(0.6), 32, 9)
    first = plan.rounds[0]
    ln_u = math.log(law_of(warm_cells()).rate(2.0 + 2.4 / 1022 * (plan.words.pivot - 1)) * WIDTH)
    for count in (0, 5, 9, 16):

        def weight(delta: float, k: int = count) -> float:
            p = -math.expm1(-math.exp(ln_u - delta))
            return float(binom.pmf(k, 16, p) * norm.pdf(delta, 0, sigma))

        mean = quad(lambda d: d * weight(d), -4, 4)[0] / quad(weight, -4, 4)[0]
        assert first.tables[0][0, count] * plan.words.step * STEP == pytest.approx(mean, abs=0.006)


def test_half_is_met_as_quadrature_says_before_and_information_after() -> None:
    """Rms error of P(1/2). After: prior and Fisher information u^2/(e^u - 1) of K bits add up,
    with the steps of the words; 4 %, of which 1.5 are the standard error of 20,000 devices."""
    here = generators(0.2)
    devices = drawn(here)

    def square(z: float) -> float:
        return float((0.5 - 2 ** -math.exp(-0.2 * z)) ** 2 * norm.pdf(z))

    before = math.sqrt(quad(square, -8, 8)[0])
    assert error_of_half(here, devices) == pytest.approx(before, rel=0.02)
    u = -math.log(1 - 0.75)
    for readbacks, bits in ((64, 5), (256, 9)):
        plan = Calibration.plan(here, readbacks, bits)
        after = plan.trim(here, devices, np.random.default_rng(3))
        left = 1 / (1 / 0.2**2 + readbacks * u * u / math.expm1(u))
        left += (plan.words.step * STEP) ** 2 / 12
        slope = math.log(2) / 2
        assert error_of_half(here, after) == pytest.approx(slope * math.sqrt(left), rel=0.04)


def test_the_residual_falls_with_the_root_of_the_read_backs_down_to_the_trim_step() -> None:
    here = generators(1.0)
    devices = drawn(here)

    def residual(readbacks: int, bits: int) -> tuple[float, float]:
        plan = Calibration.at_codes(here, readbacks, bits, 0.75)
        trimmed = plan.trim(here, devices, np.random.default_rng(4))
        own = at_code(here, plan.words.pivot, trimmed)[0]
        left = own - here.code_ln_exposure[plan.words.pivot]
        assert plan.after.ln_tau == pytest.approx(float(np.std(left)), rel=0.04)  # new devices
        return float(np.sqrt(np.mean(left**2))), plan.words.step * STEP

    fine = [residual(readbacks, 9)[0] for readbacks in (32, 128, 512)]
    assert fine[0] / fine[1] == pytest.approx(2, rel=0.08)
    assert fine[1] / fine[2] == pytest.approx(2, rel=0.08)
    coarse, step = residual(512, 4)
    assert step > 5 * fine[2]
    assert coarse == pytest.approx(math.hypot(fine[2], step / math.sqrt(12)), rel=0.05)


def test_two_codes_beat_one_where_v0_spreads_and_are_then_chosen() -> None:
    here = generators(0.1, 0.2)
    one, two = (Calibration.at_codes(here, 128, 6, 0.5, ends) for ends in ((), (0.25, 0.75)))
    assert two.after.probability < 0.85 * one.after.probability < 0.85 * one.before.probability
    assert Calibration.plan(here, 64, 5).words.gain_step is not None
    assert two.cost.trim_bits == 2 * one.cost.trim_bits == 12
    # A little spread of V0 is not worth bits at a code that tells less of tau.
    assert Calibration.plan(generators(0.2, 0.02), 32, 6).words.gain_step is None


def test_devices_that_are_alike_are_not_touched() -> None:
    here = generators(0.0)
    devices = drawn(here)
    trimmed = calibrate(here, devices, np.random.default_rng(5))
    assert trimmed.trim is not None and np.all(np.asarray(trimmed.trim.offset) == 0)
    numbers = jnp.linspace(0, 1, MANY)
    same = np.asarray(here.probability(numbers, devices))
    assert np.array_equal(np.asarray(here.probability(numbers, trimmed)), same)


def test_read_backs_with_memory_tell_less() -> None:
    """They are bits of the device's own stream; with lag-1 correlation the count scatters more."""
    free = generators(0.5)
    lagged = generators(0.5, memory=0.7)
    plan = Calibration.at_codes(free, 64, 6, 0.5)
    devices = free.draw_devices(np.random.default_rng(11), (2000,))
    independent = error_of_half(free, plan.trim(free, devices, np.random.default_rng(6)))
    remembered = error_of_half(lagged, plan.trim(lagged, devices, np.random.default_rng(6)))
    assert 1.2 * independent < remembered < error_of_half(free, devices)


def test_weights_on_one_generator_share_its_trim() -> None:
    here = generators(0.5)
    plan = Calibration.at_codes(here, 16, 5, 0.5)
    found = here.draw_weights(
        np.random.default_rng(5),
        (5, 3),
        9,
        StreamRules(kind="turns", group=4),
        lambda own: plan.trim(here, own, np.random.default_rng(7)),
    )
    assert found.trim is not None and found.trim.offset.shape == (5, 3)
    offset = np.asarray(found.trim.offset).ravel()
    groups = np.append(offset, offset[-1]).reshape(4, 4)
    assert np.all(groups == groups[:, :1]) and np.unique(offset).size > 1


def test_the_seed_decides_the_trim() -> None:
    here = generators(0.5)
    plan = Calibration.at_codes(here, 16, 5, 0.5)
    devices = here.draw_devices(np.random.default_rng(1), (3, 50))
    first, again, other = (
        np.asarray(plan.trim(here, devices, np.random.default_rng(seed)).trim.offset)  # type: ignore[union-attr]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and np.any(first != other)


def test_the_cost_is_counted() -> None:
    plan = Calibration.at_codes(generators(), 64, 5, 0.75)
    cost = plan.cost
    assert (cost.readbacks, cost.trim_bits, cost.adder_bits, cost.multiplier_bits) == (64, 5, 10, 0)
    assert (cost.counter_bits, cost.table_bits) == (6, 2 * 33 * 5)
    assert "64 read-backs" in plan.sentence() and plan.to_dict()["trim_bits"] == 5


@pytest.mark.parametrize(
    ("readbacks", "bits", "option"),
    [(3, 5, "--calibrate"), (513, 5, "--calibrate"), (64, 0, "--trim-bits")],
)
def test_impossible_calibrations_are_refused_by_option(
    readbacks: int, bits: int, option: str
) -> None:
    with pytest.raises(InputError, match=f"^{option}: is"):
        Calibration.plan(generators(), readbacks, bits)
