"""A fit as lmfit's own objects, for users who go on from there."""

from __future__ import annotations

import lmfit
import numpy as np

from characterization.fit.inference.candidate import Candidate


def parameters(candidate: Candidate) -> lmfit.Parameters:
    """lmfit.Parameters in SI units: value, stderr, and correlations of the logarithms."""
    result = lmfit.Parameters()
    spread = np.sqrt(np.diag(candidate.covariance))
    for i, name in enumerate(candidate.names):
        fitted = candidate.parameter(name, "")
        result.add(name, value=fitted.value, min=0, max=1 if name == "floor" else np.inf)
        result[name].stderr = fitted.stderr
        result[name].init_value = fitted.value
        result[name].correl = {
            other: float(candidate.covariance[i, j] / (spread[i] * spread[j]))
            for j, other in enumerate(candidate.names)
            if j != i and np.isfinite(candidate.covariance[i, j])
        }
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
