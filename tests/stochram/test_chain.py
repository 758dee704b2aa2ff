"""The chain redoes only what changed, and never overwrites a user's edit unasked."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from formats.atomic import write_text
from formats.errors import InputError
from formats.provenance import sha256_file
from stochram.chain import MANIFEST, run_chain
from stochram.cli import STAGES, main
from stochram.experiment import read_experiment
from stochram.stage import Stage
from stochram.stages import stages

ROOT = Path(__file__).resolve().parent.parent.parent


def toy_chain(folder: Path, options: dict[str, int]) -> tuple[Stage, Stage]:
    """Two stages: b.txt is made from a.txt."""

    def write_a() -> None:
        (folder / "a.txt").write_text(f"a {options['a']}")

    def write_b() -> None:
        text = (folder / "a.txt").read_text()
        (folder / "b.txt").write_text(f"{text} b {options['b']}")

    return (
        Stage("first", ("a.txt",), lambda: {"a": options["a"]}, write_a),
        Stage(
            "second",
            ("b.txt",),
            lambda: {"b": options["b"], "input": sha256_file(folder / "a.txt")},
            write_b,
        ),
    )


def quiet(_: str) -> None:
    """Say nothing."""


def test_only_what_changed_is_redone(tmp_path: Path) -> None:
    options = {"a": 1, "b": 1}
    chain = toy_chain(tmp_path, options)
    assert run_chain(chain, tmp_path, quiet) == ["first", "second"]
    assert run_chain(chain, tmp_path, quiet) == []
    options["b"] = 2
    assert run_chain(chain, tmp_path, quiet) == ["second"]
    options["a"] = 2
    assert run_chain(chain, tmp_path, quiet) == ["first", "second"]
    (tmp_path / "b.txt").unlink()
    assert run_chain(chain, tmp_path, quiet) == ["second"]
    assert (tmp_path / "b.txt").read_text() == "a 2 b 2"


def test_an_edited_output_is_kept_unless_forced(tmp_path: Path) -> None:
    options = {"a": 1, "b": 1}
    chain = toy_chain(tmp_path, options)
    run_chain(chain, tmp_path, quiet)
    (tmp_path / "a.txt").write_text("mine")
    for wanted in (2, 1):  # also where other options would have made it anew
        options["a"] = wanted
        with pytest.raises(InputError, match=r"a.txt: was changed since the first stage"):
            run_chain(chain, tmp_path, quiet)
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert run_chain(chain, tmp_path, quiet, force=True) == ["first"]


def test_a_stage_that_fails_is_run_again(tmp_path: Path) -> None:
    first, second = toy_chain(tmp_path, {"a": 1, "b": 1})

    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_chain((first, Stage("second", ("b.txt",), second.record, fail)), tmp_path, quiet)
    assert run_chain((first, second), tmp_path, quiet) == ["second"]


def test_a_stage_whose_results_lack_something_is_run_again_until_they_are_whole(
    tmp_path: Path,
) -> None:
    first, second = toy_chain(tmp_path, {"a": 1, "b": 1})
    lacking = [["missing: sng at ss, 300 K"], ["missing: sng at ss, 300 K"], []]

    def partly() -> list[str]:
        first.run()
        return lacking.pop(0)

    said: list[str] = []
    partial = Stage("first", ("a.txt",), first.record, partly)
    assert run_chain((partial, second), tmp_path, said.append) == ["first", "second"]
    assert any("first: INCOMPLETE" in line for line in said)
    assert run_chain((partial, second), tmp_path, quiet) == ["first"]
    assert run_chain((partial, second), tmp_path, quiet) == ["first"]
    assert run_chain((partial, second), tmp_path, quiet) == []


def test_run_ends_with_1_and_names_what_ngspice_could_not_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each time, until the cells are whole: a script must not go on with half a table."""
    report = json.dumps({"totals": {}, "accuracy": {"networks": []}})
    lacking = [["missing: sng at ss, 300 K"], ["missing: sng at ss, 300 K"], []]
    chain = (
        Stage("extract", (), dict, lambda: lacking[0]),
        Stage("report", (), dict, lambda: write_text(tmp_path / "report.json", report)),
    )
    monkeypatch.setattr("stochram.stages.stages", lambda *_: chain)
    monkeypatch.setattr("characterization.extract.screen.incomplete", lambda _: lacking.pop(0))
    path = tmp_path / "experiment.toml"
    path.write_text('[fit]\ndata = "d.csv"\n')
    (tmp_path / "d.csv").touch()
    for code, error in (
        (1, "missing: sng at ss, 300 K\n"),
        (1, "missing: sng at ss, 300 K\n"),
        (0, ""),
    ):
        assert main(["run", str(path), "-o", str(tmp_path)]) == code
        assert capsys.readouterr().err == error


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text('{"first": 3}')
    with pytest.raises(InputError, match="manifest"):
        run_chain(toy_chain(tmp_path, {"a": 1, "b": 1}), tmp_path, quiet)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", "not valid TOML"),
        ("[fit]\n", "'data' is a required property"),
        ('[fit]\ndata = "d.csv"\ncolour = 1', "colour"),
        ('colour = 1\n[fit]\ndata = "d.csv"', "colour"),
        ('seed = "one"\n[fit]\ndata = "d.csv"', "seed"),
        ('[fit]\ndata = "d.csv"\n[extract]\npulse-width = 1', "did you mean pulse_width_s?"),
        ('[fit]\ndata = "d.csv"\n[fit-synapse]\ndata = "p.csv"', "or synapse_fit?"),
        ('[fit]\ndata = "d.csv"\n[extract]\nzzz = 1', "there is technology, corners, "),
        ('[fit]\ndata = "d.csv"\n[extract]\ncells = ","', "expected a list of names"),
        ('[fit]\ndata = "nowhere.csv"', "nowhere.csv"),
        ('[fit]\ndata = "d.csv"\n[train]\nstream_length = 0.5', "stream_length"),
        ('[fit]\ndata = "d.csv"\n[train]\nmode = "fast"', "mode"),
        ('[fit]\ndata = "d.csv"\n[train]\nstream_life = []', "stream_life"),
    ],
)
def test_bad_experiments_exit_with_2_and_one_line(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(text)
    assert main(["run", str(path), "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_experiment_paths_start_from_its_own_folder() -> None:
    experiment = read_experiment(ROOT / "examples" / "demo.toml")
    assert experiment.input_path(experiment.tables["fit"]["data"]).is_file()
    assert [stage.name for stage in stages(experiment, 1, True)] == [
        "fit",
        "extract",
        "train",
        "report",
    ]


def test_stream_rules_of_an_experiment_are_those_of_the_command(tmp_path: Path) -> None:
    """A life may be a word or a number; the record of the stage holds the texts."""
    path = tmp_path / "experiment.toml"
    path.write_text(
        '[fit]\ndata = "d.csv"\n[train]\nstream_life = 4\nsng_sharing = "turns:2"\nmode = "exact"\n'
    )
    (tmp_path / "cells.nc").write_text("cells")
    train = stages(read_experiment(path, tmp_path), 1, True)[2]
    options = train.record()["options"]
    assert (options["stream_life"], options["sng_sharing"]) == ("4", "turns:2")
    assert options["mode"] == "exact"


def test_units_in_the_names_of_report_keys_become_si(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "experiment.toml", list[Any]()
    path.write_text(
        '[fit]\ndata = "d.csv"\n[report]\nframe_rate_Hz = 30\ndac_area_um2 = 2500\n'
        "dac_energy_pJ = 1.5\nadc_area_um2 = 400\nadc_energy_pJ = 0.2\n"
    )
    monkeypatch.setattr("system.report.stage.run", seen.append)
    stages(read_experiment(path, tmp_path), 1, True)[-1].run()
    (given,) = seen
    assert given.frame_rate == 30
    found = (given.dac_area, given.dac_energy, given.adc_area, given.adc_energy)
    assert found == pytest.approx((2500e-12, 1.5e-12, 400e-12, 0.2e-12), rel=1e-9, abs=0.0)


def test_small_experiment_runs_end_to_end_and_then_only_what_changed(
    quickly: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All four real stages on few images; a second run does nothing, a new frame rate one."""
    data = ROOT / "examples" / "knag2014_pulses.csv"
    text = (
        f'seed = 3\n[fit]\ndata = "{data}"\n[extract]\npoints = 3\ncells = []\n'
        "[train]\ntrain_images = 64\ntest_images = 40\nexact_images = 10\nepochs = 1\n"
    )
    path, output = tmp_path / "experiment.toml", tmp_path / "out put"
    path.write_text(text)
    command = ["run", str(path), "-o", str(output)]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert first.count("running") == 4
    assert "area_mm2" in first
    digests = {p.name: sha256_file(p) for p in output.iterdir() if p.is_file()}
    assert main(command) == 0
    assert capsys.readouterr().out.count("up to date") == 4
    path.write_text(f"{text}[report]\nframe_rate_Hz = 0.5\n")
    assert main(command) == 0
    second = capsys.readouterr().out
    assert second.count("up to date") == 3
    assert "report: running" in second
    for name in ("device.json", "cells.nc", "training.nc", "weights.npz"):
        assert sha256_file(output / name) == digests[name]
    assert sha256_file(output / "report.json") != digests["report.json"]


def test_the_command_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"stochram {version('stochram')}\n"


def test_no_command_lists_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listed = [
        line.split()[0] for line in capsys.readouterr().out.split("Commands:")[1].splitlines()[1:]
    ]
    assert listed == ["run", "engine", "preset", *STAGES]


def test_an_unknown_command_hints_at_a_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fitt"]) == 2
    assert "Did you mean 'fit'?" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["run", "fit", "train"])
def test_the_help_of_a_command_bears_its_name(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0
    assert f"Usage: stochram {name} [OPTIONS]" in capsys.readouterr().out


def test_files_of_a_stage_killed_between_two_of_them_are_no_edit(tmp_path: Path) -> None:
    """It runs again by itself, and its earlier files are not taken for up to date."""
    options, killed = {"a": 1}, {"now": False}

    class Killed(BaseException):
        """Nothing is tidied up after it."""

    def write() -> None:
        (tmp_path / "one.txt").write_text(f"{options['a']}")
        if killed["now"]:
            raise Killed
        (tmp_path / "two.txt").write_text(f"{options['a']}")

    chain = (Stage("pair", ("one.txt", "two.txt"), lambda: dict(options), write),)
    run_chain(chain, tmp_path, quiet)
    options["a"], killed["now"] = 2, True
    with pytest.raises(Killed):
        run_chain(chain, tmp_path, quiet)
    assert (tmp_path / "two.txt").read_text() == "1"
    killed["now"] = False
    for wanted in (1, 2):  # also back to the options of the files that were there
        options["a"] = wanted
        assert run_chain(chain, tmp_path, quiet) == ["pair"]
        assert (tmp_path / "two.txt").read_text() == f"{wanted}"
