"""fit.json: everything a reader, a plot or a later stage wants to know of a fit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from characterization.fit.analysis import FitResult
from characterization.fit.dependence.analysis import Dependence
from characterization.fit.direction import LawFit
from characterization.fit.goodness.points import points_of
from characterization.fit.goodness.residuals import residual_rows
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.posterior import PRIOR, Posterior
from characterization.fit.population.fit import PopulationFit


def fit_content(
    result: FitResult,
    source: str,
    record: dict[str, Any],
    posteriors: dict[str, Posterior] | None = None,
) -> dict[str, Any]:
    """The content of fit.json; ``source`` names the data file."""
    return {
        "schema": 1,
        "kind": result.kind,
        "laws": [_law(fit, source) for fit in result.laws],
        "conduction": {"sentences": list(result.conduction.sentences)},
        "posterior": {
            direction: {
                "prior": PRIOR,
                "interval95": {name: list(one.interval(name)) for name in one.names},
                "converged": one.converged,
                "devices": "pooled",
                "acceptance": one.acceptance,
            }
            for direction, one in (posteriors or {}).items()
        },
        "counts": result.counts,
        "excluded": list(result.excluded),
        "verdict": list(result.verdict),
        "provenance": record,
    }


def _law(fit: LawFit, source: str) -> dict[str, Any]:
    return {
        "direction": fit.direction,
        "candidates": [_candidate(c, source) for c in fit.candidates],
        "chosen": fit.chosen.family.name,
        "chosen_acceleration": fit.chosen.acceleration.name,
        "tests": [
            {
                "name": test.name,
                "statistic": test.statistic,
                "p_value": test.p_value,
                "note": test.note,
            }
            for test in fit.tests
        ],
        "outcomes": fit.counts,
        "points": points_of(fit.chosen),
        "residuals": residual_rows(fit.chosen),
        "population": None
        if fit.population is None
        else {**_population(fit.population), "bic": fit.population_bic},
        "dependence": None if fit.dependence is None else _dependence(fit.dependence),
        "thresholds": [asdict(one) for one in fit.thresholds],
    }


def _candidate(candidate: Candidate, source: str) -> dict[str, Any]:
    return {
        "family": candidate.family.name,
        "acceleration": candidate.acceleration.name,
        "reference_voltage_V": candidate.likelihood.reference,
        "loglik": candidate.loglik,
        "aic": candidate.aic,
        "aicc": candidate.aicc,
        "bic": candidate.bic,
        "parameters": {
            name: candidate.parameter(name, f"fitted to {source}").to_dict()
            for name in candidate.names
        },
    }


def _population(fit: PopulationFit) -> dict[str, Any]:
    return {
        "devices": len(fit.devices),
        "spread": list(fit.effects.names),
        "models": fit.models,
        "parameters": dict(zip(fit.likelihood.names, fit.theta.tolist(), strict=True)),
        "spreads": {name: asdict(one) for name, one in fit.spreads.items()},
        "loglik": fit.loglik,
        "quadrature_error": fit.quadrature_error,
        "converged": fit.converged,
    }


def _dependence(found: Dependence) -> dict[str, Any]:
    correlation, drift = found.autocorrelation, found.drift
    return {
        "lag": correlation.lag.tolist(),
        "spacing": correlation.spacing,
        "autocorrelation": correlation.value.tolist(),
        "stderr_without_correlation": correlation.stderr_none.tolist(),
        "p_independent": correlation.p_none,
        "effective_size": correlation.effective,
        "rho": found.memory.rho,
        "rho_95": [found.memory.low, found.memory.high],
        "verdict": drift.verdict,
        "trend": drift.trend,
        "memory_taken": drift.memory,
        "robust_errors": found.robust is not None,
    }
