"""What the device of the SNG makes of the bill's energies: fit, resistances, D2D, against closed
forms, finite differences and drawn devices.

The cells' energies are those of a current of 1 nA/V x V in HRS (all of it R_HRS) and 1 uA in LRS
(saturated), with the mean time of switching of an exponential law.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from formats.cells import Cells
from formats.seeds import generator
from system.budget.sng import SngTable, energy_per_bit, sng_table
from system.budget.uncertainty import Uncertainty, uncertainty
from system.budget.uncertainty.altered import Written, mean_wait
from system.budget.uncertainty.generator import written
from tests.system_report.changes import bill, of, trained

WIDTH, Z95 = 1e-4, 1.959963984540054
HELD, LRS, PROBABILITY = 1e-9, 1e-6, 0.1
"""A/V in HRS, A in LRS; the bit probability of the weights of the tests' training."""
COVARIANCE = ((4e-3, 1e-3), (1e-3, 1e-3))


def before(u: np.ndarray) -> np.ndarray:
    """Mean share of the pulse before an exponential device switches, of those that do."""
    return 1 / u - 1 / np.expm1(u)


def made(
    cells: Cells, *, sigma_d2d: float = 0.0, r_hrs: float = 1e9, fitted: bool = False
) -> Cells:
    """The tests' cells with a known device and energies that follow from it."""
    device = knag2014()
    law, conduction = device.set, device.conduction
    spread = replace(
        law.spread,
        sigma_ln_tau_d2d=replace(law.spread.sigma_ln_tau_d2d, value=sigma_d2d),
    )
    law = replace(law, spread=spread)
    if fitted:
        law = replace(law, covariance_order=("tau_ref", "V0"), covariance=COVARIANCE)
    none = Parameter(0.0, "1", "assumed")
    conduction = replace(
        conduction,
        r_hrs=replace(conduction.r_hrs, value=r_hrs),
        sigma_ln_r_hrs=none,
        sigma_ln_r_lrs=none,
    )
    content = replace(device, set=law, conduction=conduction).to_dict()
    content["provenance"] = json.loads(str(cells.attributes["device_json"]))["provenance"]
    sng = cells.sng.interp(write_voltage=np.linspace(2.6, 3.6, 201))
    voltage = sng["write_voltage"].to_numpy()
    exposure = law.rate(voltage) * WIDTH
    wait = before(exposure)
    for name, values in (("exposure", exposure), ("Ps", -np.expm1(-exposure))):
        sng[name] = sng[name].copy(data=values[:, None, None, None])
    sng["pi"] = sng["pi"].copy(data=sng["Ps"].to_numpy())
    energy = np.zeros(sng["energy"].shape)
    held, lrs = HELD * voltage**2 * WIDTH, LRS * voltage * WIDTH
    energy[..., 1, 0] = held[:, None, None, None]
    energy[..., 1, 1] = (wait * held + (1 - wait) * lrs)[:, None, None, None]
    sng["energy"] = sng["energy"].copy(data=energy)
    attributes = {**cells.attributes, "device_json": json.dumps(content)}
    return replace(cells, groups={**cells.groups, "sng": sng}, attributes=attributes)


def bit(law: SwitchingLaw, nominal: SwitchingLaw, p: float) -> float:
    """J of a bit at probability p of a device with ``law``, by the definition of the cells."""

    def off(v: float) -> float:
        return float(law.probability(np.array([v]), WIDTH)[0]) - p

    v = scipy.optimize.brentq(off, 2.0, 5.0, xtol=1e-12)
    u = -math.log1p(-p)
    wait = float(before(np.array(u)))
    held, lrs = HELD * v * v * WIDTH, LRS * v * WIDTH
    return p * (wait * held + (1 - wait) * lrs) + (1 - p) * held


