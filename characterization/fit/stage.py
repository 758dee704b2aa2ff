"""The stage: options in, files out. The command and the chain both call :func:`run`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from characterization.fit.account.content import fit_content
from characterization.fit.account.more import sections
from characterization.fit.account.page import page
from characterization.fit.account.plot import svg
from characterization.fit.analysis import FitResult, analyse
from characterization.fit.choices import Choices
from characterization.fit.conduction.hrs_iv import fit_hrs_table
from characterization.fit.conduction.transistor import parse_transistor
from characterization.fit.inference.limits import parse_limits
from characterization.fit.inference.posterior import sample_posterior, write_posteriors
from characterization.fit.make_device import device_of
from characterization.fit.table.readers import read_table
from devices.cbram import CBRAM
from devices.subcircuit import library
from devices.veriloga import veriloga
from formats.atomic import write_text
from formats.device import read_device, write_device
from formats.errors import InputError
from formats.json_file import write_json
from formats.progress import words
from formats.provenance import provenance, sha256_file

SOURCE = ("characterization.fit", "devices", "formats")
LIBRARIES = ("emcee", "jinja2", "matplotlib", "numpy", "pandas", "scipy", "sympy")


@dataclass(frozen=True)
class FitOptions:
    """What the command line, or ``[fit]`` of experiment.toml, can say.

    ``mapping`` holds ``canonical=foreign[:unit]`` items; ``into`` is a device.json that keeps what
    this table does not tell; ``read_voltage`` (V) and ``read_time`` (s) are those of the read
    disturb; ``posterior`` samples with emcee; ``fix`` holds ``NAME=VALUE`` or ``NAME=LOW:HIGH``;
    ``hrs_iv`` is a table voltage_V,current_A of the HRS. The others are those of :class:`Choices`.
    """

    data: Path
    output: Path = Path("out")
    kind: str | None = None
    family: str = "auto"
    acceleration: str = "exp"
    floor: bool = False
    lapse: bool = False
    header: bool = True
    columns: tuple[str, ...] | None = None
    mapping: tuple[str, ...] = ()
    start_above: float | str | None = None
    start_below: float | str | None = None
    switched_below: float | str | None = None
    switched_above: float | str | None = None
    thresholds: tuple[float, ...] = ()
    where: str | None = None
    voltage_reference: str | None = None
    reset_polarity: str = "signed"
    ramp_rate: float | None = None
    voltage_step: float | None = None
    v0_temperature: str = "auto"
    spread: bool = True
    c2c: bool = False
    transistor: str | None = None
    read_voltage: float = 0.1
    read_time: float = 1e-6
    posterior: bool = False
    fix: tuple[str, ...] = ()
    hrs_iv: Path | None = None
    into: Path | None = None
    name: str | None = None
    seed: int = 0

    @property
    def device_name(self) -> str:
        """The device's name: given, or the data file's without its endings."""
        return self.name if self.name is not None else Path(self.data).name.split(".")[0]

    def choices(self, base: CBRAM | None) -> Choices:
        """The part of the options that concerns the fit itself; ``base`` is a known device."""
        names = {f.name for f in fields(Choices)} & {f.name for f in fields(FitOptions)}
        known = None if base is None else base.conduction.r_hrs
        known = None if known is not None and known.source == "assumed" else known
        told = {name: getattr(self, name) for name in names}
        return Choices(**told, r_hrs=known, limits=parse_limits(self.fix))


@dataclass(frozen=True)
class FitFiles:
    """What a run wrote, and the result it came from."""

    device: Path
    fit: Path
    subcircuit: Path
    verilog: Path
    plot: Path
    page: Path
    posterior: Path | None
    result: FitResult = field(repr=False)
    fitted_device: CBRAM = field(repr=False)

    @property
    def written(self) -> tuple[Path, ...]:
        """All files of the run."""
        made = (self.device, self.fit, self.subcircuit, self.verilog, self.plot, self.page)
        return made if self.posterior is None else (*made, self.posterior)


def stage_provenance(options: FitOptions) -> dict[str, Any]:
    """The record of what a run with these options depends on; does not run it."""
    told = asdict(options)
    for name in ("output", "data", "into", "hrs_iv"):
        del told[name]
    told |= {"data_name": Path(options.data).name, "name": options.device_name}
    for name in ("columns", "mapping", "thresholds", "fix"):
        told[name] = None if told[name] is None else list(told[name])
    inputs = {"data": sha256_file(Path(options.data))}
    for name in ("into", "hrs_iv"):
        if getattr(options, name) is not None:
            inputs[name] = sha256_file(Path(getattr(options, name)))
    return provenance(
        stage="fit",
        inputs=inputs,
        options=told,
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )


def run(options: FitOptions, quiet: bool = True) -> FitFiles:
    """Read, fit and write device.json, fit.json, device.lib, device.va, fit.svg and fit.html.

    Unless ``quiet``, a terminal shows what is being done and for how long. Raises
    :class:`InputError` for anything wrong in the data or the options, before any file is written.
    """
    _check(options)
    base = None if options.into is None else CBRAM.from_dict(read_device(options.into))
    nonlinear = None if options.hrs_iv is None else fit_hrs_table(read_table(options.hrs_iv))
    table = read_table(
        options.data,
        header=options.header,
        columns=options.columns,
        mapping=options.mapping,
        kind=options.kind,
    )
    with words("fit", quiet) as progress:
        result = analyse(table, options.choices(base), progress)
        posteriors = {
            fit.direction: sample_posterior(fit.chosen, options.seed, progress=progress)
            for fit in (result.laws if options.posterior else ())
        }
    record = stage_provenance(options)
    source = Path(options.data).name
    device = device_of(result, options.device_name, source, base)
    if nonlinear is not None:
        device = replace(device, conduction=replace(device.conduction, hrs_sinh=nonlinear.law))
        told = tuple(f"HRS I-V: {text}" for text in nonlinear.sentences)
        result = replace(result, verdict=(*result.verdict, *told))
    read = (options.read_voltage, options.read_time)
    more = sections(result, device, read, posteriors)
    output = Path(options.output)
    files = FitFiles(
        device=output / "device.json",
        fit=output / "fit.json",
        subcircuit=output / "device.lib",
        verilog=output / "device.va",
        plot=output / "fit.svg",
        page=output / "fit.html",
        posterior=output / "posterior.npz" if posteriors else None,
        result=result,
        fitted_device=device,
    )
    texts = {
        files.subcircuit: library(device, "cbram"),
        files.verilog: veriloga(device, "cbram"),
        files.plot: svg(result, source),
        files.page: page(result, source, device, more, record),
    }
    content = fit_content(result, source, record, posteriors)
    for path, text in texts.items():
        write_text(path, text)
    if files.posterior is not None:
        write_posteriors(files.posterior, posteriors)
    write_json(files.fit, content, "fit")
    # Last what the next stage reads: where it is new, all is.
    write_device(files.device, {**device.to_dict(), "provenance": record})
    return files


def _check(options: FitOptions) -> None:
    for name in ("start_above", "start_below", "switched_below", "switched_above"):
        _check_ohms(getattr(options, name), _flag(name))
    if options.transistor is not None:
        parse_transistor(options.transistor)
    for name in ("ramp_rate", "voltage_step", "read_voltage", "read_time"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise InputError(_flag(name), f"found {value:g}, expected a number above 0")
    for value in options.thresholds:
        if not 0 < value < float("inf"):
            raise InputError("--thresholds", f"found {value:g}, expected ohms above 0")
    for name, allowed in (
        ("reset_polarity", ("signed", "magnitude")),
        ("v0_temperature", ("auto", "proportional", "fixed")),
    ):
        if getattr(options, name) not in allowed:
            raise InputError(
                _flag(name), f"{getattr(options, name)!r} is not one of {', '.join(allowed)}"
            )
    if options.seed < 0:
        raise InputError("--seed", f"found {options.seed}, expected an integer of at least 0")
    if not options.device_name.strip() and not Path(options.data).is_dir():
        raise InputError("--name", "is empty; expected a name for the device")


def _check_ohms(value: float | str | None, flag: str) -> None:
    if value is None or value == "auto":
        return
    if isinstance(value, str):
        raise InputError(flag, f"found {value!r}, expected ohms above 0, or auto")
    if not 0 < value < float("inf"):
        raise InputError(flag, f"found {value:g}, expected ohms above 0")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
