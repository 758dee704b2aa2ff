"""The mixture over the C2C spread: arrays of any shape, as a population gives them."""

from __future__ import annotations

import numpy as np
import pytest

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from characterization.fit.observations.base import single
from devices import mixture
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES

LN_U = np.linspace(-6.0, 3.0, 24)


@pytest.mark.parametrize("shape", [(), (24,), (1, 4, 6), (4, 6)])
@pytest.mark.parametrize("chunk", [400_000, 200])
@pytest.mark.parametrize("name", ["mixed_hazard_terms", "mixed_log_density_terms"])
def test_terms_of_an_array_are_those_of_its_elements(
    name: str, chunk: int, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    terms_of, family = getattr(mixture, name), FAMILIES["weibull"]
    expected = [terms_of(family, np.array([x]), -0.3, 0.2) for x in LN_U]
    monkeypatch.setattr(mixture, "_CHUNK", chunk)
    x = LN_U[: int(np.prod(shape))].reshape(shape)
    for key, found in terms_of(family, x, -0.3, 0.2).items():
        assert found.shape == shape
        np.testing.assert_allclose(
            found.ravel(), np.concatenate([row[key] for row in expected])[: x.size], rtol=1e-12
        )


@pytest.mark.parametrize("kind", ["pulses", "waits"])
def test_a_population_of_spread_devices_is_the_devices_one_by_one(kind: str) -> None:
    """ln tau_ref and ln V0 of each device's segments, at several quadrature nodes at once."""
    n, nodes = 8, 3
    random = np.random.default_rng(4)
    voltage, time = np.resize([2.8, 3.1], n), np.geomspace(1e-5, 1e-2, n)
    outcome = np.resize([1.0, 0.0, 1.0], n)
    ended = {"within" if kind == "pulses" else "exact": outcome, "waiting": 1 - outcome}
    likelihood = Likelihood(
        single(kind, voltage, time, **ended), SPREAD_EXPONENTIAL, ACCELERATIONS["exp(-V/V0)"], 3.0
    )
    ln_tau = np.log(1.2e-3) + 0.3 * random.standard_normal((nodes, n))
    ln_v0 = np.log(0.17) + 0.1 * random.standard_normal((nodes, n))
    value, slope, curve = likelihood.contributions([ln_tau, ln_v0, -0.4], 2)
    assert (value.shape, slope.shape, curve.shape) == ((3, n), (3, 3, n), (3, 3, 3, n))
    for k in range(nodes):
        for i in range(n):
            alone = likelihood.contributions([ln_tau[k, i], ln_v0[k, i], -0.4], 2)
            assert value[k, i] == pytest.approx(alone[0][i], rel=1e-11)
            np.testing.assert_allclose(slope[:, k, i], alone[1][:, i], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(curve[:, :, k, i], alone[2][:, :, i], rtol=1e-9, atol=1e-12)
