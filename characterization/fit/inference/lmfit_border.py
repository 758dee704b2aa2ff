"""A fit as lmfit's own objects, for users who come from there or go on from there."""

from __future__ import annotations

from collections.abc import Sequence

import lmfit
import numpy as np
from scipy.stats import chi2

from characterization.fit.inference.candidate import MEASUREMENT, Candidate, natural
from characterization.fit.inference.limits import check_limits, limited
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.profile import profile_end
from characterization.fit.inference.start import bounds


def parameters(candidate: Candidate) -> lmfit.Parameters:
    """lmfit.Parameters in SI units: value, stderr, and correlations of the logarithms."""
    result = lmfit.Parameters()
    spread = np.sqrt(np.diag(candidate.covariance))
    for i, name in enumerate(candidate.names):
        fitted = candidate.parameter(name, "")
        low, high = {"Ea": (-np.inf, np.inf)}.get(name, (0, 1 if name in MEASUREMENT else np.inf))
        result.add(name, value=fitted.value, min=low, max=high, vary=name not in candidate.fixed)
        result[name].stderr = fitted.stderr
        result[name].init_value = fitted.value
        result[name].correl = {
            other: float(candidate.covariance[i, j] / (spread[i] * spread[j]))
            for j, other in enumerate(candidate.names)
            if j != i and np.isfinite(candidate.covariance[i, j])
        }
    return result


def limits_of(wanted: lmfit.Parameters) -> dict[str, tuple[float, float]]:
    """The bounds and fixed values (``vary=False``) of lmfit.Parameters, tau_ref left out.

    Raises :class:`InputError` for a name or a range no law has.
    """
    limits = {}
    for name, one in wanted.items():
        if not one.vary:
            limits[name] = (float(one.value), float(one.value))
        elif np.isfinite(one.min) or np.isfinite(one.max):
            low = one.min if np.isfinite(one.min) or name == "Ea" else 0.0
            limits[name] = (float(low), float(one.max))
    limits.pop("tau_ref", None)
    check_limits(limits)
    return limits


def conf_interval(
    candidate: Candidate, levels: Sequence[float] = (0.6827, 0.9545, 0.9973)
) -> dict[str, list[tuple[float, float]]]:
    """Profile-likelihood intervals as lmfit.conf_interval gives them.

    By name (probability, value) from the lowest to the highest, with (0, estimate) in the middle;
    -inf and inf where the data put no bound.
    """
    likelihood = candidate.likelihood
    box = limited(bounds(likelihood.data, likelihood.names), likelihood.names, candidate.limits)
    held = np.array([name in candidate.fixed for name in candidate.names])
    best = maximise(likelihood.evaluate, candidate.maximum, *box, held)
    result = {}
    for index, name in enumerate(candidate.names):
        if held[index]:
            continue
        variance = candidate.covariance[index, index]
        scale = float(np.sqrt(variance)) if np.isfinite(variance) else 0.3
        points = [(0.0, float(natural(name, best.theta[index])))]
        for level in levels:
            for side in (-1, 1):
                end = profile_end(
                    likelihood,
                    best,
                    box,
                    index=index,
                    side=side,
                    scale=scale,
                    held=held,
                    level=float(np.sqrt(chi2.ppf(level, 1))),
                )
                value = side * np.inf if end is None else float(natural(name, end[0]))
                points.append((level, value))
        result[name] = sorted(points, key=lambda point: point[1])
    return result


def minimizer_result(candidate: Candidate) -> lmfit.minimizer.MinimizerResult:
    """lmfit's result object: chi-square stands for -2 ln L, which the fit minimised."""
    objective = -2 * candidate.loglik
    size = candidate.likelihood.data.size
    free = size - candidate.count
    return lmfit.minimizer.MinimizerResult(
        params=parameters(candidate),
        method="Newton (maximum likelihood, chi-square = -2 ln L)",
        var_names=list(candidate.names),
        covar=candidate.covariance,
        errorbars=bool(np.all(np.isfinite(candidate.covariance))),
        success=True,
        nfev=candidate.evaluations,
        ndata=int(size),
        nvarys=candidate.count,
        nfree=int(free),
        chisqr=objective,
        redchi=objective / free if free > 0 else np.nan,
        aic=candidate.aic,
        bic=candidate.bic,
    )
