"""Graded RESET: resistance after a pulse against its voltage and width, by maximum likelihood.

Three shapes are tried and BIC chooses: every cell moves (one mode); a share of the cells RESETs and
the others stay (two modes); the same with a part of the cells that never RESETs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from characterization.fit.conduction.graded_check import (
    Conditions,
    compare_conditions,
    positive_rows,
)
from characterization.fit.conduction.maximum import Maximum, maximum
from devices.conduction import GradedReset
from devices.parameter import Parameter
from formats.errors import InputError

_WHERE = "graded RESET"
_FEWEST = 50
_THINNED = 2000
"""Rows on which the starts are compared."""
_SIGMAS_ABOVE = 4.0
"""A cell further above the bulk (in its robust sigma of ln R) counts as RESET, for the start."""
SHAPES = ("one mode", "two modes", "two modes, a part never RESETs")
_NAMES = (
    "r_lrs",
    "sigma_ln_r_lrs",
    "v_on",
    "v_per_efold",
    "v_scale",
    "sigma_ln_r_graded",
    "v_half",
    "v_half_scale",
    "dip",
    "share_max",
)
_SIZES = (6, 9, 10)
_UNITS = {"r_lrs": "ohm", "sigma_ln_r_lrs": "1", "sigma_ln_r_graded": "1", "dip": "1"}
_UNITS |= {"share_max": "1"}
_LOGARITHMS = ("r_lrs", "sigma_ln_r_lrs", "v_scale", "sigma_ln_r_graded", "v_half_scale")


@dataclass(frozen=True)
class Shape:
    """One shape tried: log-likelihood (of ln R), number of parameters and BIC."""

    name: str
    log_likelihood: float
    parameters: int
    bic: float


@dataclass(frozen=True)
class GradedFit:
    """The chosen law, what the others reached, and how it meets each condition.

    ``values`` are the fitted numbers on the scale of the fit (logarithms where a value is
    positive, logit of the share), in ``order``; ``covariance`` is theirs, None where the
    likelihood is flat.
    """

    law: GradedReset
    shapes: tuple[Shape, ...]
    chosen: str
    rows: int
    excluded: tuple[tuple[str, int], ...]
    conditions: Conditions
    order: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray | None
    sentences: tuple[str, ...]


def fit_graded_reset(
    voltage: np.ndarray,
    width: np.ndarray,
    r_after: np.ndarray,
    r_max: Parameter | None = None,
    thresholds: tuple[float, ...] | None = None,
    shapes: tuple[str, ...] = SHAPES,
    start: GradedFit | None = None,
    errors: bool = True,
) -> GradedFit:
    """Fit R_after (ohm) of RESET pulses (V, signed or not; s) on cells that started in LRS.

    ``r_max`` (ohm) is the resistance the response saturates at, usually the median HRS; None
    assumes twice the largest resistance measured. ``thresholds`` (ohm) are those of the compared
    fractions; ``shapes`` those tried. ``start`` is an earlier fit to begin from: its shape alone
    is then fitted, which is how subsets are refitted. Without ``errors`` no standard errors are
    computed. Raises :class:`InputError` for fewer than 50 rows, fewer than two voltages or
    widths, or no cell that RESET.
    """
    v, t, y, excluded = positive_rows(voltage, width, r_after)
    _refuse(v, t, y)
    ceiling = r_max or Parameter(
        2 * float(np.exp(y.max())),
        "ohm",
        "assumed",
        "assumed: twice the largest resistance measured after a RESET pulse",
    )
    # The width the voltages refer to: amid the cells that moved, which decorrelates the values.
    reference = float(np.exp(np.log(t[_moved(y)]).mean()))
    kinds = sorted(SHAPES.index(name) for name in shapes)
    if start is not None:
        reference, kinds = start.law.reference_width, [SHAPES.index(start.chosen)]
    if np.log(ceiling.value) <= np.median(y[_moved(y)]):
        raise InputError(
            _WHERE,
            f"r_max = {ceiling.value:g} ohm is not above the "
            f"{np.exp(np.median(y[_moved(y)])):g} ohm that half of the RESET cells exceed",
        )

    pairs, place = np.unique(np.column_stack([v, t]), axis=0, return_inverse=True)
    place = place.reshape(-1)

    # The starts climb on a thinned table that keeps every condition; the best goes on with all.
    thin = np.argsort(place, kind="stable")[:: max(1, y.size // _THINNED)]

    def rows_of(kept: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        def rows(values: np.ndarray) -> np.ndarray:
            law = _law(values, ceiling, reference, v, t)
            return law.modes(pairs[:, 0], pairs[:, 1]).at(place[kept]).log_density(y[kept])

        return rows

    everything = rows_of(np.arange(y.size))
    found: dict[int, Maximum] = {}
    for kind in kinds:
        if start is not None:
            best_start = start.values
        else:
            starts = _starts(kind, v, np.log(t / reference), y, np.log(ceiling.value), found)
            best_start = maximum(rows_of(thin), starts, errors=False).values
        found[kind] = maximum(everything, [best_start], errors)
    tried = tuple(
        Shape(
            SHAPES[kind],
            summit.log_likelihood,
            _SIZES[kind],
            _SIZES[kind] * float(np.log(y.size)) - 2 * summit.log_likelihood,
        )
        for kind, summit in found.items()
    )
    best = min(range(len(tried)), key=lambda i: tried[i].bic)
    summit = found[kinds[best]]
    law = _law(summit.values, ceiling, reference, v, t, summit)
    levels = thresholds or _levels(law, y)
    conditions = compare_conditions(law, v, t, np.exp(y), levels)
    sentences = _sentences(law, tried, best, conditions, excluded, y.size)
    return GradedFit(
        law,
        tried,
        tried[best].name,
        int(y.size),
        excluded,
        conditions,
        _NAMES[: summit.values.size],
        summit.values,
        summit.covariance,
        sentences,
    )


def _refuse(v: np.ndarray, t: np.ndarray, y: np.ndarray) -> None:
    if y.size < _FEWEST:
        raise InputError(_WHERE, f"found {y.size} rows, expected at least {_FEWEST}")
    for name, values in (("voltages", v), ("pulse widths", t)):
        if np.unique(values).size < 2:
            raise InputError(
                _WHERE, f"found one value of the {name}; expected at least two to fit a response"
            )
    if not np.any(_moved(y)):
        raise InputError(_WHERE, "no resistance after a pulse stands out of the LRS: no RESET seen")


def _law(
    values: np.ndarray,
    r_max: Parameter,
    reference: float,
    v: np.ndarray,
    t: np.ndarray,
    summit: Maximum | None = None,
) -> GradedReset:
    """The law at values on the scale of the fit; with ``summit``, with errors and notes."""
    members: dict[str, Parameter | None] = {}
    for index, name in enumerate(_NAMES[: values.size]):
        unit = _UNITS.get(name, "V")
        transform = _identity
        if name in _LOGARITHMS:
            transform = _exp
        elif name == "share_max":
            transform = _expit
        if summit is None:
            members[name] = Parameter(transform(float(values[index])), unit, "fitted")
        else:
            members[name] = summit.parameter(index, unit, "graded RESET", transform)
    if values.size == _SIZES[1]:
        members["share_max"] = Parameter(
            1.0, "1", "taken", "a share below 1 is not supported by the data (BIC)"
        )
    return GradedReset(
        reference_width=reference,
        r_max=r_max,
        valid_voltage=(float(v.min()), float(v.max())),
        valid_width=(float(t.min()), float(t.max())),
        **members,  # type: ignore[arg-type]
    )


def _identity(value: float) -> float:
    return value


def _exp(value: float) -> float:
    return float(np.exp(value))


def _expit(value: float) -> float:
    return float(expit(value))


def _bulk(y: np.ndarray) -> tuple[float, float]:
    """Median and robust sigma of ln R of the cells that stayed, from the lower half."""
    middle = float(np.median(y))
    if np.mean(y > middle + np.log(1.5)) > 0.25:  # more cells moved than a median can stand
        middle = float(np.quantile(y, 0.2))
    below = y[y <= middle]
    return middle, max(1e-3, float(1.4826 * np.median(middle - below)))


def _moved(y: np.ndarray) -> np.ndarray:
    middle, sigma = _bulk(y)
    return np.asarray(y > middle + _SIGMAS_ABOVE * sigma)


def _starts(
    kind: int,
    v: np.ndarray,
    ln_t: np.ndarray,
    y: np.ndarray,
    top: float,
    found: dict[int, Maximum],
) -> list[np.ndarray]:
    """Starting values: a logistic line through who moved, and the height of those that did."""
    if kind == 2 and 1 in found:
        return [np.append(found[1].values, logit(share)) for share in (0.75, 0.95)]
    middle, sigma = _bulk(y)
    moved = _moved(y)

    def logistic(p: np.ndarray) -> np.ndarray:
        z = (v - p[0] + p[1] * ln_t) * np.exp(-p[2])
        return np.asarray(np.where(moved, -np.logaddexp(0, -z), -np.logaddexp(0, z)))

    guess = np.array([float(v.max()), 0.1 * float(np.ptp(v)), np.log(0.1 * float(np.ptp(v)))])
    line = maximum(logistic, [guess], errors=False).values
    grade = np.clip((y[moved].mean() - middle) / (top - middle), 0.05, 0.95)
    place = float(np.mean(v[moved] + line[1] * ln_t[moved]))
    starts = []
    for scale in (0.15, 0.5, 1.0):
        width = scale * float(np.ptp(v)) / 3
        v_on = place - width * float(logit(grade))
        head = [middle, np.log(sigma), v_on, line[1], np.log(width)]
        spread = np.log(max(0.1, float(y[moved].std())) / np.sqrt(grade))
        tail = [] if kind == 0 else [line[0], line[2], 0.1, logit(0.9)][: _SIZES[kind] - 6]
        starts.append(np.array([*head, spread, *tail]))
    return starts


def _levels(law: GradedReset, y: np.ndarray) -> tuple[float, ...]:
    """Three resistances (ohm) spread over what the RESET cells reached."""
    low = law.r_lrs.value * np.exp(_SIGMAS_ABOVE * law.sigma_ln_r_lrs.value)
    above = np.exp(y[np.exp(y) > low])
    if above.size < 4:
        return (float(low),)
    return tuple(
        float(np.round(q, -int(np.floor(np.log10(q))) + 1))
        for q in np.quantile(above, (0.1, 0.5, 0.8))
    )


def _sentences(
    law: GradedReset,
    shapes: tuple[Shape, ...],
    best: int,
    conditions: Conditions,
    excluded: tuple[tuple[str, int], ...],
    rows: int,
) -> tuple[str, ...]:
    told = []
    chosen = shapes[best]
    for reason, count in excluded:
        told.append(f"{count} rows were left out of the graded RESET: {reason}.")
    if shapes[0].name == SHAPES[0] and len(shapes) > 1:
        gain = chosen.log_likelihood - shapes[0].log_likelihood
        if law.bimodal:
            told.append(
                f"The resistance after RESET has two modes (cells that RESET and cells that did "
                f"not): {gain:.0f} more in log-likelihood than one mode, over {rows} rows "
                f"(BIC lower by {shapes[0].bic - chosen.bic:.0f})."
            )
        else:
            told.append("One graded mode describes the RESET; two modes gain nothing (BIC).")
    told.append(
        f"A tenfold longer pulse acts like {np.log(10) * law.v_per_efold.value:.2f} V more."
    )
    if law.share_max is not None and law.share_max.ci95 is not None:
        low, high = (100 * (end or 0.0) for end in law.share_max.ci95)
        told.append(
            f"The share of cells that RESET levels off at {100 * law.share_max.value:.0f} % (95 % "
            f"{low:.0f} to {high:.0f}); that level lies beyond the pulses measured."
        )
    if law.r_max.source == "assumed" or law.r_max.value > 1.2 * conditions.largest:
        told.append(
            f"No cell reached r_max = {law.r_max.value:.3g} ohm ({law.r_max.source}); only the "
            f"rise up to {conditions.largest:.3g} ohm is measured, and v_on depends on r_max."
        )
    return (*told, *conditions.sentences)