def turned(cells: Cells) -> tuple[Uncertainty, Any]:
    """Uncertainty and bill of a training with bits of one probability."""

    def change(data: Any) -> None:
        for name in ("operand_a", "operand_b"):
            data[name] = data[name] * 0 + PROBABILITY

    training = trained(cells, change)
    found = bill(cells, training)
    return uncertainty(cells, training, found), found


def sng_energy(found: Any) -> float:
    return math.fsum(line.energy_training for line in found.lines if line.group == "SNGs")


def bar(moved: Uncertainty, name: str) -> tuple[float, float]:
    """The two ends of the training step's energy."""
    one = next(x for x in moved.tornado["energy_per_training_step_J"] if x.input == name)
    return one.low, one.high


def test_waits_are_those_of_the_closed_form_and_of_quadrature(cells: Cells) -> None:
    law = knag2014().set
    u = np.array([1e-4, 0.1, 0.7, 3.0])
    assert mean_wait(law, u) == pytest.approx(before(u), rel=1e-6)
    shaped = replace(
        law, family=FAMILIES["weibull"], shape=Parameter(1.7, "1", "assumed"), tau_ref=law.tau_ref
    )
    density = lambda x: 1.7 * x**0.7 * math.exp(-(x**1.7))  # noqa: E731
    mean = scipy.integrate.quad(lambda x: x * density(x), 0, 0.7)[0]
    wanted = mean / scipy.integrate.quad(density, 0, 0.7)[0] / 0.7
    assert mean_wait(shaped, np.array([0.7]))[0] == pytest.approx(wanted, rel=1e-6)


def test_the_unaltered_table_is_the_table(cells: Cells) -> None:
    found = made(cells)
    table = sng_table(found)
    write, _ = written(found, table)
    for same in (write.slower(0.0), write.resisting(), write.conducting()):
        np.testing.assert_allclose(same.energy, table.energy, rtol=1e-9)
        np.testing.assert_allclose(same.pi, table.pi, rtol=1e-9)


def test_fit_covariance_moves_the_voltage_that_a_probability_takes(cells: Cells) -> None:
    """Bars against the energy of a device with other parameters at the voltage it then takes."""
    found = made(cells, fitted=True)
    moved, whole = turned(found)
    law = knag2014().set
    root = np.linalg.cholesky(np.array(COVARIANCE))
    assert bit(law, law, PROBABILITY) == pytest.approx(
        energy_per_bit(sng_table(found), PROBABILITY).total, rel=1e-4
    )
    energy = sng_energy(whole)
    for column, name in enumerate(("tau_ref", "V0")):
        for end, z in zip(bar(moved, f"device fit, {name}"), (-Z95, Z95), strict=True):
            shift = np.exp(root[:, column] * z)
            other = law.with_values(law.tau_ref.value * shift[0], law.v0.value * shift[1])
            ratio = bit(other, law, PROBABILITY) / bit(law, law, PROBABILITY)
            assert abs(ratio - 1) > 1e-3
            assert end - whole.energy_training == pytest.approx(energy * (ratio - 1), rel=0.01)
    sigmas = {one.name: one.sigma for one in moved.inputs if one.kind == "fitted"}
    assert sigmas == pytest.approx(
        {"device fit, tau_ref": root[0, 0], "device fit, V0": root[1, 1]}
    )


def test_a_device_without_covariance_says_so(cells: Cells) -> None:
    moved, _ = turned(made(cells))
    (none,) = [one for one in moved.inputs if one.name == "device fit"]
    assert none.kind == "taken" and "Knag" in none.source and moved.moves["device fit"] == ()


