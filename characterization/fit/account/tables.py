"""The tables of the page: parameters, candidate laws, tests, residuals, exclusions."""

from __future__ import annotations

import math
from collections.abc import Iterator

from characterization.fit.account.amounts import amount, interval, number, p_value
from characterization.fit.analysis import FitResult
from characterization.fit.direction import LawFit
from characterization.fit.goodness.residuals import Residual, residual_table
from characterization.fit.inference.candidate import MEASUREMENT
from characterization.fit.make_device import parameters_of
from characterization.page.frame import Grid
from devices.cbram import CBRAM
from devices.defaults import ASSUMED_TEMPERATURE
from devices.law import SwitchingLaw
from devices.parameter import Parameter

WORST = 15
"""Rows of the residual table that are shown."""
_FAR = 1000
"""Standard errors beyond which their number means nothing."""
_DASH = "–"


def parameter_grid(result: FitResult, device: CBRAM) -> Grid:
    """Every parameter of the device, and those of the measurement, with interval and source."""
    laws = {"": device.set, "RESET ": device.reset}
    rows, kinds = [], []

    def add(name: str, parameter: Parameter) -> None:
        value, unit = parameter.value, parameter.unit
        rows.append(
            (
                name,
                amount(value, unit),
                _DASH if parameter.stderr is None else _error(parameter.stderr, value, unit),
                interval(parameter.ci95, value, unit) or _DASH,
                parameter.note.removeprefix(f"{parameter.source}: "),
            )
        )
        kinds.append(parameter.source)

    for name, parameter in parameters_of(device):
        direction = "RESET " if name.startswith("RESET ") else ""
        law = laws[direction]
        if name != f"{direction}tau_ref" or law is None:
            add(name, parameter)
            continue
        add(f"{name}{reference_of(law)}", parameter)
        for label, derived in derived_of(law):
            add(f"{direction}{label}", derived)
    for fit in result.laws:
        for name in fit.chosen.names:
            if name in MEASUREMENT:
                told = fit.chosen.parameter(name, "of the measurement: not in device.json")
                add(f"{'RESET ' if fit.direction == 'reset' else ''}{name}", told)
    return Grid(
        ("parameter", "value", "std. error", "95 % interval", "where from"),
        tuple(rows),
        "Intervals are ends of the profile likelihood; open: the data put no bound on that side.",
        frozenset({1, 2, 3}),
        tuple(kinds),
    )


def reference_of(law: SwitchingLaw) -> str:
    """Where tau_ref and V0 hold, in words to follow their name."""
    heat = f", {law.reference_temperature:g} K" if law.activation is not None else ""
    return f" at {law.reference_voltage:.4g} V{heat}"


def derived_of(law: SwitchingLaw) -> Iterator[tuple[str, Parameter]]:
    """What follows from the law's parameters; assumed where it rests on an assumed one."""
    source = "assumed" if "assumed" in (law.tau_ref.source, law.v0.source) else "derived"
    rests = "" if source == "derived" else "; rests on an assumed parameter"
    own = law.acceleration.own_parameter(law.v0.value, law.reference_voltage)
    if own is not None:
        yield own[0], Parameter(own[1], own[2], source, f"from V0 and the reference voltage{rests}")
    if math.isfinite(law.tau0):
        note = f"tau extrapolated to 0 V, far outside the data{rests}"
        yield "tau0 (at 0 V)", Parameter(law.tau0, "s", source, note)


def candidate_grid(fit: LawFit) -> Grid:
    """The laws that were fitted, best first."""
    ordered = sorted(fit.candidates, key=lambda c: c.bic)
    constant = "" if fit.data.exact.any() else "; log-likelihoods without the binomial constant"
    return Grid(
        ("law", "BIC above the best", "BIC", "AICc", "log-likelihood", "fitted parameters"),
        tuple(
            (
                f"{c.label} (chosen)" if c is fit.chosen else c.label,
                f"{c.bic - ordered[0].bic:.2f}",
                f"{c.bic:.2f}",
                f"{c.aicc:.2f}",
                f"{c.loglik:.2f}",
                str(c.count),
            )
            for c in ordered
        ),
        f"{fit.data.size:,.0f} outcomes{constant}.",
        frozenset(range(1, 6)),
    )


def tests_grid(fit: LawFit) -> Grid:
    """Goodness of fit and comparisons of nested laws."""
    return Grid(
        ("test", "statistic", "p\u00a0value", "how"),
        tuple(
            (t.name, number(t.statistic), p_value(t.p_value), t.note)
            for t in sorted(fit.tests, key=lambda t: not t.name.startswith("goodness"))
        ),
        "A small p-value speaks against what the test assumes.",
        frozenset({1, 2}),
    )


