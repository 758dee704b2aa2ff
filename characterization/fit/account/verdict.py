"""What a fit means, in plain words: every sentence follows from the data by a rule stated here."""

from __future__ import annotations

from collections.abc import Container, Iterator

import numpy as np

from characterization.fit import thresholds
from characterization.fit.circumstances import Circumstances
from characterization.fit.direction import FLOOR_LEVEL, INDISTINCT, LawFit
from characterization.fit.goodness.tests import deviance
from characterization.fit.inference.candidate import MEASUREMENT
from characterization.fit.inference.identifiability import EDGE
from characterization.fit.inference.spread_family import SPREAD_EXPONENTIAL
from devices.defaults import ASSUMED_TEMPERATURE

REJECTED = 0.05
USUAL_V0 = (5e-3, 10.0)
"""V; a fitted V0 with its interval outside asks whether the voltage is in volts."""


def law_verdict(fit: LawFit) -> tuple[str, ...]:
    """The sentences on one direction, most important first."""
    return (
        *_fit(fit),
        *_choice(fit),
        *fit.identified.reasons,
        *_temperature(fit),
        *_floor(fit),
        *_lapse(fit),
        *_voltages(fit),
        *_open_ends(fit),
        *_rows(fit),
        *fit.spread_reasons,
        *(() if fit.population is None else fit.population.sentences),
        *(() if fit.dependence is None else fit.dependence.sentences),
        *thresholds.sentences(fit.thresholds),
        *fit.failed,
    )


def absent(directions: Container[str]) -> Iterator[str]:
    """Whether the device's own switching is in the table at all."""
    if "set" not in directions:
        yield (
            "the table holds no SET: the SET law of device.json is that of another, published "
            "device, and all bits that are made with it are that device's; add rows of SET"
        )


def voltage_doubts(fit: LawFit) -> Iterator[str]:
    """Whether the fitted V0, with its 95 % interval, suggests another unit of the voltage."""
    v0 = fit.chosen.parameter("V0", "")
    low, high = v0.ci95 or (None, None)
    least, most = USUAL_V0
    if (high is not None and high < least) or (low is not None and low > most):
        yield (
            f"{fit.direction.upper()}: V0 is {v0.value:.3g} V, outside {least:g} to {most:g} V: is "
            "the voltage in V? If not, name the unit in the header, as in 'voltage (mV)'"
        )


def _fit(context: LawFit) -> Iterator[str]:
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
    worst = "" if "most of all" in numbers else _worst(context)
    robust = context.dependence is not None and context.dependence.robust is not None
    doubt = "" if robust else "; the standard errors assume the law and are too small"
    if context.dependence is not None and context.dependence.autocorrelation.p_none < REJECTED:
        doubt += "; this p-value takes outcomes as independent, which they are not"
    yield f"the {family} law is rejected ({numbers}){worst}{doubt}"
    untried = []
    if context.identified.v0 and len({c.acceleration.name for c in context.candidates}) == 1:
        untried.append("--acceleration auto")
    spread = any(c.family is SPREAD_EXPONENTIAL for c in context.candidates)
    if context.identified.shape and not spread:
        untried.append("--c2c")
    if untried:
        yield f"not tried yet: {' and '.join(untried)}"


def _choice(fit: LawFit) -> Iterator[str]:
    """Why this law?"""
    several = len({c.acceleration.name for c in fit.candidates}) > 1
    bic = {(c.label if several else c.family.name): c.bic for c in fit.candidates}
    with_devices = ""
    if fit.population is not None:
        short = {c.label: c.label if several else c.family.name for c in fit.candidates}
        bic = {short[label]: value for label, value in fit.population_bic.items()}
        with_devices = ", devices told apart"
    ordered = sorted(bic, key=lambda name: bic[name])
    if len(ordered) < 2:
        return
    near = [name for name in ordered if bic[name] - bic[ordered[0]] < INDISTINCT]
    if len(near) > 1:
        listed = ", ".join(near[:-1]) + " and " + near[-1]
        yield (
            f"{listed} are not distinguishable (BIC within {INDISTINCT:g}{with_devices}); "
            f"{near[0]} has the lowest BIC and is taken"
        )
    else:
        gap = bic[ordered[1]] - bic[ordered[0]]
        yield (f"{ordered[0]} is chosen by BIC ({gap:.4g} below {ordered[1]}{with_devices})")


def _temperature(fit: LawFit) -> Iterator[str]:
    """What the temperatures say."""
    if "Ea" in fit.chosen.names and not fit.identified.v0:
        yield "Ea is the apparent activation energy at the one voltage: V0 was taken as fixed"
    test = next((t for t in fit.tests if t.name.startswith("temperature")), None)
    if test is None:
        return
    taken, left = test.name.removeprefix("temperature: ").split(" against ")
    if abs(test.statistic) < INDISTINCT:
        yield f"{taken} and {left} are not distinguishable; {taken} is taken"
    else:
        better, worse = (taken, left) if test.statistic > 0 else (left, taken)
        gain = f"-2 ln L {abs(test.statistic):.3g} lower"
        yield f"{better} describes the temperatures better than {worse} ({gain})"


def _floor(context: LawFit) -> Iterator[str]:
    """Do the lowest voltages switch more often than the law allows?"""
    data = context.data
    test = next((t for t in context.tests if "floor" in t.name), None)
    if test is None or test.p_value is None:
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


def _lapse(fit: LawFit) -> Iterator[str]:
    """Do the highest voltages miss more often than the law allows?"""
    test = next((t for t in fit.tests if "lapse" in t.name), None)
    if test is None or test.p_value is None:
        return
    if fit.chosen.likelihood.lapse:
        share = _percent(fit.chosen.share("lapse"))
        yield (
            f"a rate of missed switches of {share} is fitted (p = {_p(test.p_value)} for none); it "
            "is taken as an artefact of the measurement and stays out of device.json"
        )
    elif test.p_value < FLOOR_LEVEL:
        yield (
            "the data miss switches at the highest voltages more often than the law allows (a rate "
            f"of misses fits better, p = {_p(test.p_value)}); try --lapse"
        )


def _voltages(context: LawFit) -> Iterator[str]:
    """How many voltages carry the slope?"""
    if not context.identified.v0 or context.data.kind == "ramps":
        return
    if np.any(context.data.exact) or context.data.chained or context.informative.size >= 2:
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


def _open_ends(context: LawFit) -> Iterator[str]:
    """Parameters the likelihood itself does not bound."""
    for name in context.chosen.names:
        low, high = context.chosen.parameter(name, "").ci95 or (None, None)
        if name in context.chosen.fixed:
            continue
        if name in MEASUREMENT and low is None:
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


def _rows(fit: LawFit) -> Iterator[str]:
    """What is a row?"""
    if fit.data.chained and fit.data.kind == "pulses":
        yield "rows of one device and cycle are a train of pulses: their exposures add up"
    elif fit.data.kind == "pulses":
        yield "each row is taken as a fresh start"


def common_verdict(told: Circumstances) -> tuple[str, ...]:
    """Under what conditions do the laws hold?"""
    return tuple(_conditions(told))


def _conditions(told: Circumstances) -> Iterator[str]:
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
        yield f"no temperature column: {ASSUMED_TEMPERATURE:g} K is assumed"
    yield "forming is not modelled: the law is that of devices as they were measured"
    if told.unused:
        yield f"columns not used: {', '.join(told.unused)}"


def _worst(context: LawFit) -> str:
    """The voltage that speaks most against the law."""
    data = context.data
    if np.any(data.exact) or data.chained or context.population is not None:
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
