"""Means over devices and cells against drawn ones; the circuit is replaced by a formula."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from characterization.extract.sng import reset, spread
from characterization.extract.sng.reset import reset_phase
from characterization.extract.sng.spread import WRITE_PATH, population
from devices.parameter import Parameter
from devices.presets import knag2014

DEVICE = knag2014()
WIDTH, DRAWS = 1e-4, 400_000
VOLTAGES = np.linspace(2.8, 3.6, 17)
BY_RESISTANCE, BY_SHIFT = 0.4, {"acc": -3.0, "dn": -5.0, "wr": -8.0}
"""Exponent of the exposure in R, and its slope by each transistor's threshold (1/V)."""
SIGMAS = {"acc": 0.02, "dn": 0.03, "wr": 0.01}


def exposure(circuit: dict[str, Any]) -> np.ndarray:
    """The bare device's, bent by the resistance and by shifted thresholds."""
    c = DEVICE.conduction
    bent = BY_RESISTANCE * np.log((circuit["r_hrs"] or c.r_hrs.value) / c.r_hrs.value)
    bent += sum(BY_SHIFT[name] * v for name, v in (circuit["vt_shifts"] or {}).items())
    return np.asarray(DEVICE.set.rate(circuit["voltages"]) * WIDTH * np.exp(bent))


def fake_bench(**more: Any) -> Any:
    def circuit(voltages: np.ndarray, *_: Any, r_hrs: Any = None, vt_shifts: Any = None) -> Any:
        return {"voltages": voltages, "r_hrs": r_hrs, "vt_shifts": vt_shifts}

    design = SimpleNamespace(write_time=WIDTH, reset_time=1e-6, vt_sigmas=lambda _: SIGMAS)
    return SimpleNamespace(device=DEVICE, technology=None, design=design, circuit=circuit, **more)


def test_the_population_is_that_of_drawn_devices_and_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """D2D, R_HRS and three transistors drawn together; means within 5 standard errors."""
    monkeypatch.setattr(
        spread, "exposures", lambda _, circuits, n: np.array([exposure(c) for c in circuits])
    )
    nominal = DEVICE.set.rate(VOLTAGES) * WIDTH
    found = population(fake_bench(), VOLTAGES, nominal)
    assert set(WRITE_PATH) == set(BY_SHIFT)
    expected = np.sqrt(sum((BY_SHIFT[name] * SIGMAS[name]) ** 2 for name in BY_SHIFT))
    assert found.sigma_mismatch == pytest.approx(np.full(VOLTAGES.size, expected), rel=1e-9)
    random = np.random.default_rng(8)
    ln_u = -0.2 * random.standard_normal(DRAWS)  # sigma of ln tau between devices
    for name, slope in BY_SHIFT.items():
        ln_u += slope * SIGMAS[name] * random.standard_normal(DRAWS)
    cells = ln_u.copy()
    sigma_r = DEVICE.conduction.sigma_ln_r_hrs.value
    ln_u += BY_RESISTANCE * sigma_r * random.standard_normal(DRAWS)
    for place in (4, 10, 15):
        p = -np.expm1(-nominal[place] * np.exp(ln_u))
        assert found.mean[place] == pytest.approx(p.mean(), abs=5 * p.std() / np.sqrt(DRAWS))
        band = np.quantile(-np.expm1(-nominal[place] * np.exp(cells)), (0.05, 0.95))
        assert [found.p05[place], found.p95[place]] == pytest.approx(band, abs=2e-3)


def test_the_mean_of_reset_is_that_of_drawn_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """R_LRS moves the exposure by a power; devices differ by sigma of ln tau."""
    law = replace(DEVICE.set.with_values(5e-7, 0.15), reference_voltage=1.2)
    sigma_tau = Parameter(0.5, "1", "assumed")
    law = replace(law, spread=replace(law.spread, sigma_ln_tau_d2d=sigma_tau))
    median, sigma = DEVICE.conduction.r_lrs.value, DEVICE.conduction.sigma_ln_r_lrs.value

    def circuit(*_: Any, r_lrs: float | None = None, **__: Any) -> float:
        return 1.1 * ((r_lrs or median) / median) ** 4

    bench = fake_bench(run=lambda c, _: c, run_all=lambda cs, _: cs)
    bench.device, bench.circuit = replace(DEVICE, reset=law), circuit
    monkeypatch.setattr(reset, "_exposure", lambda _, waveforms: waveforms)
    found = reset_phase(bench, VOLTAGES)
    random = np.random.default_rng(9)
    ln_u = 4 * sigma * random.standard_normal(DRAWS) - 0.5 * random.standard_normal(DRAWS)
    p = -np.expm1(-1.1 * np.exp(ln_u))
    assert found.probability == pytest.approx(-np.expm1(-1.1))
    assert found.mean == pytest.approx(p.mean(), abs=5 * p.std() / np.sqrt(DRAWS))
    # More than the tolerance: a mean without the spread would be noticed.
    assert abs(found.mean - found.probability) > 0.005
