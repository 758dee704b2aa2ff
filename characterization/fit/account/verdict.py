"""What a fit means, in plain words: every sentence follows from the data by a rule stated here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from characterization.fit.circumstances import Circumstances
from characterization.fit.goodness.tests import Test, deviance
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.identifiability import EDGE, Bracket
from characterization.fit.observations.base import Observations, Pulses

REJECTED = 0.05
INDISTINCT_BIC = 2.0


@dataclass(frozen=True)
class Context:
    """Everything the sentences are made from; ``floor`` is the one the data show."""

    data: Observations
    circumstances: Circumstances
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    tests: tuple[Test, ...]
    informative: np.ndarray
    floor: float
    bracket: Bracket | None


def verdict(context: Context) -> tuple[str, ...]:
    """The sentences, most important first."""
    return (
        *_fit(context),
        *_choice(context),
        *_floor(context),
        *_voltages(context),
        *_open_ends(context),
        *_population(context),
        *_conditions(context),
    )


def _fit(context: Context) -> Iterator[str]:
    """Does the chosen law describe the data?"""
    tests = [t for t in context.tests if t.name.startswith("goodness") and t.p_value is not None]
    family = context.chosen.family.name
    if not tests:
        yield f"whether the {family} law describes the data cannot be tested: too few groups"
        return
    test = tests[-1]
    assert test.p_value is not None
    numbers = f"statistic {test.statistic:.4g}, p = {_p(test.p_value)}; {test.note}"
    if test.p_value >= REJECTED:
        yield f"the {family} law is compatible with the data ({numbers})"
        return
    yield (
        f"the {family} law is rejected ({numbers}){_worst(context)}; the standard errors assume "
        "the law and are too small"
    )


def _choice(context: Context) -> Iterator[str]:
    """Why this family?"""
    if len(context.candidates) < 2:
        if isinstance(context.data, Pulses) and np.unique(context.data.width).size == 1:
            yield (
                "one pulse width only: a Weibull shape and V0 are not separable (only shape/V0 "
                "is); the exponential law is taken, so V0 stands for V0/shape"
            )
        return
    ordered = sorted(context.candidates, key=lambda c: c.bic)
    gap = ordered[1].bic - ordered[0].bic
    names = f"{ordered[0].family.name} and {ordered[1].family.name}"
    if gap < INDISTINCT_BIC:
        yield f"{names} are not distinguishable (delta BIC = {gap:.2g}, below {INDISTINCT_BIC:g})"
    else:
        first, second = ordered[0].family.name, ordered[1].family.name
        yield f"{first} is chosen by BIC ({gap:.4g} below {second})"


def _floor(context: Context) -> Iterator[str]:
    """Do the lowest voltages switch more often than the law allows?"""
    data = context.data
    test = next((t for t in context.tests if "floor" in t.name), None)
    if test is None or test.p_value is None or not isinstance(data, Pulses):
        return
    if context.chosen.likelihood.floor and context.floor == 0:
        high = (context.chosen.parameter("floor", "").ci95 or (None, None))[1]
        bound = "" if high is None else f" (95 % bound {_percent(high)})"
        yield f"no false-switch floor is found{bound}"
    elif context.chosen.likelihood.floor:
        yield (
            f"a false-switch floor of {_percent(context.floor)} is fitted (p = {_p(test.p_value)} "
            "for none); it is taken as an artefact of the measurement and stays out of device.json"
        )
    elif context.floor > 0:
        law = context.chosen.likelihood.probability(context.chosen.theta)
        lowest = law <= max(context.floor, float(law.min()))
        count, trials = data.switched[lowest].sum(), data.trials[lowest].sum()
        allowed = np.sum(law[lowest] * data.trials[lowest])
        yield (
            "the data switch more often at the lowest voltages than the law allows (where it "
            f"allows least {count:g} of {trials:g} switched, it expects {_few(allowed)}; a floor "
            f"of {_percent(context.floor)} fits better, p = {_p(test.p_value)}): false switches "
            "by the threshold? try --floor"
        )


def _voltages(context: Context) -> Iterator[str]:
    """How many voltages carry the slope?"""
    if not isinstance(context.data, Pulses) or context.informative.size >= 2:
        if context.informative.size < 2:
            yield (
                "fewer than two voltages with at least two events: V0 is only bracketed; its "
                "value leans on few rows"
            )
        return
    corrected = f" (beyond the floor of {_percent(context.floor)})" if context.floor else ""
    if context.informative.size == 0:
        yield (
            f"no voltage has between {_percent(EDGE)} and {_percent(1 - EDGE)} "
            f"switched{corrected}: tau and V0 are only bracketed; add voltages between"
        )
        return
    voltage = context.informative[0]
    text = (
        f"one informative voltage, {voltage:g} V: all others switch less than {_percent(EDGE)} or "
        f"more than {_percent(1 - EDGE)} of the time{corrected}; so V0 is only bracketed"
    )
    if context.bracket is not None:
        near = " and ".join(f"{v:g} V" for v in context.bracket.neighbours)
        text += (
            f": with {near} counted only as 'hardly ever' or 'nearly always', "
            f"V0 < {context.bracket.below:.3g} V (one-sided 95 %) and no lower bound"
        )
    low, high = context.chosen.parameter("V0", "").ci95 or (None, None)
    if low is not None and high is not None:
        text += (
            f"; the likelihood interval {low:.3g} to {high:.3g} V leans on the rare outcomes at "
            "the other voltages"
        )
    yield f"{text}; pulses at voltages around {voltage:g} V would settle it"


def _open_ends(context: Context) -> Iterator[str]:
    """Parameters the likelihood itself does not bound."""
    for name in context.chosen.names:
        low, high = context.chosen.parameter(name, "").ci95 or (None, None)
        if name == "floor" and low is None:
            continue  # a floor of nothing is always possible
        if low is None or high is None:
            side = (
                "below and above"
                if low is None and high is None
                else ("below" if low is None else "above")
            )
            end = high if low is None else low
            known = "" if end is None else f"; 95 % bound on the other side {end:.3g}"
            yield f"the profile likelihood of {name} is open {side}: only bracketed{known}"


def _population(context: Context) -> Iterator[str]:
    """What can be said of devices and cycles?"""
    devices = context.circumstances.devices
    yield "each row is taken as a fresh start from HRS"
    if devices is None:
        yield (
            "no device column: D2D, C2C and stretching of the law are not separable; spreads are "
            "assumed, not fitted"
        )
    elif devices[1] == 1:
        yield (
            f"one row per device ({devices[0]:,} devices): the spread (D2D, C2C and stretching) is "
            "not separable; the law is the marginal over devices, and no sigma is fitted"
        )
    elif devices[0] > 1:
        yield (
            f"{devices[0]:,} devices are pooled: their spread (D2D) is inside the fitted law and "
            "is not fitted by itself"
        )
    else:
        yield "one device: nothing is known of the spread between devices (D2D)"


def _conditions(context: Context) -> Iterator[str]:
    """Under what conditions does the law hold?"""
    told = context.circumstances
    if told.voltage_reference == "1t1r":
        yield (
            "voltages are those at the terminals of transistor and device together (1t1r): the law "
            "is not that of the bare device"
        )
    if told.gate is not None and told.gate[0] < told.gate[1]:
        yield (
            f"gate voltages from {told.gate[0]:g} to {told.gate[1]:g} V are pooled, their effect "
            "is not modelled"
        )
    if told.temperature is None:
        yield "no temperature column: 300 K is assumed"
    if told.unused:
        yield f"columns not used: {', '.join(told.unused)}"


def _worst(context: Context) -> str:
    """The voltage that speaks most against the law."""
    data = context.data
    if not isinstance(data, Pulses):
        return ""
    fitted = context.chosen.likelihood.probability(context.chosen.theta)
    voltages, index = np.unique(data.voltage, return_inverse=True)
    share = np.bincount(index, deviance(data.switched, data.trials, fitted))
    worst = index == np.argmax(share)
    trials, switched = data.trials[worst].sum(), data.switched[worst].sum()
    expected = float(np.sum(fitted[worst] * data.trials[worst]))
    if 2 * switched <= trials:
        outcome = f"{switched:g} of {trials:g} switched, the law expects {_few(expected)}"
    else:
        outcome = (
            f"{trials - switched:g} of {trials:g} did not switch, the law expects "
            f"{_few(trials - expected)}"
        )
    return f", most of all at {voltages[np.argmax(share)]:g} V ({outcome})"


def _few(count: float) -> str:
    return "fewer than 0.001" if count < 1e-3 else f"{count:.3g}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-4 else "below 1e-4"
