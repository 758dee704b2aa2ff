"""What the command shows: counts, parameters with their source, candidates, verdict, files."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from characterization.fit.make_device import ASSUMED_TEMPERATURE, parameters_of
from characterization.fit.stage import FitFiles
from devices.parameter import Parameter


def show(files: FitFiles, console: Console) -> None:
    """Print the account of one run."""
    result = files.result
    counts = ", ".join(
        f"{value:,} {name.replace('_', ' ')}" for name, value in result.counts.items()
    )
    console.print(f"[bold]{result.data.kind}[/]: {counts}", highlight=False)
    _bullets(console, [f"excluded {i['rows']:,}: {i['reason']}" for i in result.excluded])
    console.print(_parameters(files))
    console.print(_candidates(files))
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
    _bullets(console, [*assumed, "reset = null: ideal, always succeeds"])
    written = (files.device, files.fit, files.subcircuit, files.plot)
    console.print("[bold]written[/] " + escape(", ".join(str(p) for p in written)), highlight=False)


def _bullets(console: Console, sentences: Sequence[str]) -> None:
    """One sentence a bullet, wrapped beside it."""
    grid = Table.grid(padding=(0, 1, 0, 1))
    for sentence in sentences:
        grid.add_row("-", escape(sentence))
    console.print(grid)


def _parameters(files: FitFiles) -> Table:
    device, chosen = files.fitted_device, files.result.chosen
    table = Table(title=f"{device.name}: {chosen.family.name} law", title_justify="left")
    for heading in ("parameter", "value", "std. error", "95 % interval", "unit", "source"):
        table.add_column(heading)
    shown = [(name, p) for name, p in parameters_of(device) if p.source == "fitted"]
    if "floor" in chosen.names:
        shown.append(("floor (not in device.json)", chosen.parameter("floor", "")))
    for name, parameter in shown:
        label = f"tau_ref at {device.set.reference_voltage:g} V" if name == "tau_ref" else name
        table.add_row(
            label,
            f"{parameter.value:.5g}",
            "-" if parameter.stderr is None else f"{parameter.stderr:.2g}",
            _interval(parameter),
            _unit(parameter),
            parameter.source,
        )
    tau0 = device.set.tau0
    table.add_row("tau0 (at 0 V)", f"{tau0:.4g}", "-", "extrapolated", "s", "derived")
    return table


def _candidates(files: FitFiles) -> Table:
    result = files.result
    size = "trials; without the binomial constant" if result.data.kind == "pulses" else "rows"
    table = Table(title=f"candidates (n = {result.data.size:,.0f} {size})", title_justify="left")
    for heading in ("family", "log-likelihood", "AIC", "AICc", "BIC", ""):
        table.add_column(heading)
    for c in result.candidates:
        table.add_row(
            c.family.name,
            f"{c.loglik:.3f}",
            f"{c.aic:.3f}",
            f"{c.aicc:.3f}",
            f"{c.bic:.3f}",
            "chosen" if c is result.chosen else "",
        )
    return table


def _interval(parameter: Parameter) -> str:
    if parameter.ci95 is None:
        return "-"
    return " to ".join("open" if end is None else f"{end:.4g}" for end in parameter.ci95)


def _unit(parameter: Parameter) -> str:
    return "" if parameter.unit == "1" else parameter.unit
