"""What the command shows: counts, parameters with their source, candidates, verdict, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from characterization.fit.account.tables import derived_of, reference_of
from characterization.fit.direction import LawFit
from characterization.fit.inference.candidate import MEASUREMENT
from characterization.fit.make_device import parameters_of
from characterization.fit.stage import FitFiles
from devices.defaults import ASSUMED_TEMPERATURE
from devices.parameter import Parameter


def show(files: FitFiles, console: Console) -> None:
    """Print the account of one run."""
    result = files.result
    _counts(f"{result.kind}", result.counts, console)
    for fit in result.laws:
        _counts(fit.direction.upper(), fit.counts, console)
    _bullets(console, [f"excluded {i['rows']:,}: {i['reason']}" for i in result.excluded])
    console.print(_parameters(files))
    for fit in result.laws:
        console.print(_candidates(fit))
    console.print("[bold]verdict[/]")
    _bullets(console, result.verdict)
    console.print("[bold]assumed[/], as the data do not tell")
    assumed = [
        f"{name} = {f'{p.value:.4g} {_unit(p)}'.strip()}: {p.note}"
        for name, p in parameters_of(files.fitted_device)
        if p.source == "assumed"
    ]
    if result.circumstances.temperature is None:
        assumed.append(f"temperature = {ASSUMED_TEMPERATURE:g} K: room temperature")
    if files.fitted_device.reset is None:
        assumed.append("reset = null: ideal, always succeeds")
    _bullets(console, assumed)
    names = ", ".join(str(path) for path in files.written)
    console.print("[bold]written[/] " + escape(names), highlight=False)


def _counts(title: str, counts: Mapping[str, int], console: Console) -> None:
    told = ", ".join(f"{value:,} {_noun(name, value)}" for name, value in counts.items())
    console.print(f"[bold]{title}[/]: {told}", highlight=False)


def _noun(name: str, value: int) -> str:
    """The words of a count's key: ``rows read``, and ``row read`` of one."""
    first, *more = name.split("_")
    return " ".join([first.removesuffix("s") if value == 1 else first, *more])


def _bullets(console: Console, sentences: Sequence[str]) -> None:
    """One sentence a bullet, wrapped beside it."""
    grid = Table.grid(padding=(0, 1, 0, 1))
    for sentence in sentences:
        grid.add_row("-", escape(sentence))
    console.print(grid)


def _parameters(files: FitFiles) -> Table:
    device = files.fitted_device
    laws = " | ".join(f"{fit.direction.upper()} {fit.chosen.label}" for fit in files.result.laws)
    table = Table(title=f"{device.name}: {laws}", title_justify="left")
    for heading in ("parameter", "value", "std. error", "95 % interval", "unit", "source"):
        table.add_column(heading)
    shown = [(name, p) for name, p in parameters_of(device) if p.source == "fitted"]
    for fit in files.result.laws:
        shown += [
            (f"{name} (not in device.json)", fit.chosen.parameter(name, ""))
            for name in fit.chosen.names
            if name in MEASUREMENT
        ]
    reference = {"tau_ref": device.set}
    if device.reset is not None:
        reference["RESET tau_ref"] = device.reset
    for name, parameter in shown:
        label = name
        if name in reference:
            label = f"{name}{reference_of(reference[name])}"
        table.add_row(
            label,
            f"{parameter.value:.5g}",
            "-" if parameter.stderr is None else f"{parameter.stderr:.2g}",
            _interval(parameter),
            _unit(parameter),
            parameter.source,
        )
    for name, law in reference.items():
        for label, p in derived_of(law):
            title = name.replace("tau_ref", label)
            table.add_row(title, f"{p.value:.4g}", "-", "-", _unit(p), p.source)
    return table


def _candidates(fit: LawFit) -> Table:
    note = "" if fit.data.exact.any() else "; without the binomial constant"
    note += "" if fit.population is None else "; devices pooled"
    table = Table(
        title=f"{fit.direction.upper()} candidates (n = {fit.data.size:,.0f} outcomes{note})",
        title_justify="left",
    )
    for heading in ("law", "log-likelihood", "AIC", "AICc", "BIC", ""):
        table.add_column(heading)
    for c in sorted(fit.candidates, key=lambda c: c.bic):
        table.add_row(
            c.label,
            f"{c.loglik:.3f}",
            f"{c.aic:.3f}",
            f"{c.aicc:.3f}",
            f"{c.bic:.3f}",
            "chosen" if c is fit.chosen else "",
        )
    return table


def _interval(parameter: Parameter) -> str:
    if parameter.ci95 is None:
        return "-"
    return " to ".join("open" if end is None else f"{end:.4g}" for end in parameter.ci95)


def _unit(parameter: Parameter) -> str:
    return "" if parameter.unit == "1" else parameter.unit