def test_resistances_move_the_current_of_their_state_only(cells: Cells) -> None:
    """All of the voltage falls on R_HRS; in LRS the transistor saturates, and R_LRS does nothing.

    With one voltage for a probability the energies are exact.
    """
    moved, whole = turned(made(cells))
    table = sng_table(made(cells))
    p, u = PROBABILITY, -math.log1p(-PROBABILITY)
    wait = float(before(np.array(u)))
    v = float(np.interp(p, table.pi, table.voltage))
    held, lrs = HELD * v * v * WIDTH, LRS * v * WIDTH
    of_hrs = (p * wait + 1 - p) * held
    share = of_hrs / (of_hrs + p * (1 - wait) * lrs)
    energy = sng_energy(whole)
    for end, factor in zip(bar(moved, "R_HRS"), (10.0, 0.1), strict=True):
        wanted = energy * share * (factor - 1)
        assert end - whole.energy_training == pytest.approx(wanted, rel=0.01)
    assert not any(x.input == "R_LRS" for x in moved.tornado["energy_per_training_step_J"])
    # The limiting transistor and the corner move the other part.
    high = bar(moved, "write current")[1]
    assert high - whole.energy_training == pytest.approx(energy * (1 - share) * 0.2, rel=0.01)


def one_device(write: Written, table: SngTable, place: int, delta: np.ndarray) -> np.ndarray:
    """J of a bit of devices slower by ``delta`` in ln tau at a voltage, by the definition."""
    u = write.exposure[place] * np.exp(-delta)
    p, wait, v = -np.expm1(-u), before(u), table.voltage[place]
    held, lrs = HELD * v * v * WIDTH, LRS * v * WIDTH
    return np.asarray(p * (wait * held + (1 - wait) * lrs) + (1 - p) * held)


def test_d2d_shifts_the_mean_and_scatters_by_the_root_of_the_number(cells: Cells) -> None:
    """Against 400,000 drawn devices at the voltage of the wanted probability (3 sigma)."""
    found = made(cells, sigma_d2d=0.5)
    moved, whole = turned(found)
    table = sng_table(found)
    write, _ = written(found, table)
    place = int(np.argmin(np.abs(table.pi - PROBABILITY)))
    p = float(table.pi[place])
    nominal = float(one_device(write, table, place, np.zeros(1))[0])
    random = generator(0, "devices").standard_normal(400_000)
    assert p == pytest.approx(PROBABILITY, abs=0.002)
    for end, times in zip(bar(moved, "D2D, mean over devices"), (0.5, 2.0), strict=True):
        drawn = one_device(write, table, place, 0.5 * times * random)
        shift = drawn.mean() / nominal - 1
        found_shift = (end - whole.energy_training) / sng_energy(whole)
        # The curve goes through three points in z, and 0.1 and p differ a little.
        assert found_shift == pytest.approx(shift, rel=0.1)
    line = of(whole, "SNGs of parameters")
    one = next(x for x in moved.inputs if x.name == "D2D, devices drawn, SNGs of parameters")
    drawn = one_device(write, table, place, 0.5 * random)
    wanted = drawn.std() / nominal / math.sqrt(line.count)
    assert one.sigma == pytest.approx(wanted, rel=0.05)


def test_a_calibration_leaves_less_of_the_spread(cells: Cells) -> None:
    found = made(cells, sigma_d2d=0.1)
    calibration = {
        "trim_bits": 5,
        "gain_step": None,
        "readbacks": 64,
        "rms_ln_tau": [0.5, 0.05],
        "rms_probability": [0.1, 0.01],
    }
    conditions = json.dumps({"calibration": calibration})
    drawn = {}
    for name, training in (
        ("raw", trained(found)),
        ("trimmed", trained(found, conditions=conditions)),
    ):
        moved = uncertainty(found, training, bill(found, training))
        drawn[name] = next(x for x in moved.inputs if x.name.startswith("D2D, devices drawn"))
    assert drawn["raw"].sigma and drawn["trimmed"].sigma
    assert drawn["trimmed"].sigma == pytest.approx(drawn["raw"].sigma / 10, rel=0.02)


def test_without_spread_and_errors_those_inputs_disappear(cells: Cells) -> None:
    moved, _ = turned(made(cells, sigma_d2d=0.0))
    assert not any(one.name.startswith(("D2D", "simulated energy of sng")) for one in moved.inputs)
