"""The command ``stochram stream``, also ``python -m system.bitstream.report``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from formats.errors import run_command
from system.bitstream.report.options import StreamOptions

_DEFAULT = StreamOptions()

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: stochram stream --cells out/cells.nc --p 0.5 --sequences 10 -o out")
def stream(
    *,
    source: Annotated[
        str | None, typer.Option(help="ideal, lfsr, sobol or device (default with --cells)")
    ] = None,
    cells: Annotated[
        Path | None, typer.Option(help="cells.nc of the extract stage, for the source device")
    ] = None,
    bits_file: Annotated[
        Path | None,
        typer.Option(help="Your own bits instead: text of 0 and 1, .npy, or a stream.npz"),
    ] = None,
    p: Annotated[float | None, typer.Option("--p", help="P(1) asked for (default: 0.5)")] = None,
    code: Annotated[int | None, typer.Option(help="DAC code of the device, instead of --p")] = None,
    device: Annotated[
        int | None,
        typer.Option(help="Number of a device drawn with its D2D (default: the nominal one)"),
    ] = None,
    width: Annotated[
        int, typer.Option(help="Bits of the LFSR (4, 8, 16) or of Sobol numbers (1 to 16)")
    ] = _DEFAULT.width,
    bits: Annotated[
        int | None, typer.Option(help="Bits of a sequence (default: 1,000,000; a file: all)")
    ] = None,
    sequences: Annotated[
        int, typer.Option(help="Sequences, one after the other from the same generator")
    ] = _DEFAULT.sequences,
    debias: Annotated[
        bool,
        typer.Option("--debias", help="SP 800-22 on von Neumann's bits: for any P(1)"),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bits and of the device")] = _DEFAULT.seed,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for stream.json, stream.npz and stream.svg"),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors")] = False,
) -> None:
    """Test a bit stream: P(1), independence at any P(1), autocorrelation, NIST SP 800-22."""
    from system.bitstream.report.stage import run

    run(
        StreamOptions(
            source=source,
            cells=cells,
            bits_file=bits_file,
            p=p,
            code=code,
            device=device,
            width=width,
            bits=bits,
            sequences=sequences,
            debias=debias,
            seed=seed,
            output=output,
            quiet=quiet,
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(app, arguments)
