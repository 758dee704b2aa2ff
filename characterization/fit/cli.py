"""The command ``python -m characterization.fit data.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from characterization.fit.account.screen import show
from characterization.fit.stage import FitOptions, run
from formats.errors import InputError, run_command

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HELP = """Fit stochastic switching laws to a table of switching events.

DATA is CSV, TSV or Parquet, gzipped or not, of one of four kinds, seen from its columns:
pulses (voltage_V,pulse_width_s,switched[,trials]), waits (voltage_V,wait_time_s,switched, or
wait_time_low_s,wait_time_high_s), ramps (ramp_rate_V_per_s,set_voltage_V,switched
[,start_voltage_V,voltage_step_V]), cycling (cycle,v_set_V,v_reset_V[,r_lrs_ohm,r_hrs_ohm]).
Optional: device, cycle, temperature_K, transition, gate_voltage_V, r_before_ohm, r_after_ohm.
Units in headers (mV, us, kohm...) are converted; --map names foreign columns.
Writes device.json, fit.json, device.lib, device.va, fit.svg and fit.html.

Example: python -m characterization.fit examples/knag2014_pulses.csv -o out
"""


@app.command(help=_HELP)
def fit(
    *,
    data: Annotated[
        Path, typer.Argument(help="Table of measurements: CSV, TSV or Parquet.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results.")] = Path(
        "out"
    ),
    kind: Annotated[
        str | None,
        typer.Option(help="pulses, waits, ramps or cycling; by default seen from the columns."),
    ] = None,
    family: Annotated[
        str,
        typer.Option(help="exponential, weibull, lognormal, gamma, or auto: chosen by BIC."),
    ] = "auto",
    acceleration: Annotated[
        str,
        typer.Option(
            help="How tau falls with the voltage: exp(-V/V0), sinh, power, inverse (exp(B/V)), "
            "or auto: chosen by BIC."
        ),
    ] = "exp",
    floor: Annotated[
        bool, typer.Option("--floor", help="Fit a false-switch floor as well (pulses).")
    ] = False,
    lapse: Annotated[
        bool, typer.Option("--lapse", help="Fit a rate of missed switches as well (pulses).")
    ] = False,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The file has no header line; needs --columns.")
    ] = False,
    columns: Annotated[
        str | None,
        typer.Option(help="Column names in file order, comma-separated; foreign ones are ignored."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="NAME=HEADER[:UNIT]", help="A foreign column, e.g. voltage_V=Vbl:mV."
        ),
    ] = None,
    start_above: Annotated[
        str | None,
        typer.Option(
            metavar="OHM|auto",
            help="SET: use only rows whose r_before_ohm is above (in HRS).",
        ),
    ] = None,
    start_below: Annotated[
        str | None,
        typer.Option(
            metavar="OHM|auto",
            help="RESET: use only rows whose r_before_ohm is below (in LRS).",
        ),
    ] = None,
    switched_below: Annotated[
        str | None,
        typer.Option(
            metavar="OHM|auto",
            help="A SET row switched if its r_after_ohm is below; auto finds the threshold.",
        ),
    ] = None,
    switched_above: Annotated[
        str | None,
        typer.Option(metavar="OHM|auto", help="A RESET row switched if its r_after_ohm is above."),
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(
            metavar="OHM,OHM,...",
            help="Thresholds at which the fit is repeated, by default 2/3 and 3/2 of the one used.",
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Rows to use, e.g. 'gate_voltage_V>=1.4 and voltage_V>0.6'."),
    ] = None,
    voltage_reference: Annotated[
        str | None,
        typer.Option(
            help="cell or 1t1r: what voltage_V is across; 1t1r if there is a gate_voltage_V."
        ),
    ] = None,
    reset_polarity: Annotated[
        str, typer.Option(help="signed, or magnitude: RESET voltages are given as magnitudes.")
    ] = "signed",
    ramp_rate: Annotated[
        float | None, typer.Option(metavar="V_PER_S", help="Ramp rate of cycling records.")
    ] = None,
    voltage_step: Annotated[
        float | None, typer.Option(metavar="V", help="Voltage step of cycling records.")
    ] = None,
    v0_temperature: Annotated[
        str,
        typer.Option(help="V0 proportional to T, fixed, or auto: the better one."),
    ] = "auto",
    pool: Annotated[
        bool, typer.Option("--pool", help="Do not fit the spread between devices (D2D).")
    ] = False,
    c2c: Annotated[
        bool,
        typer.Option("--c2c", help="Fit the cycle-to-cycle spread of ln tau (exponential law)."),
    ] = False,
    transistor: Annotated[
        str | None,
        typer.Option(
            metavar="kp=A,vth=V,...",
            help="1T1R data: take the access transistor's voltage off (kp, vth[, lambda, w, l, "
            "alpha...]; gate_voltage_V is its gate).",
        ),
    ] = None,
    read_voltage: Annotated[float, typer.Option(help="Read voltage of the read disturb.")] = 0.1,
    read_time: Annotated[float, typer.Option(help="Read time (s) of the read disturb.")] = 1e-6,
    posterior: Annotated[
        bool,
        typer.Option("--posterior", help="Sample the posterior with emcee (posterior.npz)."),
    ] = False,
    fix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Fix V0, shape, Ea, floor or lapse, or bound it: NAME=LOW:HIGH.",
        ),
    ] = None,
    hrs_iv: Annotated[
        Path | None, typer.Option(help="A table voltage_V,current_A of the HRS: fits a sinh law.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(help="A device.json to complete: it keeps what this table does not tell."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the device; by default that of the file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the goodness-of-fit simulation.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Map the command line to options, run, show."""
    options = FitOptions(
        data=data,
        output=output,
        kind=kind,
        family=family,
        acceleration=acceleration,
        floor=floor,
        lapse=lapse,
        header=not no_header,
        columns=None if columns is None else tuple(columns.split(",")),
        mapping=tuple(mapping or ()),
        start_above=ohms(start_above),
        start_below=ohms(start_below),
        switched_below=ohms(switched_below),
        switched_above=ohms(switched_above),
        thresholds=tuple(numbers_of(thresholds)) if thresholds else (),
        where=where,
        voltage_reference=voltage_reference,
        reset_polarity=reset_polarity,
        ramp_rate=ramp_rate,
        voltage_step=voltage_step,
        v0_temperature=v0_temperature,
        spread=not pool,
        c2c=c2c,
        transistor=transistor,
        read_voltage=read_voltage,
        read_time=read_time,
        posterior=posterior,
        fix=tuple(fix or ()),
        hrs_iv=hrs_iv,
        into=into,
        name=name,
        seed=seed,
    )
    files = run(options, quiet)
    if not quiet:
        console = Console()
        show(files, console if console.is_terminal else Console(width=110))


def ohms(text: str | None) -> float | str | None:
    """A number where it is one; anything else is judged with the other options."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def numbers_of(text: str) -> list[float]:
    """Comma-separated numbers; raises :class:`InputError`."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        expected = "expected numbers like 15e3,20e3"
        raise InputError("--thresholds", f"found {text!r}, {expected}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return run_command(app, arguments)
