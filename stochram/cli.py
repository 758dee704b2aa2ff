"""The ``stochram`` command: the chain, the engine check, and the four stages by name."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from formats.errors import run_command
from formats.interrupts import loading

STAGES = {
    "fit": "characterization.fit.cli",
    "extract": "characterization.extract.cli",
    "train": "system.train.cli",
    "fit-synapse": "characterization.synapse.cli",
    "train-synapses": "system.synapses.cli",
    "report": "system.report.cli",
    "stream": "system.bitstream.report.cli",
    "binarized": "system.binarized.cli",
    "sweep": "system.sweep.cli",
    "explore": "system.explore.cli",
}

SUMMARIES = {
    "fit": "Fit switching laws to a table of switching events.",
    "extract": "Simulate the cells of a device in ngspice: cells.nc.",
    "train": "Train a network with the arithmetic of cells.nc.",
    "fit-synapse": "Fit a conductance synapse to pulse data.",
    "train-synapses": "Train a network whose only weights are conductances.",
    "report": "Area, power, energy, latency and accuracy: report.html.",
    "stream": "Test a generator's bits, or your own, for randomness.",
    "binarized": "Train a binarized network and read it on drawn chips.",
    "sweep": "Train over a grid of any options of train, in parallel.",
    "explore": "Designs no other beats in accuracy, energy and area.",
}
"""What the list of commands says of a stage, so that it need not load the stages."""

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_HELP = """From measured switching statistics to the cost and accuracy of a stochastic computer.

Each stage is a command of its own, with --help; `stochram fit` is the same as
`python -m characterization.fit`, and so on. `stochram run` chains them.

Example: stochram run examples/demo.toml
"""


def _say_version(asked: bool) -> None:
    if asked:
        print(f"stochram {importlib.metadata.version('stochram')}")
        raise typer.Exit


@app.callback(help=_HELP)
def stochram(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Hold the sub-commands together."""


@app.command(
    epilog="Example: stochram run examples/demo.toml -o out",
    short_help="All stages of an experiment; redo only what changed.",
)
def run(
    *,
    experiment: Annotated[Path, typer.Argument(help="experiment.toml", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the results.")
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="ngspice processes.")] = 2,
    force: Annotated[
        bool, typer.Option("--force", help="Make files anew that were changed by hand.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Run fit, extract, train and report; redo only what changed.

    Exit code 1 where something is missing from the results.
    """
    from stochram.chain import run_chain
    from stochram.experiment import read_experiment
    from stochram.stages import stages

    chosen = read_experiment(experiment, output)

    def say(words: str) -> None:
        if not quiet:
            print(words, flush=True)

    ran = run_chain(stages(chosen, jobs, quiet), chosen.output, say, force)
    for line in _summary(chosen.output / "report.json"):
        say(line)
    say(f"report: {(chosen.output / 'report.html').resolve()}")
    if "extract" in ran:
        from characterization.extract.screen import incomplete

        lacking = incomplete(chosen.output / "cells.nc")
        for line in lacking:
            print(line, file=sys.stderr)
        if lacking:
            raise typer.Exit(1)


@app.command()
def engine(
    clear: Annotated[
        bool, typer.Option("--clear-cache", help="Forget the results of earlier simulations.")
    ] = False,
) -> None:
    """Prove that ngspice and PySpice work together here."""
    from stochram.engine import forget, prove_engine

    print(forget() if clear else prove_engine())


@app.command(
    epilog="Example: stochram preset cbram-lv-assumed -o out",
    short_help="Write the device.json of a device of the program.",
)
def preset(
    name: Annotated[str, typer.Argument(help="Name of a device.", show_default=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for device.json.")] = Path(
        "out"
    ),
) -> None:
    """Write the device.json of a device that comes with the program, to extract without a fit."""
    from devices.presets import PRESETS
    from formats.device import write_device
    from formats.errors import InputError
    from formats.provenance import provenance

    if name not in PRESETS:
        raise InputError("NAME", f"{name!r} is unknown; there is {', '.join(PRESETS)}")
    record = provenance(
        stage="preset",
        inputs={},
        options={"name": name},
        seed=None,
        source=("devices",),
        libraries=("numpy",),
    )
    path = output / "device.json"
    write_device(path, {**PRESETS[name]().to_dict(), "provenance": record})
    print(f"wrote {path}")


for _name in STAGES:  # for the list and the suggestions; `main` calls the stage itself
    app.command(_name, help=SUMMARIES[_name])(lambda: None)


def _summary(path: Path) -> list[str]:
    """The totals of a report, a line each."""
    content = json.loads(path.read_text(encoding="utf-8"))
    lines = [
        f"  {name:<42} {total['value']:.4g} {total['unit']}".removesuffix(" 1")
        for name, total in content["totals"].items()
    ]
    for label, value in _accuracies(content["accuracy"]):
        runs = value.get("by_run", ()) if value.get("treatment") else ()
        low, high = (min(runs), max(runs)) if len(runs) > 1 else value["interval95"]
        said = f"{len(runs)} chips" if len(runs) > 1 else "95 %"
        lines.append(
            f"  accuracy, {label:<31} {100 * value['value']:.1f} % "
            f"({said} {100 * low:.1f} to {100 * high:.1f})"
        )
    return lines


def _accuracies(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Those of a report on streams, or of the networks on arrays, with their names."""
    if "networks" not in found:
        return [("floating point", found["float"]), ("stochastic computing", found["sc"])]
    rows = []
    for row in found["networks"]:
        chips = "" if row["treatment"] is None else f" {row['ratio']:g}:{row['spread_on']:g}"
        treated = "" if row["treatment"] in (None, "none") else f", {row['treatment']}"
        rows.append((f"{row['network']}{chips}{treated}", row))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if words[0] in STAGES:
        with loading():
            stage = importlib.import_module(STAGES[words[0]]).app
        return run_command(stage, words[1:], f"stochram {words[0]}")
    return run_command(app, words, "stochram")
