"""The fit of a synapse as a function: a table in, synapse.json out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Screen

from characterization.fit.table.readers import read_table
from characterization.synapse.estimate import Estimate, estimate
from characterization.synapse.trains import trains_of
from devices.parameter import Parameter
from devices.synapse import Synapse
from devices.synapse.law import BRANCH, DIRECTIONS, ENDS
from formats.errors import InputError
from formats.provenance import provenance, sha256_file
from formats.synapse import write_synapse

SOURCE = ("characterization.fit.table", "characterization.synapse", "devices", "formats")
LIBRARIES = ("numpy", "pandas", "scipy")
SYNAPSE_FILE = "synapse.json"


@dataclass(frozen=True)
class SynapseFitOptions:
    """``g_max`` and ``g_min`` (S) are end states known otherwise; None: from the trains."""

    data: Path
    output: Path = Path("out")
    name: str = "fitted"
    mapping: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    header: bool = True
    g_max: float | None = None
    g_min: float | None = None
    quiet: bool = False


def stage_provenance(options: SynapseFitOptions) -> dict[str, Any]:
    """The provenance record of the fit, made without running it; raises :class:`InputError`."""
    chosen = asdict(options)
    for key in ("data", "output", "quiet"):
        del chosen[key]
    return provenance(
        stage="fit a synapse",
        inputs={"data": sha256_file(options.data)},
        options=chosen,
        seed=None,
        source=SOURCE,
        libraries=LIBRARIES,
    )


def run(options: SynapseFitOptions) -> Path:
    """Fit and write synapse.json; returns its path. Raises :class:`InputError`."""
    for name in ("g_max", "g_min"):
        value = getattr(options, name)
        if value is not None and not 0 < value <= 1:
            raise InputError(
                f"--{name.replace('_', '-')}", f"is {value:g}; expected siemens, above 0 up to 1"
            )
    table = read_table(
        options.data, header=options.header, columns=options.columns, mapping=options.mapping
    )
    found = estimate(
        trains_of(table), options.name, str(options.data), options.g_max, options.g_min
    )
    record = stage_provenance(options)
    path = options.output / SYNAPSE_FILE
    write_synapse(path, {**found.synapse.to_dict(), "provenance": record})
    if not options.quiet:
        _show(found)
        print(f"wrote {path}")
    return path


def _show(found: Estimate) -> None:
    """Every parameter with its error and where it comes from, then what to know."""
    console = Console()
    screen = Screen(title=f"{found.synapse.name}: dynamic range {found.synapse.dynamic_range:.3g}")
    for heading in ("parameter", "value", "standard error", "source"):
        screen.add_column(heading)
    for name, parameter in _parameters(found.synapse):
        error = "" if parameter.stderr is None else f"{parameter.stderr:.2g}"
        value = f"{parameter.value:.4g} {parameter.unit}".removesuffix(" 1")
        screen.add_row(name, value, error, f"{parameter.source}: {parameter.note}")
    console.print(screen)
    for note in found.notes:
        console.print(note, highlight=False)


def _parameters(synapse: Synapse) -> list[tuple[str, Parameter]]:
    ends = [(name, getattr(synapse, name)) for name in ENDS]
    steps = [
        (f"{side}.{name}", getattr(getattr(synapse, side), name))
        for side in DIRECTIONS
        for name in BRANCH
    ]
    return [*ends, *steps]
