"""The stages of the systems that train on conductances: synapses, and binarized networks."""

from __future__ import annotations

from typing import Any

from stochram.experiment import Experiment
from stochram.stage import Stage


def synapses(experiment: Experiment, quiet: bool) -> tuple[Stage, ...]:
    """The fit of a synapse, where there are pulse data, and the training on it."""
    train = Stage("train", ("synapses.nc", "conductances.npz"), *_synapses(experiment, quiet))
    if "synapse_fit" not in experiment.tables:
        return (train,)
    return (Stage("synapse", ("synapse.json",), *_synapse_fit(experiment, quiet)), train)


def binarized(experiment: Experiment, quiet: bool) -> Stage:
    """The training offline, and the chips it is mapped to."""

    def options() -> Any:
        from system.binarized.options import BinarizedOptions
        from system.images import image_source

        keys = dict(experiment.tables.get("binarized", {}))
        images = keys.pop("images", None)
        if "states" in keys:
            keys["states"] = tuple(keys["states"])
        return BinarizedOptions(
            device=experiment.output / "device.json",
            images=image_source(images, experiment.path.parent),
            network=experiment.network(keys.pop("network", BinarizedOptions.network)),
            output=experiment.output,
            seed=experiment.seed,
            quiet=quiet,
            **keys,
        )

    def record() -> dict[str, Any]:
        from system.binarized.options import stage_provenance

        return stage_provenance(options())

    def run() -> None:
        from system.binarized.stage import run as binarize

        binarize(options())

    return Stage("train", ("binarized.nc", "binarized.npz"), record, run)


def _synapse_fit(experiment: Experiment, quiet: bool) -> tuple[Any, Any]:
    def options() -> Any:
        from characterization.synapse.stage import SynapseFitOptions

        keys = dict(experiment.tables["synapse_fit"])
        columns = keys.pop("columns", None)
        return SynapseFitOptions(
            data=experiment.input_path(keys.pop("data")),
            output=experiment.output,
            mapping=tuple(keys.pop("map", ())),
            columns=None if columns is None else tuple(columns),
            header=not keys.pop("no_header", False),
            quiet=quiet,
            **keys,
        )

    def record() -> dict[str, Any]:
        from characterization.synapse.stage import stage_provenance

        return stage_provenance(options())

    def run() -> None:
        from characterization.synapse.stage import run as fit

        fit(options())

    return record, run


def _synapses(experiment: Experiment, quiet: bool) -> tuple[Any, Any]:
    fitted = experiment.output / "synapse.json" if "synapse_fit" in experiment.tables else None

    def options() -> Any:
        from system.images import image_source
        from system.synapses.options import SynapseOptions

        keys = dict(experiment.tables.get("synapses", {}))
        images, given = keys.pop("images", None), keys.pop("synapse", SynapseOptions.synapse)
        if given.endswith((".json", ".toml")):
            given = str(experiment.input_path(given))
        return SynapseOptions(
            synapse=given if fitted is None else str(fitted),
            images=image_source(images, experiment.path.parent),
            network=experiment.network(keys.pop("network", SynapseOptions.network)),
            output=experiment.output,
            seed=experiment.seed,
            quiet=quiet,
            **keys,
        )

    def record() -> dict[str, Any]:
        import json

        from system.synapses.options import stage_provenance

        chosen = options()
        chosen.check()
        return stage_provenance(chosen, json.dumps(chosen.device().to_dict()))

    def run() -> None:
        from system.synapses.stage import run as train

        train(options())

    return record, run
