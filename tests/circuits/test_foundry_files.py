"""A technology from files: what is read, and what is refused by name, file and line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from circuits.foundry import load_technology
from circuits.foundry.figures import transistor_figures
from circuits.foundry.freepdk45 import INSTALL, PACKAGE
from circuits.foundry.model_text import defined_models, only_needed, read_models
from circuits.simulator import Simulator
from devices.technology import CMOS40LP
from devices.technology.targets import TARGETS
from formats.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MODEL = ".model nlp nmos level=54"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.lib").write_text(text)
    return folder


# --- what comes in ---------------------------------------------------------------------------


def test_includes_and_sections_are_inlined_without_comments_or_paths(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(
        tmp_path,
        top="* title\n.LIB TT\n.param a=1 $ note\n.include 'sub/cards.inc'\n.endl\n"
        ".lib ff\n.param a=2\n.endl TT\n",
    )
    (tmp_path / "sub" / "cards.inc").write_text(
        f"{MODEL}\n+ toxe=2n ; thick\n\n.lib '../more.lib' x\n.end\n* after the end\n"
    )
    write(tmp_path, more=".lib x\n.func f(y) {y*2}\n.endl\n.lib z\n.func g(y) {y}\n.endl\n")
    text = read_models("top.lib:tt", tmp_path)
    assert text.splitlines() == [".param a=1", MODEL, "+ toxe=2n", ".func f(y) {y*2}"]
    assert read_models("top.lib:FF", tmp_path) == ".param a=2"
    assert read_models("top.lib", tmp_path) == ""
    assert str(tmp_path) not in text


def test_only_the_needed_models_stay_and_bins_with_them() -> None:
    text = ".model a.1 nmos l=1\n+ x=1\n.model A.2 nmos l=2\n.model b pmos\n+ y=2\n.model c d"
    assert only_needed(text, ["A"]) == ".model a.1 nmos l=1\n+ x=1\n.model A.2 nmos l=2"
    assert defined_models(text) == {"a.1", "a.2", "b", "c"}
    whole = ".param q=1\n" + text
    assert only_needed(whole, ["a"]) == whole


# --- what is refused -------------------------------------------------------------------------

REFUSED = {
    "control": (".control\nshell id\n.endc", r"line 2: '\.control' runs commands"),
    "upper case": ("  .CONTROL", r"line 2: '\.control' runs commands"),
    "exec": (".exec ls", r"line 2: '\.exec' runs commands"),
    "shell": ("shell rm x", "line 2: 'shell' runs programs"),
    "shell in a subcircuit": (".subckt a b\nshell rm x\n.ends", "line 3: 'shell' runs programs"),
    "system": ("system ls", "line 2: 'system' runs programs"),
    "codemodel": ("codemodel x.cm", "line 2: 'codemodel' loads program code"),
    "pre_osdi": ("pre_osdi x.osdi", "line 2: 'pre_osdi' loads program code"),
    "hidden command": ("*# shell id", r"line 2: '\*#' makes ngspice run commands"),
    "script mark": ("*ng_script", "line 2: '.*' makes ngspice run commands"),
    "analysis": (".tran 1n 1u", r"line 2: '\.tran' is refused"),
    "option": (".option scale=1e-6", r"line 2: '\.option' is refused"),
    "measure": (".meas tran x max v(a)", r"line 2: '\.meas' is refused"),
    "element outside": ("r1 a b 1k", "line 2: 'r1 a b 1k' is refused: outside a subcircuit"),
    "code model": (".subckt x a b\na1 a b m\n.ends", "line 3: element 'a1' is refused"),
    "file source": (".model m filesource (x=1)", "line 2: .model of type 'filesource'"),
    "digital source": (".model m d_source", "line 2: .model of type 'd_source'"),
    "type on the next line": (".model m\n+ d_source", "line 2: .model of type 'nothing'"),
    "file parameter": (f'{MODEL}\n+ input_file="/etc/passwd"', r"line 3: 'file=' opens a file"),
    "after the end": (f".end\n{MODEL}", r"line 3: '\.model nlp.*' stands after \.end"),
    "backtick": (".param a=`ls`", "line 2: holds a character"),
    "zero byte": (".param a=1\0", "line 2: holds a character"),
    "missing end": (".subckt a b\n", r"has a \.subckt without \.ends"),
    "another section's command": (".lib x\n.control\n.endl", r"line 3: '\.control'"),
    "itself": (".include m.lib", "includes itself"),
    "absent": (".include nothing.lib", "line 2: is not a file in the folder"),
    "above": (".include ../secret.lib", "line 2: leads outside the folder"),
    "absolute": (".include /etc/passwd", "line 2: leads outside the folder"),
    "absolute library": (".lib '/etc/passwd' tt", "line 2: leads outside the folder"),
    "link": (".include link.lib", "line 2: leads outside the folder"),
    "no name": (".include", "line 2: .include names no file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_model_data_is_refused_with_file_and_line(case: str, tmp_path: Path) -> None:
    text, message = REFUSED[case]
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret.lib").write_text(MODEL)
    (folder / "link.lib").symlink_to(tmp_path / "secret.lib")
    write(folder, m=f"* title\n{text}\n")
    with pytest.raises(InputError, match=message) as error:
        read_models("m.lib", folder)
    assert error.value.where.startswith("m.lib")
    assert str(tmp_path) not in str(error.value)


def test_a_model_file_that_is_none_is_refused_where_it_is_named(tmp_path: Path) -> None:
    path = example(tmp_path, '"technology_models.lib:ss"', '" "')
    with pytest.raises(InputError, match=r"t\.toml, at models\.corners\.ss: ' ': is not a"):
        load_technology(path)


def test_a_section_or_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, m=".lib tt\n.endl\n")
    with pytest.raises(InputError, match=r"m\.lib: has no section 'fs'"):
        read_models("m.lib:fs", tmp_path)
    with pytest.raises(InputError, match=r"\.\./x\.lib: leads outside"):
        read_models("../x.lib", tmp_path)
    with pytest.raises(InputError, match=r"n\.lib: is not a file"):
        read_models("n.lib", tmp_path)


# --- technology.toml -------------------------------------------------------------------------


def example(tmp_path: Path, old: str = "", new: str = "") -> Path:
    text = (EXAMPLES / "technology.toml").read_text()
    assert old in text
    (tmp_path / "technology_models.lib").write_bytes(
        (EXAMPLES / "technology_models.lib").read_bytes()
    )
    path = tmp_path / "t.toml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
def test_the_example_is_cmos40lp_through_files(corner: str) -> None:
    technology = load_technology(EXAMPLES / "technology.toml").at(corner, 358.0)
    ours = CMOS40LP.at(corner, 358.0)
    assert technology.models_text() == ours.models_text()
    for role, transistor in technology.transistors.items():
        same = ours.transistors[role]
        assert transistor.length == pytest.approx(same.length)
        assert technology.sigma_vt(role, 1e-6, 1e-6) == pytest.approx(
            ours.sigma_vt(role, 1e-6, 1e-6)
        )
        assert [transistor.ratings.of(p) for p in ("gs", "gd", "ds")] == [
            same.ratings.of(p) for p in ("gs", "gd", "ds")
        ]
    assert technology.io_area(1e-6) == pytest.approx(ours.io_area(1e-6))
    for cell, area in technology.gate_areas.items():
        if cell != "full_adder":  # the example states no published one
            assert area == pytest.approx(ours.gate_areas[cell], rel=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("supply_V = 1.1", "supply_V = 1.1\nvolts = 2", "'volts' was unexpected"),
        ("supply_V = 1.1", "", "'supply_V' is a required property"),
        ("supply_V = 1.1", "supply_V = -1", "at supply_V: -1 is less than"),
        ("length_nm = 40", "length = 40", "at nmos: .*'length' was unexpected"),
        ('model = "nlp"', 'model = "other"', "no file defines 'other' .nmos.; defined: n33, nlp"),
        ('model = "nlp"', 'model = "nlp w=1u"', "at nmos.model: "),
        ('default_io = "3.3"', 'default_io = "5"', "at default_io: '5' is not among"),
        ('folder = "."', 'folder = ".."', "at models.folder: leads outside"),
        ("technology_models.lib:tt", "../x.lib", "leads outside the folder"),
        ("technology_models.lib:tt", "technology_models.lib:xx", "has no section 'xx'"),
        ("schema = 1", "schema = ", "is not valid TOML"),
        ('source = "the', 'source = "\\n.control\\nthe', "at source: "),
        ("dff = 3.573", "flipflop = 3.573", "'flipflop' was unexpected"),
        ("length_nm = 350", "length_nm = 350\nlast = 1", r"at io.3\.3.nmos: .*'last'"),
    ],
)
def test_wrong_files_are_refused_by_key(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        load_technology(example(tmp_path, old, new))


def test_models_that_may_not_be_passed_on_are_the_default(tmp_path: Path) -> None:
    path = example(tmp_path, "redistributable = true", "")
    assert not load_technology(path).redistributable
    assert CMOS40LP.redistributable


def test_names_that_are_no_technology_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'cmos7' is unknown; expected cmos40lp, freepdk45, or"):
        load_technology("cmos7")
    with pytest.raises(InputError, match="no such file"):
        load_technology(tmp_path / "none.toml")
    assert load_technology("cmos40lp") is CMOS40LP


# --- freepdk45 -------------------------------------------------------------------------------


def test_without_its_package_freepdk45_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(InputError, match=f"needs the package {PACKAGE}.*run {INSTALL}"):
        load_technology("freepdk45")


def test_freepdk45_gives_the_currents_others_simulated_in_every_corner() -> None:
    try:
        technology = load_technology("freepdk45")
    except InputError as error:
        pytest.skip(str(error))
    assert technology.corners == ("tt", "ff", "ss")
    assert technology.io_classes == {"3.3": 3.3}
    assert "/" not in technology.models_text().replace("m/s", "")
    with Simulator() as simulator:
        for role in ("nmos", "pmos"):
            found = {
                c: transistor_figures(simulator, technology.at(c), role) for c in ("tt", "ff", "ss")
            }
            assert found["ss"].ion < found["tt"].ion < found["ff"].ion
            assert found["ss"].ioff < found["tt"].ioff < found["ff"].ioff
            for target in TARGETS["freepdk45"]:
                if target.role == role:
                    assert target.met_by(getattr(found["tt"], target.figure)), target