def residual_grid(fit: LawFit) -> Grid:
    """The conditions that add most to the misfit, with how many are left out."""
    every = residual_table(fit.chosen)
    shown = sorted(every, key=lambda row: -row.share_of_deviance)[:WORST]
    columns = [column for column in _columns(shown) if any(text for text in column[1])]
    rest = len(every) - len(shown)
    left_out = 1 - sum(row.share_of_deviance for row in shown)
    said = (
        f"The {len(shown)} conditions with the largest share of the misfit; {rest} more, with "
        f"{100 * max(left_out, 0.0):.3g} % of it, are in fit.json."
        if rest
        else "Every condition, the largest share of the misfit first."
    )
    if fit.data.exact.any():
        said += (
            " Of timed outcomes the law expects the cumulative hazard of all at risk, which may "
            "exceed their number."
        )
    if any(row.conditions > 1 for row in shown):
        said += " Misfits of joined neighbours can cancel in their sum."
    return Grid(
        tuple(heading for heading, _ in columns),
        tuple(zip(*(texts for _, texts in columns), strict=True)),
        said,
        frozenset(range(len(columns))),
    )


def threshold_grid(fit: LawFit) -> Grid | None:
    """The chosen law at other resistance thresholds; None where none was applied."""
    if not fit.thresholds:
        return None
    shaped = fit.chosen.family.has_shape
    rows = []
    for one in fit.thresholds:
        row = [amount(one.threshold, "ohm"), f"{one.switched:,} of {one.outcomes:,}"]
        values = [(one.tau, "s"), (one.v0, "V"), *([(one.shape, "1")] if shaped else [])]
        row += [_DASH if math.isnan(value) else amount(value, unit) for value, unit in values]
        rows.append((*row, one.problem))
    names = [f"tau at {fit.thresholds[0].voltage:g} V", "V0", *(["shape"] if shaped else [])]
    return Grid(
        ("threshold", "switched", *names, ""),
        tuple(rows),
        "How much the result leans on the resistance at which a row counts as switched.",
        frozenset(range(2 + len(names))),
    )


def excluded_grid(result: FitResult) -> Grid | None:
    """The rows that were not used, and why; None where all were."""
    if not result.excluded:
        return None
    return Grid(
        ("rows", "reason"),
        tuple((f"{item['rows']:,}", str(item["reason"])) for item in result.excluded),
        right=frozenset({0}),
    )


def assumptions(result: FitResult, device: CBRAM) -> tuple[str, ...]:
    """What the data do not tell and was taken as given, one sentence each."""
    return tuple(_assumptions(result, device))


def _assumptions(result: FitResult, device: CBRAM) -> Iterator[str]:
    for name, p in parameters_of(device):
        if p.source == "assumed":
            yield f"{name} = {amount(p.value, p.unit)}: {p.note.removeprefix('assumed: ')}"
    if result.circumstances.temperature is None:
        yield f"temperature = {ASSUMED_TEMPERATURE:g} K: room temperature"
    if device.reset is None:
        yield "reset = null: ideal, always succeeds"


def _columns(rows: list[Residual]) -> Iterator[tuple[str, list[str]]]:
    yield "voltage (V)", ["" if r.voltage_V is None else number(r.voltage_V) for r in rows]
    yield "width", ["" if r.width_s is None else amount(r.width_s, "s") for r in rows]
    yield "rate (V/s)", ["" if r.rate_V_per_s is None else number(r.rate_V_per_s) for r in rows]
    yield "T (K)", ["" if r.temperature_K is None else number(r.temperature_K) for r in rows]
    if any(r.conditions > 1 for r in rows):
        yield "conditions joined", [f"{r.conditions:,}" for r in rows]
    yield "at risk", [f"{r.trials:,.0f}" for r in rows]
    yield "switched", [f"{r.observed:,.0f}" for r in rows]
    yield "law expects", [number(r.expected, 3) for r in rows]
    yield "(obs − law)/σ", [_signed(r.pearson) for r in rows]
    yield "share of misfit", [f"{100 * r.share_of_deviance:.1f} %" for r in rows]


def _signed(value: float) -> str:
    if abs(value) >= _FAR:
        return f"above +{_FAR}" if value > 0 else f"below −{_FAR}"
    return f"{value:+.2f}".replace("-", "−")


def _error(stderr: float, value: float, unit: str) -> str:
    """In the unit of the value."""
    ends = interval((stderr, stderr), value, unit, 2)
    return ends.split(" to ", 1)[1]
