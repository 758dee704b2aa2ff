"""The command ``python -m characterization.extract device.json``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from characterization.extract.options import ExtractOptions
from characterization.extract.screen import incomplete, show
from characterization.extract.stage import run, step_count
from formats.errors import InputError, run_command
from formats.progress import steps

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HELP = """Simulate the cells of a fitted device in ngspice and tabulate them.

DEVICE is a device.json. Writes cells.nc (bit probability against write voltage, energy by phase
and outcome, gate energies by transition, MACs), cells.html, and for each corner and temperature
Liberty, Verilog and SPICE libraries of the cells.

Where ngspice fails at a corner, temperature or pulse width, the others go on; what is missing is
named on the screen and in the files, and the exit code is 1.

Example: python -m characterization.extract out/device.json -o out
"""


@app.command(help=_HELP)
def extract(
    *,
    device: Annotated[
        Path,
        typer.Argument(help="device.json of stochram fit or stochram preset.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")] = Path(
        "out"
    ),
    technology: Annotated[
        str, typer.Option(help="cmos40lp, freepdk45 (an extra), or a technology.toml.")
    ] = ExtractOptions.technology,
    corners: Annotated[
        str, typer.Option(help="Process corners, by commas: tt, ff, ss.")
    ] = ",".join(ExtractOptions.corners),
    temperatures: Annotated[
        str | None,
        typer.Option(help="Temperatures (K), by commas; by default the technology's."),
    ] = None,
    pulse_width: Annotated[
        str, typer.Option(help="Write pulse (s), or several by commas, the first one nominal.")
    ] = "100e-6",
    cells: Annotated[
        str | None,
        typer.Option(help="Cells beside the SNG, by commas; by default all of them."),
    ] = None,
    io_class: Annotated[
        str | None,
        typer.Option(help="Transistors of the write path: core, 2.5, 3.3 or 5 (V)."),
    ] = None,
    reset_voltage: Annotated[
        float | None,
        typer.Option(help="Source line in RESET (V); by default 1.5, core: the core supply."),
    ] = None,
    compliance_gate: Annotated[
        float | None,
        typer.Option(help="Word line in the write phase (V); it limits the LRS current."),
    ] = None,
    io_width: Annotated[
        float, typer.Option(help="Width of the transistors of the write path (m).")
    ] = ExtractOptions.io_width,
    conditional_reset: Annotated[
        bool, typer.Option("--conditional-reset", help="RESET only what was read as 1.")
    ] = False,
    order: Annotated[str, typer.Option(help="Order of the phases, by commas.")] = ",".join(
        ExtractOptions.order
    ),
    write_voltage_max: Annotated[
        float | None,
        typer.Option(help="Highest write voltage (V); by default what the ratings allow."),
    ] = None,
    points: Annotated[
        int, typer.Option(help="Write voltages of the first grid.")
    ] = ExtractOptions.points,
    dac_bits: Annotated[
        int, typer.Option(help="Resolution of the write voltage.")
    ] = ExtractOptions.dac_bits,
    supply_noise: Annotated[
        float, typer.Option(help="Deviation of the write voltage from stream to stream (V rms).")
    ] = ExtractOptions.supply_noise,
    activation_energy: Annotated[
        float | None,
        typer.Option(help="Activation energy (eV) assumed for laws fitted without one."),
    ] = None,
    cell_voltage: Annotated[
        bool, typer.Option("--cell-voltage", help="Take a 1t1r law as that of the bare device.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the probabilities with Monte Carlo.")
    ] = False,
    figures: Annotated[
        bool, typer.Option("--figures", help="Write the pictures of cells.html as SVG files too.")
    ] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="ngspice processes.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of what is drawn.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Map the command line to options, run, show."""
    options = ExtractOptions(
        device=device,
        output=output,
        technology=technology,
        corners=words(corners),
        temperatures=None if temperatures is None else numbers("--temperatures", temperatures),
        pulse_width=numbers("--pulse-width", pulse_width),
        cells=None if cells is None else words(cells),
        io_class=io_class,
        reset_voltage=reset_voltage,
        compliance_gate=compliance_gate,
        io_width=io_width,
        conditional_reset=conditional_reset,
        order=words(order),
        write_voltage_max=write_voltage_max,
        points=points,
        dac_bits=dac_bits,
        supply_noise=supply_noise,
        activation_energy=activation_energy,
        cell_voltage=cell_voltage,
        check=check,
        figures=figures,
        jobs=jobs,
        seed=seed,
    )
    with steps("extract", step_count(options), quiet) as progress:
        path = run(options, progress)
    if not quiet:
        show(path, Console(width=None if Console().is_terminal else 110))
    lacking = incomplete(path)
    if lacking:
        print(lacking[-1], file=sys.stderr)
        raise typer.Exit(1)


def words(text: str) -> tuple[str, ...]:
    """The words of a list by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def numbers(option: str, text: str) -> tuple[float, ...]:
    """The numbers of a list by commas; raises :class:`InputError`."""
    found = []
    for word in words(text):
        try:
            found.append(float(word))
        except ValueError as error:
            raise InputError(option, f"{word!r} is not a number; expected 1e-4 or 1e-5,1e-4") from (
                error
            )
    return tuple(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(app, arguments)
