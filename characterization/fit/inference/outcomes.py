"""Log-likelihood of outcomes from cumulative hazards: within a segment, not switched, with errors.

Weights times the logarithms, with derivatives up to ``order``; in terms of a segment's own x = ln u
and ln shape (:func:`single`), or of theta (:func:`censored`, :func:`noisy`).
"""

from __future__ import annotations

import numpy as np

from characterization.fit.inference.accumulation import Terms


def single(
    hazard: dict[str, np.ndarray], within: np.ndarray, waiting: np.ndarray, order: int
) -> dict[str, np.ndarray]:
    """within ln(1 - exp(-H)) - waiting H and its derivatives, H counted from a fresh start."""
    h = hazard[""]
    some = within > 0
    value = np.where(some, within * np.log(-np.expm1(-h)), 0.0)
    terms = {"": value - np.where(waiting > 0, waiting * h, 0.0)}
    if order == 0:
        return terms
    rise = np.expm1(h)
    odds = np.where(some, within / rise, 0.0)
    slope = odds - waiting
    terms |= {"x": slope * hazard["x"], "s": slope * hazard["s"]}
    if order == 1:
        return terms
    # e^H/(e^H - 1)^2 = odds + odds^2, which neither overflows nor underflows.
    bend = np.where(some, odds * (1 + 1 / rise), 0.0)
    for key in ("xx", "xs", "ss"):
        terms[key] = slope * hazard[key] - bend * hazard[key[0]] * hazard[key[1]]
    return terms


def censored(
    top: Terms, bottom: Terms | None, within: np.ndarray, waiting: np.ndarray, order: int
) -> Terms:
    """Weights times ln(exp(-H before) - exp(-H after)), and times -H after where not switched."""
    low: Terms = (np.zeros(()),) * 3 if bottom is None else bottom
    rise = top[0] - low[0]
    some = within > 0
    value = np.where(some, within * (np.log(-np.expm1(-rise)) - low[0]), 0.0)
    value -= np.where(waiting > 0, waiting * top[0], 0.0)
    if order == 0:
        return value, top[1], top[2]
    odds = np.where(some, within / np.expm1(rise), 0.0)
    # d value = odds (d top - d low) - within d low - waiting d top
    above, below = odds - waiting, odds + within
    steps = top[1] if bottom is None else top[1] - low[1]
    first = above * top[1] if bottom is None else above * top[1] - below * low[1]
    if order == 1:
        return value, first, top[2]
    # e^D/(e^D - 1)^2 = odds + odds^2, which neither overflows nor underflows.
    curved = np.where(some, odds * (1 + 1 / np.expm1(rise)), 0.0)
    second = above * top[2] - curved * steps[:, None] * steps[None, :]
    if bottom is not None:
        second -= below * low[2]
    return value, first, second


def noisy(
    top: Terms,
    within: np.ndarray,
    waiting: np.ndarray,
    floor: tuple[float, int | None],
    lapse: tuple[float, int | None],
    order: int,
) -> Terms:
    """Single pulses with a false-switch floor and a lapse rate.

    ``top`` is H after the pulse; each share comes with its place in theta, as a logit (None: it is
    no parameter).
    """
    (false, floor_place), (missed, lapse_place) = floor, lapse
    rest = np.exp(-top[0])
    share = 1 - false - missed
    p = false - share * np.expm1(-top[0])
    not_p = missed + share * rest
    value = np.where(within > 0, within * np.log(p), 0.0) + np.where(
        waiting > 0, waiting * np.log(not_p), 0.0
    )
    if order == 0:
        return value, top[1], top[2]
    # Derivatives of P by theta; those of 1 - P are their negatives.
    first = share * rest * top[1]
    second = share * rest * (top[2] - top[1][:, None] * top[1][None, :]) if order == 2 else None
    for i, own, by in ((floor_place, false, rest), (lapse_place, missed, rest - 1)):
        if i is None:
            continue
        rate = own * (1 - own)
        first[i] = rate * by
        if second is not None:
            mixed = -rate * rest * top[1]
            second[i], second[:, i] = mixed, mixed
            second[i, i] = rate * (1 - 2 * own) * by
    if second is not None and floor_place is not None and lapse_place is not None:
        second[floor_place, lapse_place] = second[lapse_place, floor_place] = 0.0
    towards = np.where(within > 0, within / p, 0.0) - np.where(waiting > 0, waiting / not_p, 0.0)
    if second is None:
        return value, towards * first, top[2]
    bend = np.where(within > 0, within / p**2, 0.0) + np.where(waiting > 0, waiting / not_p**2, 0.0)
    return value, towards * first, towards * second - bend * first[:, None] * first[None, :]
