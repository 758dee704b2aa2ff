"""JSON and TOML files: each is read whole, or refused in one line that names it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from characterization.extract.check.kept import KeptBlocks
from circuits.foundry import load_technology
from devices.cbram import CBRAM
from devices.presets import PRESETS
from devices.subcircuit import library
from devices.synapse import PRESETS as SYNAPSES
from devices.synapse import Synapse
from devices.veriloga import veriloga
from formats.device import read_device
from formats.errors import InputError
from formats.json_file import dump, parse_json, read_text
from formats.synapse import read_synapse
from stochram.chain import MANIFEST, _read_manifest
from stochram.experiment import read_experiment
from system.architecture import preset_text
from system.architecture.file import read_architecture
from tests.bad_input.damage import ENCODINGS, as_json, as_toml, cases, changed, damaged, judged

ROOT = Path(__file__).resolve().parents[2]
BY_HAND = """
schema = 1
name = "mine"
g_max = 1e-5
g_min = 1e-6
potentiation = {levels = 32, nonlinearity = 0, sigma_step = 0.1}
depression = {levels = 32, nonlinearity = 0.5, sigma_step = 0.1}
"""
MODELS = "technology_models.lib"
RECORD: dict[str, Any] = {"stage": "preset", "inputs": {}, "options": {}, "seed": None}
RECORD |= {"source_sha256": "0" * 64, "versions": {}}


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, a whole one's text, and what reads it."""

    file: str
    whole: str
    read: Callable[[Path], Any]

    def content(self) -> Any:
        return (tomllib if self.file.endswith(".toml") else json).loads(self.whole)

    def written(self, content: Any) -> bytes:
        return (as_toml if self.file.endswith(".toml") else as_json)(content)


def device(path: Path) -> str:
    """The device as everything later uses it: as text for both simulators."""
    found = CBRAM.from_dict(read_device(path))
    return library(found) + veriloga(found)


def blocks(path: Path) -> Any:
    return KeptBlocks(path, "key").read()


def manifest(path: Path) -> Any:
    return _read_manifest(path.parent)


def kinds() -> dict[str, Kind]:
    presets = {
        name: json.dumps({**PRESETS[name]().to_dict(), "provenance": RECORD}) for name in PRESETS
    }
    found = {name: Kind("device.json", text, device) for name, text in presets.items()}
    whole = {**next(iter(SYNAPSES.values()))().to_dict(), "schema": 1, "provenance": RECORD}
    found["synapse.json"] = Kind("synapse.json", json.dumps(whole), read_conductances)
    found["synapse.toml"] = Kind("synapse.toml", BY_HAND, read_conductances)
    found["architecture"] = Kind(
        "architecture.toml", preset_text("unrolled-lenet5"), read_architecture
    )
    for example in ("demo", "synapses", "binarized"):
        text = (ROOT / "examples" / f"{example}.toml").read_text()
        found[example] = Kind("experiment.toml", text, read_experiment)
    text = (ROOT / "examples" / "technology.toml").read_text()
    found["technology"] = Kind("technology.toml", text, load_technology)
    entry = {"key": "0" * 64, "outputs": {"device.json": "1" * 64}}
    found["manifest"] = Kind(MANIFEST, json.dumps({"fit": entry}), manifest)
    block = json.dumps(["key", 3, [1, 2], [[1e-12, 2e-12, 3e-12]] * 2])
    found["blocks"] = Kind("blocks.json", block, blocks)
    return found


def read_conductances(path: Path) -> Synapse:
    return Synapse.from_dict(read_synapse(path))


KINDS = kinds()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    (folder / MODELS).write_bytes((ROOT / "examples" / MODELS).read_bytes())
    return folder


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", KINDS)
def test_whole_files_are_read(folder: Path, name: str) -> None:
    kind = KINDS[name]
    kind.read(put(folder, kind.file, kind.whole.encode()))
    kind.read(put(folder, kind.file, kind.written(kind.content())))


@pytest.mark.parametrize("name", KINDS)
def test_changed_contents_are_read_or_refused(folder: Path, name: str) -> None:
    kind = KINDS[name]
    content = kind.content()

    @cases(40)
    @given(st.data())
    def each(data: st.DataObject) -> None:
        changes = data.draw(changed(content))
        judged(kind.read, put(folder, kind.file, kind.written(changes)), MODELS)

    each()


@pytest.mark.parametrize("name", KINDS)
def test_damaged_texts_are_read_or_refused(folder: Path, name: str) -> None:
    kind = KINDS[name]

    @cases(25)
    @given(damaged(kind.whole.encode()))
    def each(content: bytes) -> None:
        judged(kind.read, put(folder, kind.file, content), MODELS)

    each()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_texts_in_other_encodings_are_read_or_refused(folder: Path, encoding: str) -> None:
    for kind in KINDS.values():
        content = ENCODINGS[encoding](kind.whole)
        found = judged(kind.read, put(folder, kind.file, content), MODELS)
        if encoding in ("byte-order mark", "Windows"):
            assert found is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 900 + "1" + "}" * 900, "nested too deeply"),
        ('{"a": 1e999}', "number is inf"),
        ('{"a": {"b": %s}}' % ("9" * 400), "at a.b: the whole number needs more than 64 bits"),
        ('{"a": %s}' % ("9" * 5000), "not valid JSON"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is given twice"),
        (r'{"a": "x\ud800"}', r"at a: the character U\+D800 is not allowed"),
        (r'{"a\u0000": 1}', r"the character U\+0000 is not allowed"),
    ],
)
def test_what_json_allows_and_no_file_needs_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"device.json: .*{told}"):
        parse_json(text, "device.json")


@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_deep_toml_is_refused(folder: Path, depth: int) -> None:
    path = put(folder, "deep.toml", b"a = " + b"[" * depth + b"]" * depth)
    for read in (read_experiment, read_architecture, load_technology, read_synapse):
        with pytest.raises(InputError, match=r"deep\.toml: is nested too deeply"):
            read(path)


@cases(200)
@given(st.data())
def test_what_passes_can_be_written_again(data: st.DataObject) -> None:
    """No later stage meets a number, a text or a depth that it cannot write."""
    text = as_json(data.draw(changed({"a": [1, {"b": "x"}], "c": 2.5}))).decode()
    try:
        content = parse_json(text, "some.json")
    except InputError:
        return
    assert parse_json(dump(content), "again.json") == content
    dump(content).encode()


@pytest.mark.parametrize("name", ["folder", "absent", "too/long" * 100])
def test_what_is_no_file_is_refused(folder: Path, name: str) -> None:
    (folder / "folder").mkdir(exist_ok=True)
    with pytest.raises(InputError, match="cannot be read"):
        read_text(folder / name)


def test_an_endless_file_is_read_to_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formats.json_file.LARGEST_FILE", 2**20)
    with pytest.raises(InputError, match="/dev/zero: is larger than 1 MiB"):
        read_text(Path("/dev/zero"))


def test_a_name_with_a_line_break_stays_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines\x1b[2J.json"
    path.write_text("{")
    with pytest.raises(InputError) as caught:
        read_device(path)
    assert "two\\nlines\\x1b[2J.json: is not valid JSON" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
