"""experiment.toml for the systems that train on conductances."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from characterization.extract.library import COLUMN
from characterization.synapse.stage import SynapseFitOptions
from devices.presets import knag2014
from formats.errors import InputError
from formats.json_file import schema
from stochram.experiment import read_experiment
from stochram.stages import stages
from system.binarized.options import BinarizedOptions
from system.synapses.options import SynapseOptions

FIT = '[fit]\ndata = "d.csv"\n'
BY_RUN = {"device", "output", "seed", "quiet", "fresh"}
"""Options that the run gives itself."""
PULSES = "device,voltage_V,r_after_ohm\n" + "".join(
    f"{d},{v},{1 / (1e-6 + 1e-6 * k):.6g}\n"
    for d in "ab"
    for v, levels in ((1.0, range(1, 9)), (-1.0, range(7, -1, -1)))
    for k in levels
)


def experiment(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "experiment.toml"
    path.write_text(text)
    return read_experiment(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("table", "options", "renamed"),
    [
        ("synapses", SynapseOptions, {}),
        ("binarized", BinarizedOptions, {}),
        ("synapse_fit", SynapseFitOptions, {"mapping": "map", "header": "no_header"}),
    ],
)
def test_every_option_of_a_stage_is_a_key_of_its_table(
    table: str, options: Any, renamed: dict[str, str]
) -> None:
    keys = set(schema("experiment")["properties"][table]["properties"])
    wanted = {renamed.get(one.name, one.name) for one in fields(options)} - BY_RUN
    assert keys == wanted


@pytest.mark.parametrize(
    ("text", "names", "last"),
    [
        (FIT, ["fit", "extract", "train", "report"], "training.nc"),
        (
            f'system = "stochastic-synapses"\n{FIT}',
            ["fit", "extract", "train", "report"],
            "synapses.nc",
        ),
        (
            f'system = "stochastic-synapses"\n{FIT}[synapse_fit]\ndata = "p.csv"\n',
            ["fit", "extract", "synapse", "train", "report"],
            "synapses.nc",
        ),
        (f'system = "binarized"\n{FIT}', ["fit", "extract", "train", "report"], "binarized.nc"),
    ],
)
def test_a_system_is_its_stages(tmp_path: Path, text: str, names: list[str], last: str) -> None:
    found = stages(experiment(tmp_path, text), 1, True)
    assert [stage.name for stage in found] == names
    assert found[-2].outputs[0] == last


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{FIT}[synapses]\nlevels = 8\n", r"\[synapses\] is of system 'stochastic-synapses'"),
        (f'system = "binarized"\n{FIT}[train]\nepochs = 1\n', r"\[train\] is of system"),
        (f'system = "analog"\n{FIT}', "system"),
        (
            f'system = "stochastic-synapses"\n{FIT}[synapse_fit]\ndata = "p.csv"\n'
            '[synapses]\nsynapse = "mine.toml"\n',
            "expected one of both",
        ),
        (f'system = "binarized"\n{FIT}[binarized]\nmapping = "both"\n', "mapping"),
        (
            f'system = "binarized"\n{FIT}[extract]\ncells = ["xor2"]\n',
            rf"\[extract\] cells lacks '{COLUMN}'",
        ),
        (
            f'system = "stochastic-synapses"\n{FIT}[extract]\ncells = []\n',
            rf"\[extract\] cells lacks '{COLUMN}'",
        ),
    ],
)
def test_tables_of_another_system_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        experiment(tmp_path, text)


def test_a_fitted_synapse_is_the_one_that_is_trained_on(tmp_path: Path) -> None:
    """Paths from the file's folder; the record of the training knows the fit's result."""
    (tmp_path / "p.csv").write_text(PULSES)
    text = (
        f'seed = 5\nsystem = "stochastic-synapses"\n{FIT}[synapse_fit]\ndata = "p.csv"\n'
        '[synapses]\nimages = "digits"\nnetwork = "mlp"\nepochs = 1\nsigma_step = 0.5\n'
    )
    _, _, fit, train, _ = stages(experiment(tmp_path, text), 1, True)
    fit.run()
    record = train.record()
    assert json.loads((tmp_path / "out" / "synapse.json").read_text())["name"]
    assert record["seed"] == 5 and record["options"]["sigma_step"] == 0.5
    other = stages(
        experiment(tmp_path, text.replace('data = "p.csv"', 'data = "p.csv"\ng_max = 2e-5')),
        1,
        True,
    )[2]
    assert other.record() != fit.record()
    other.run()
    assert train.record()["inputs"]["synapse"] != record["inputs"]["synapse"]


def test_a_network_of_ones_own_is_found_from_the_files_folder(tmp_path: Path) -> None:
    text = f'system = "binarized"\n{FIT}[binarized]\nnetwork = "net.py:Mine"\nstates = ["10:0.3"]\n'
    (tmp_path / "net.py").write_text("Mine = None\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "device.json").write_text(json.dumps(knag2014().to_dict()))
    train = stages(experiment(tmp_path, text), 1, True)[2]
    assert train.record()["options"]["network_file"]
    assert train.record()["options"]["states"] == ("10:0.3",)
