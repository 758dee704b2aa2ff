"""Graded RESET on pulse widths left out of the fit, scored against simpler predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.conduction.graded_check import positive_rows
from characterization.fit.conduction.graded_reset import SHAPES, GradedFit, fit_graded_reset
from formats.errors import InputError

_FLOOR = 1e-3
"""No prediction of a fraction is taken as surer than this; the same for every contender."""


@dataclass(frozen=True)
class HeldOut:
    """Mean log-scores per left-out row (larger is better), one entry for each pulse width.

    ``law``, ``one_mode`` and ``constant`` are mean log-densities of ln R under the chosen law,
    the law of one mode, and a log-normal per voltage that knows no width; ``law_above`` and
    ``constant_above`` (widths, thresholds) are those of the yes/no "exceeds the threshold", with
    the fraction per voltage as the constant. ``inside`` tells whether widths on both sides
    remained; NaN where a law could not be fitted without the width. All numbers are averages of
    ``count`` rows; ``skipped`` rows had a voltage that the other widths lack.
    """

    width: np.ndarray
    count: np.ndarray
    inside: np.ndarray
    law: np.ndarray
    one_mode: np.ndarray
    constant: np.ndarray
    law_above: np.ndarray
    constant_above: np.ndarray
    skipped: int
    sentences: tuple[str, ...]


def score_held_out_widths(
    fit: GradedFit, voltage: np.ndarray, width: np.ndarray, r_after: np.ndarray
) -> HeldOut:
    """Refit without each pulse width (s) in turn and score that width's resistances (ohm).

    The rows are those given to the fit. The shape was chosen on all widths; only its values are
    refitted. Raises :class:`InputError` for fewer than three widths.
    """
    v, t, y, _ = positive_rows(voltage, width, r_after)
    widths = np.unique(t)
    if widths.size < 3:
        raise InputError(
            "graded RESET",
            f"found {widths.size} pulse widths; leaving one out needs at least three",
        )
    levels = np.log(fit.conditions.thresholds)
    one_mode = fit_graded_reset(
        v, t, np.exp(y), fit.law.r_max, fit.conditions.thresholds, shapes=SHAPES[:1], errors=False
    )
    rows, skipped = [], 0
    for left in widths:
        out = t == left
        known = np.isin(v, np.unique(v[~out]))
        skipped += int(np.sum(out & ~known))
        out &= known
        rows.append(_score((fit, one_mode), v, t, y, out, ~(t == left), levels))
    count = np.array([row.count for row in rows])
    scores = np.array([row.density for row in rows])
    law_above, constant_above = np.array([row.above for row in rows]).transpose(1, 0, 2)
    inside = (widths > widths[0]) & (widths < widths[-1])
    return HeldOut(
        widths,
        count,
        inside,
        scores[:, 0],
        scores[:, 1],
        scores[:, 2],
        law_above,
        constant_above,
        skipped,
        _sentences(widths, count, scores, law_above, constant_above, fit, skipped),
    )


@dataclass(frozen=True)
class _Scores:
    count: int
    density: tuple[float, float, float]
    above: tuple[np.ndarray, np.ndarray]


def _score(
    contenders: tuple[GradedFit, GradedFit],
    v: np.ndarray,
    t: np.ndarray,
    y: np.ndarray,
    out: np.ndarray,
    rest: np.ndarray,
    levels: np.ndarray,
) -> _Scores:
    nothing = np.full(levels.size, np.nan)
    if not np.any(out):
        return _Scores(0, (np.nan, np.nan, np.nan), (nothing, nothing))
    r = np.exp(y)
    densities, law_above = [], nothing
    for fit in contenders:
        try:
            refitted = fit_graded_reset(
                v[rest],
                t[rest],
                r[rest],
                fit.law.r_max,
                fit.conditions.thresholds,
                start=fit,
                errors=False,
            ).law
        except InputError:  # nothing RESET at the widths that remain
            densities.append(np.nan)
            continue
        densities.append(float(np.mean(refitted.log_density(y[out], v[out], t[out]))))
        if fit is contenders[0]:
            predicted = refitted.probability_above(np.exp(levels), v[out][:, None], t[out][:, None])
            law_above = _yes_no(y[out][:, None] > levels, predicted)
    constant, fraction = np.empty(int(out.sum())), np.empty((int(out.sum()), levels.size))
    for level in np.unique(v[out]):
        here, others = v[out] == level, y[rest & (v == level)]
        mean, sigma = others.mean(), max(float(others.std()), 1e-6)
        constant[here] = -0.5 * ((y[out][here] - mean) / sigma) ** 2 - np.log(sigma)
        fraction[here] = (others[:, None] > levels).mean(axis=0)
    constant -= 0.5 * np.log(2 * np.pi)
    constant_above = _yes_no(y[out][:, None] > levels, fraction)
    return _Scores(
        int(out.sum()),
        (densities[0], densities[1], float(constant.mean())),
        (law_above, constant_above),
    )


def _yes_no(happened: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Mean log-score of predicted fractions, per column."""
    p = np.clip(predicted, _FLOOR, 1 - _FLOOR)
    return np.asarray(np.where(happened, np.log(p), np.log1p(-p)).mean(axis=0))


def _sentences(
    widths: np.ndarray,
    count: np.ndarray,
    scores: np.ndarray,
    law_above: np.ndarray,
    constant_above: np.ndarray,
    fit: GradedFit,
    skipped: int,
) -> tuple[str, ...]:
    told = []
    lost = np.isnan(scores[:, 0])
    for width in widths[lost]:
        told.append(
            f"Without the {width:.3g}-s pulses the graded law cannot be fitted: too little RESETs."
        )
    good = ~lost
    if np.any(good):
        weight = count[good] / count[good].sum()
        law, one, constant = (float(weight @ scores[good, i]) for i in range(3))
        told.append(
            f"On pulse widths left out of the fit the law scores {law:+.3f} per row, that of one "
            f"mode {one:+.3f}, a log-normal per voltage {constant:+.3f} (mean log-density of ln R; "
            "larger is better)."
        )
        beaten = widths[good][(scores[good, 0] < scores[good, 2])]
        if beaten.size:
            told.append(
                "The log-normal per voltage scores better at "
                + ", ".join(f"{width:.3g}" for width in beaten)
                + " s."
            )
        for k, level in enumerate(fit.conditions.thresholds):
            a, b = (float(weight @ table[good, k]) for table in (law_above, constant_above))
            told.append(
                f"'Exceeds {level:.3g} ohm' on left-out widths: log-score {a:.4f} per row against "
                f"{b:.4f} of the fraction per voltage (floor {_FLOOR:g} for both)."
            )
    if skipped:
        told.append(f"{skipped} left-out rows have a voltage that no other width has: not scored.")
    return tuple(told)
