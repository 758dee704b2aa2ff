"""A family mixed over the C2C spread: against integration, its own derivatives, JAX; any shape."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from characterization.fit.observations.base import single
from devices import mixture
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from devices.mixture import (
    mixed_hazard_terms,
    mixed_log_density_terms,
    mixed_probability,
)
from devices.mixture_nodes import c2c_nodes, steepness

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


@pytest.mark.parametrize("sigma", [0.1, 1.0, 2.5])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("exponential", 1.0),
        ("weibull", 0.4),
        ("weibull", 20.0),
        ("lognormal", 0.2),
        ("gamma", 0.5),
        ("gamma", 50.0),
    ],
)
def test_mixture_is_accurate_to_1e_8(name: str, shape: float, sigma: float) -> None:
    family = FAMILIES[name]
    ln_u = np.linspace(-5.0, 4.0, 13)
    z = np.linspace(-9.0, 9.0, 20_001)
    w = np.exp(-z * z / 2)
    wanted = [w @ family.probability(np.exp(x - sigma * z), shape) / w.sum() for x in ln_u]
    found = mixed_probability(family, np.exp(ln_u), shape, sigma)
    np.testing.assert_allclose(found, wanted, atol=2e-9)
    hazard = mixed_hazard_terms(family, ln_u, np.log(shape), np.log(sigma), 0)[""]
    np.testing.assert_allclose(-np.expm1(-hazard), wanted, atol=2e-9)


def test_mixture_of_a_log_normal_is_a_wider_log_normal() -> None:
    family = FAMILIES["lognormal"]
    ln_u, wide = np.linspace(-4.0, 4.0, 17), float(np.hypot(0.5, 1.2))
    found = mixed_hazard_terms(family, ln_u, np.log(0.5), np.log(1.2), 1)
    wanted = family.hazard_terms(ln_u, np.log(wide), 1)
    np.testing.assert_allclose(found[""], wanted[""], rtol=1e-8)
    np.testing.assert_allclose(found["x"], wanted["x"], rtol=1e-7)
    # d wide / d ln sigma = sigma^2 / wide
    np.testing.assert_allclose(found["t"], wanted["s"] * (1.2 / wide) ** 2, rtol=1e-6, atol=1e-9)
    density = mixed_log_density_terms(family, ln_u, np.log(0.5), np.log(1.2), 0)[""]
    np.testing.assert_allclose(density, stats.norm.logpdf(ln_u, scale=wide), atol=1e-9)


@pytest.mark.parametrize(("name", "shape"), [("exponential", 1.0), ("weibull", 1.6), ("gamma", 2)])
def test_mixture_derivatives_are_those_of_its_values(name: str, shape: float) -> None:
    family = FAMILIES[name]
    at = np.array([np.log(shape), np.log(0.8)])
    ln_u, step = np.linspace(-5.0, 2.0, 15), 1e-4
    moves = {"x": (step, 0.0, 0.0), "s": (0.0, step, 0.0), "t": (0.0, 0.0, step)}
    for terms in (mixed_hazard_terms, mixed_log_density_terms):
        found = terms(family, ln_u, at[0], at[1])
        for letter, (dx, ds, dt) in moves.items():
            up = terms(family, ln_u + dx, at[0] + ds, at[1] + dt, 1)
            down = terms(family, ln_u - dx, at[0] - ds, at[1] - dt, 1)
            for key in ("", "x", "s", "t"):
                name_of = "".join(sorted(key + letter, key="xst".index))
                slope = (up[key] - down[key]) / (2 * step)
                np.testing.assert_allclose(found[name_of], slope, rtol=1e-5, atol=1e-6)


def test_mixture_runs_in_jax_and_vanishing_spread_is_none() -> None:
    import jax.numpy as jnp

    family = FAMILIES["weibull"]
    u = np.exp(np.linspace(-4.0, 3.0, 9))
    in_jax = np.asarray(mixed_probability(family, jnp.asarray(u), 1.6, 1.0, "jax"))
    np.testing.assert_allclose(in_jax, mixed_probability(family, u, 1.6, 1.0), atol=2e-6)
    np.testing.assert_allclose(
        mixed_probability(family, u, 1.6, 0.0), family.probability(u, 1.6), atol=1e-15
    )
    assert c2c_nodes(1.0, steepness(family, 20.0))[0].size < 1000
