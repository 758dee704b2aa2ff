"""The stages as the chain sees them: what each depends on, what it writes, how it runs.

Imports are inside the functions: a chain that finds everything up to date starts neither JAX nor
PySpice.
"""

from __future__ import annotations

from typing import Any

from stochram.experiment import Experiment
from stochram.stage import Stage
from stochram.systems import binarized, synapses


def stages(experiment: Experiment, jobs: int, quiet: bool) -> tuple[Stage, ...]:
    """The stages of an experiment in their order."""
    trained = {
        "stochastic-computing": lambda: (_train(experiment, quiet),),
        "stochastic-synapses": lambda: synapses(experiment, quiet),
        "binarized": lambda: (binarized(experiment, quiet),),
    }[experiment.system]()
    return (
        _fit(experiment),
        _extract(experiment, jobs, quiet),
        *trained,
        _report(experiment, trained[-1].outputs[0]),
    )


def _fit(experiment: Experiment) -> Stage:
    def options() -> Any:
        from characterization.fit.stage import FitOptions

        keys = dict(experiment.tables["fit"])
        data = experiment.input_path(keys.pop("data"))
        columns = keys.pop("columns", None)
        into, hrs_iv = keys.pop("into", None), keys.pop("hrs_iv", None)
        return FitOptions(
            data=data,
            output=experiment.output,
            header=not keys.pop("no_header", False),
            columns=None if columns is None else tuple(columns),
            mapping=tuple(keys.pop("map", ())),
            thresholds=tuple(keys.pop("thresholds", ())),
            spread=not keys.pop("pool", False),
            fix=tuple(keys.pop("fix", ())),
            into=None if into is None else experiment.input_path(into),
            hrs_iv=None if hrs_iv is None else experiment.input_path(hrs_iv),
            seed=experiment.seed,
            **keys,
        )

    def record() -> dict[str, Any]:
        from characterization.fit.stage import stage_provenance

        return stage_provenance(options())

    def run() -> None:
        from characterization.fit.stage import run as fit

        fit(options())

    return Stage(
        "fit",
        (
            "device.json",
            "fit.json",
            "device.lib",
            "device.va",
            "fit.svg",
            "fit.html",
        ),
        record,
        run,
    )


def _extract(experiment: Experiment, jobs: int, quiet: bool) -> Stage:
    def options() -> Any:
        from characterization.extract.options import ExtractOptions

        keys = dict(experiment.tables["extract"])
        for name in (
            "reset_voltage_V",
            "compliance_gate_V",
            "io_width_m",
            "write_voltage_max_V",
            "supply_noise_V",
            "activation_energy_eV",
        ):
            if name in keys:
                keys[name.rpartition("_")[0]] = float(keys.pop(name))
        for name, short in (("pulse_width_s", "pulse_width"), ("temperatures_K", "temperatures")):
            if name in keys:
                given = keys.pop(name)
                keys[short] = tuple(map(float, given if isinstance(given, list) else [given]))
        for name in ("corners", "cells", "order"):
            if name in keys:
                keys[name] = tuple(keys[name])
        if keys.get("technology", "").endswith(".toml"):
            keys["technology"] = str(experiment.input_path(keys["technology"]))
        return ExtractOptions(
            device=experiment.output / "device.json",
            output=experiment.output,
            jobs=jobs,
            seed=experiment.seed,
            **keys,
        )

    def record() -> dict[str, Any]:
        from characterization.extract.stage import stage_provenance

        return stage_provenance(options())

    def run() -> list[str]:
        from characterization.extract.screen import incomplete
        from characterization.extract.stage import run as extract
        from characterization.extract.stage import step_count
        from formats.progress import steps

        chosen = options()
        with steps("extract", step_count(chosen), quiet) as progress:
            path = extract(chosen, progress)
        return incomplete(path)

    return Stage("extract", ("cells.nc", "cells.html"), record, run)


def _train(experiment: Experiment, quiet: bool) -> Stage:
    def options() -> Any:
        from system.images import image_source
        from system.train.options import TrainOptions

        keys = dict(experiment.tables.get("train", {}))
        images = keys.pop("images", None)
        for name in ("products", "scales"):
            keys[name] = tuple(keys.get(name, ()))
        if "network" in keys:
            keys["network"] = experiment.network(keys["network"])
        if "stream_life" in keys:
            keys["stream_life"] = str(keys["stream_life"])
        return TrainOptions(
            cells=experiment.output / "cells.nc",
            images=image_source(images, experiment.path.parent),
            output=experiment.output,
            seed=experiment.seed,
            quiet=quiet,
            **keys,
        )

    def record() -> dict[str, Any]:
        from system.train.options import stage_provenance

        return stage_provenance(options())

    def run() -> None:
        from system.train.stage import run as train

        train(options())

    return Stage("train", ("training.nc", "weights.npz"), record, run)


def _report(experiment: Experiment, trained: str) -> Stage:
    def options() -> Any:
        from system.report.stage import ReportOptions

        keys = dict(experiment.tables["report"])
        if keys.get("architecture", "").endswith(".toml"):
            keys["architecture"] = str(experiment.input_path(keys["architecture"]))
        if "frame_rate_Hz" in keys:
            keys["frame_rate"] = float(keys.pop("frame_rate_Hz"))
        if "dac_area_um2" in keys:
            keys["dac_area"] = keys.pop("dac_area_um2") * 1e-12
        if "dac_energy_pJ" in keys:
            keys["dac_energy"] = keys.pop("dac_energy_pJ") * 1e-12
        if "adc_area_um2" in keys:
            keys["adc_area"] = keys.pop("adc_area_um2") * 1e-12
        if "adc_energy_pJ" in keys:
            keys["adc_energy"] = keys.pop("adc_energy_pJ") * 1e-12
        return ReportOptions(
            cells=experiment.output / "cells.nc",
            training=experiment.output / trained,
            output=experiment.output,
            **keys,
        )

    def record() -> dict[str, Any]:
        from system.report.stage import stage_provenance

        return stage_provenance(options())

    def run() -> None:
        from system.report.stage import run as report

        report(options())

    return Stage("report", ("report.json", "report.html", "report.md"), record, run)
