"""Command line of the report stage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from formats.errors import run_command
from formats.json_file import schema
from formats.plural import plural
from system.architecture import presets
from system.report.arrays.stage import ArrayResult
from system.report.arrays.stage import screen as array_screen
from system.report.compare import compare
from system.report.quantity import percent, quantity
from system.report.stage import DEFAULT, ReportOptions, ReportResult, run

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _compare(files: tuple[Path, Path] | None) -> None:
    """Print the comparison and end."""
    if files is not None:
        typer.echo("\n".join(compare(*files)))
        raise typer.Exit


def _schema(wanted: bool) -> None:
    """Print the schema of report.json and end."""
    if wanted:
        typer.echo(json.dumps(schema("report"), indent=2))
        raise typer.Exit


@app.command(
    epilog="Example: python -m system.report out/cells.nc out/training.nc -o out --frame-rate 2"
)
def report(
    cells: Annotated[Path, typer.Argument(help="cells.nc of stochram extract")],
    training: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT",
            help="training.nc, synapses.nc or binarized.nc: of stochram train, train-synapses or "
            "binarized",
        ),
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to")] = Path(
        "out"
    ),
    architecture: Annotated[
        str,
        typer.Option(help=f"Layout of the computer: {', '.join(presets())}, or a file *.toml"),
    ] = DEFAULT,
    frame_rate: Annotated[
        float,
        typer.Option(help="Training steps (images) per second for the power; capped if too fast"),
    ] = 1.0,
    dac_area_um2: Annotated[
        float | None, typer.Option(help="Area of one write-voltage DAC; none is counted without")
    ] = None,
    dac_energy_pj: Annotated[
        float | None, typer.Option("--dac-energy-pJ", help="Energy of one DAC conversion")
    ] = None,
    adc_area_um2: Annotated[
        float | None,
        typer.Option(
            help="Of an array (synapses.nc, binarized.nc): area of one converter; none is counted "
            "without"
        ),
    ] = None,
    adc_energy_pj: Annotated[
        float | None, typer.Option("--adc-energy-pJ", help="Energy of one of its conversions")
    ] = None,
    endurance: Annotated[
        float | None,
        typer.Option(
            help="SET + RESET cycles that devices last: the characteristic value (the median of "
            "lognormal); default: device.json's"
        ),
    ] = None,
    endurance_law: Annotated[
        str,
        typer.Option(metavar="weibull|lognormal", help="How endurance spreads over devices"),
    ] = "weibull",
    endurance_shape: Annotated[
        float | None,
        typer.Option(
            help="Its shape: Weibull's (default 2, assumed), or sigma of the logarithm (0.5)"
        ),
    ] = None,
    accept_edited_cells: Annotated[
        bool,
        typer.Option(
            "--accept-edited-cells",
            help="Cost a cells.nc that was edited after the training; the report says so",
        ),
    ] = False,
    _both: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            "--compare",
            metavar="A.json B.json",
            callback=_compare,
            is_eager=True,
            help="Print what differs between two report.json, and do nothing else",
        ),
    ] = None,
    _wanted: Annotated[
        bool,
        typer.Option(
            "--schema",
            callback=_schema,
            is_eager=True,
            help="Print the JSON schema of report.json, and do nothing else",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing")] = False,
) -> None:
    """Total area, power, energy, latency and accuracy: OUTPUT/report.json, .html and .md."""
    result = run(
        ReportOptions(
            cells=cells,
            training=training,
            output=output,
            architecture=architecture,
            frame_rate=frame_rate,
            accept_edited_cells=accept_edited_cells,
            dac_area=None if dac_area_um2 is None else dac_area_um2 * 1e-12,
            dac_energy=None if dac_energy_pj is None else dac_energy_pj * 1e-12,
            adc_area=None if adc_area_um2 is None else adc_area_um2 * 1e-12,
            adc_energy=None if adc_energy_pj is None else adc_energy_pj * 1e-12,
            endurance=endurance,
            endurance_law=endurance_law,
            endurance_shape=endurance_shape,
        )
    )
    if not quiet:
        lines = array_screen(result) if isinstance(result, ArrayResult) else screen(result)
        typer.echo("\n".join(lines))


def screen(result: ReportResult) -> list[str]:
    """The lines printed at the end."""
    bill, accuracy = result.budget, result.content["accuracy"]
    rate = float(f"{bill.timing.rate:.3g}")
    early = bill.progressive
    rows = [
        ("area", quantity(bill.area, "m2"), "derived: sum of the lines"),
        (
            "average power",
            quantity(bill.power, "W"),
            f"derived: at {rate:g} training {plural(rate, 'step')} per second",
        ),
        ("energy per inference", quantity(bill.energy_inference, "J"), "derived: switching"),
        ("energy per training step", quantity(bill.energy_training, "J"), "derived: switching"),
        ("latency of an inference", quantity(bill.timing.inference, "s"), "derived"),
        (
            "endurance used",
            percent(result.content["endurance_used"]["fraction"]),
            f"derived: by this training, of its most used device ("
            f"{result.content['endurance_used']['most_used']})",
        ),
        ("accuracy without SC", percent(accuracy["float"]["value"]), "simulated"),
        ("accuracy with SC", percent(accuracy["sc"]["value"]), _trained(accuracy)),
    ]
    if early is not None:
        rows.insert(
            5,
            (
                "progressive inference",
                quantity(early.energy, "J"),
                f"derived: mean over images, {quantity(early.latency, 's')}",
            ),
        )
    return [
        *(f"{name:<26}{value:>14}   ({origin})" for name, value, origin in rows),
        *(f"warning: {warning}" for warning in bill.warnings),
        f"report: {result.html}, {result.json.name} and {result.markdown.name}",
    ]


def _trained(accuracy: Mapping[str, Any]) -> str:
    mapped = accuracy["sc_trained_in"] == "float"
    return "simulated: mapped after training in floating point" if mapped else "simulated"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(app, arguments)
