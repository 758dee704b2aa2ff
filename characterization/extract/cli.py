"""The command ``python -m characterization.extract device.json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from characterization.extract.screen import show
from characterization.extract.stage import STEPS, ExtractOptions, run
from formats.errors import run_command
from formats.progress import steps

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HELP = """Simulate the cells of a fitted device in ngspice and tabulate them.

DEVICE is a device.json. Writes cells.nc: bit probability against write voltage, energy by phase
and outcome, gate energies by transition, MAC energies by operand.

Example: python -m characterization.extract out/device.json -o out
"""


@app.command(help=_HELP)
def extract(
    *,
    device: Annotated[Path, typer.Argument(help="device.json of the fit.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")] = Path(
        "out"
    ),
    technology: Annotated[str, typer.Option(help="CMOS technology.")] = "cmos40lp",
    pulse_width: Annotated[float, typer.Option(help="Write pulse (s).")] = 100e-6,
    reset_voltage: Annotated[
        float, typer.Option(help="Source line in RESET (V).")
    ] = ExtractOptions.reset_voltage,
    compliance_gate: Annotated[
        float, typer.Option(help="Word line in the write phase (V); it limits the LRS current.")
    ] = ExtractOptions.compliance_gate,
    io_width: Annotated[
        float, typer.Option(help="Width of the I/O transistors (m).")
    ] = ExtractOptions.io_width,
    write_voltage_max: Annotated[
        float | None,
        typer.Option(help="Highest write voltage (V); by default what the ratings allow."),
    ] = None,
    points: Annotated[
        int, typer.Option(help="Write voltages of the first grid.")
    ] = ExtractOptions.points,
    dac_bits: Annotated[int, typer.Option(help="Resolution of the write voltage.")] = 10,
    cell_voltage: Annotated[
        bool, typer.Option("--cell-voltage", help="Take a 1t1r law as that of the bare device.")
    ] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="ngspice processes.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of the MAC check's vectors.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Map the command line to options, run, show."""
    options = ExtractOptions(
        device=device,
        output=output,
        technology=technology,
        pulse_width=pulse_width,
        reset_voltage=reset_voltage,
        compliance_gate=compliance_gate,
        io_width=io_width,
        write_voltage_max=write_voltage_max,
        points=points,
        dac_bits=dac_bits,
        cell_voltage=cell_voltage,
        jobs=jobs,
        seed=seed,
    )
    with steps("extract", STEPS, quiet) as progress:
        path = run(options, progress)
    if not quiet:
        show(path, Console(width=None if Console().is_terminal else 110))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(app, arguments)
