"""The stage: options in, files out. The command and the chain both call :func:`run`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from characterization.fit.account.plot import svg
from characterization.fit.analysis import FitResult, analyse
from characterization.fit.goodness.points import pulse_points, wait_points
from characterization.fit.inference.candidate import Candidate
from characterization.fit.make_device import device_of
from characterization.fit.table.readers import read_table
from devices.cbram import CBRAM
from devices.subcircuit import subcircuit
from formats.atomic import write_text
from formats.device import write_device
from formats.errors import InputError
from formats.json_file import write_json
from formats.provenance import provenance, sha256_file

SOURCE = ("characterization.fit", "devices", "formats")
LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy", "sympy")


@dataclass(frozen=True)
class FitOptions:
    """What the command line, or ``[fit]`` of experiment.toml, can say."""

    data: Path
    output: Path = Path("out")
    kind: str | None = None
    family: str = "auto"
    floor: bool = False
    header: bool = True
    columns: tuple[str, ...] | None = None
    start_above: float | None = None
    switched_below: float | None = None
    where: str | None = None
    voltage_reference: str | None = None
    name: str | None = None
    seed: int = 0

    @property
    def device_name(self) -> str:
        """The device's name: given, or the data file's without its endings."""
        return self.name if self.name is not None else Path(self.data).name.split(".")[0]


@dataclass(frozen=True)
class FitFiles:
    """What a run wrote, and the result it came from."""

    device: Path
    fit: Path
    subcircuit: Path
    plot: Path
    result: FitResult = field(repr=False)
    fitted_device: CBRAM = field(repr=False)


def stage_provenance(options: FitOptions) -> dict[str, Any]:
    """The record of what a run with these options depends on; does not run it."""
    told = asdict(options)
    del told["output"], told["data"]
    told |= {"data_name": Path(options.data).name, "name": options.device_name}
    told["columns"] = None if options.columns is None else list(options.columns)
    return provenance(
        stage="fit",
        inputs={"data": sha256_file(Path(options.data))},
        options=told,
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )


def run(options: FitOptions) -> FitFiles:
    """Read, fit and write device.json, fit.json, device.lib and fit.svg.

    Raises :class:`InputError` for anything wrong in the data or the options, before any file is
    written.
    """
    _check(options)
    table = read_table(options.data, header=options.header, columns=options.columns)
    result = analyse(
        table,
        kind=options.kind,
        family=options.family,
        floor=options.floor,
        start_above=options.start_above,
        switched_below=options.switched_below,
        where=options.where,
        voltage_reference=options.voltage_reference,
        seed=options.seed,
        named=options.columns is not None,
    )
    record = stage_provenance(options)
    source = Path(options.data).name
    device = device_of(result, options.device_name, source)
    output = Path(options.output)
    files = FitFiles(
        device=output / "device.json",
        fit=output / "fit.json",
        subcircuit=output / "device.lib",
        plot=output / "fit.svg",
        result=result,
        fitted_device=device,
    )
    netlist = subcircuit(device, "cbram")
    drawing = svg(result, f"{source}: {result.chosen.family.name} law")
    write_device(files.device, {**device.to_dict(), "provenance": record})
    write_json(files.fit, fit_content(result, source, record), "fit")
    write_text(files.subcircuit, netlist)
    write_text(files.plot, drawing)
    return files


def fit_content(result: FitResult, source: str, record: dict[str, Any]) -> dict[str, Any]:
    """The content of fit.json."""
    pulses = result.data.kind == "pulses"
    return {
        "schema": 1,
        "kind": result.data.kind,
        "candidates": [_candidate(c, source) for c in result.candidates],
        "chosen": result.chosen.family.name,
        "tests": [
            {
                "name": test.name,
                "statistic": test.statistic,
                "p_value": test.p_value,
                "note": test.note,
            }
            for test in result.tests
        ],
        "counts": result.counts,
        "excluded": list(result.excluded),
        "verdict": list(result.verdict),
        "points": pulse_points(result.chosen) if pulses else wait_points(result.chosen),
        "provenance": record,
    }


def _candidate(candidate: Candidate, source: str) -> dict[str, Any]:
    return {
        "family": candidate.family.name,
        "acceleration": candidate.likelihood.acceleration.name,
        "reference_voltage_V": candidate.likelihood.reference,
        "loglik": candidate.loglik,
        "aic": candidate.aic,
        "aicc": candidate.aicc,
        "bic": candidate.bic,
        "parameters": {
            name: candidate.parameter(name, f"fitted to {source}").to_dict()
            for name in candidate.names
        },
    }


def _check(options: FitOptions) -> None:
    for name in ("start_above", "switched_below"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise InputError(
                f"--{name.replace('_', '-')}", f"found {value:g}, expected ohms above 0"
            )
    if options.seed < 0:
        raise InputError("--seed", f"found {options.seed}, expected an integer of at least 0")
    if not options.device_name.strip():
        raise InputError("--name", "is empty; expected a name for the device")
