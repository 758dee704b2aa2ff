"""Words of the command line become values of the options' types; what is none is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from formats.errors import InputError
from system.sweep.cell import cell_name
from system.sweep.grid import Setting, read_grid
from system.sweep.values import members, value_of


@dataclass(frozen=True)
class Options:
    cells: Path
    stream_length: int = 256
    train_images: int | None = None
    mac: str | None = None
    rate: float = 0.1
    fast: bool = False
    mode: Literal["moments", "exact"] = "moments"
    hidden: tuple[int, ...] = ()
    span: tuple[float, str] | None = None
    table: dict[str, int] | None = None
    output: Path = Path("out")
    quiet: bool = False


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("16", int, 16),
        ("1e4", int, 10_000),
        ("-3", int, -3),
        ("none", int | None, None),
        ("None", str | None, None),
        ("7", int | None, 7),
        ("0.1", float, 0.1),
        ("1e-3", float | None, 1e-3),
        ("true", bool, True),
        ("False", bool, False),
        ("7", str, "7"),
        ("7", int | str, 7),
        ("use", int | str, "use"),
        ("exact", Literal["moments", "exact"], "exact"),
        ("128,64", tuple[int, ...], (128, 64)),
        ("0.5,a", tuple[float, str] | None, (0.5, "a")),
    ],
)
def test_a_text_is_read_as_the_type_of_its_option(text: str, hint: Any, value: Any) -> None:
    found = value_of(text, hint)
    assert type(found) is type(value) and found == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.5", int),
        ("inf", int),
        ("nan", int),
        ("none", int),
        ("yes", bool),
        ("1", bool),
        ("", str),
        ("fast", Literal["moments", "exact"]),
        ("1,x", tuple[int, ...]),
        ("1,a,b", tuple[float, str]),
        ("1", dict[str, int]),
    ],
)
def test_a_text_that_is_none_of_the_type_is_refused(text: str, hint: Any) -> None:
    with pytest.raises(ValueError):
        value_of(text, hint)


def test_paths_are_seen_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert value_of("a/b.nc", Path) == tmp_path / "a/b.nc"
    assert members(str | Path | None) == (type(None), Path, str)
    assert value_of("digits", str | Path) == "digits"
    (tmp_path / "digits").mkdir()
    assert value_of("digits", str | Path) == tmp_path / "digits"


def test_the_grid_is_the_product_in_the_order_given() -> None:
    vary = ("stream_length=16, 32", "mac=a,none", "hidden=128,64;8")
    grid = read_grid(Options, vary, ("train-images=1e4", "--rate=1"))
    cells = [{n: s.value for n, s in cell.items()} for cell in grid.cells()]
    assert len(cells) == 8
    assert cells[0] == {"stream_length": 16, "mac": "a", "hidden": (128, 64)}
    assert cells[-1] == {"stream_length": 32, "mac": None, "hidden": (8,)}
    assert {n: s.value for n, s in grid.fixed.items()} == {"train_images": 10_000, "rate": 1.0}


@pytest.mark.parametrize(
    ("vary", "fixed", "words"),
    [
        (["stream_lenght=16"], [], "did you mean stream_length"),
        (["zzz=1"], [], "there is cells, stream_length"),
        (["stream_length"], [], "NAME=VALUE"),
        (["stream_length="], [], "expected a whole number"),
        (["stream_length=16,,32"], [], "expected a whole number"),
        (["stream_length=16,016"], [], "16 is given twice"),
        (["mac=a,b"], ["mac=c"], "twice"),
        (["mac=a", "mac=b"], [], "twice"),
        (["train_images=many"], [], "none or a whole number"),
        (["mode=fast"], [], "moments or exact"),
        (["output=a,b"], [], "set by the sweep itself"),
        ([], ["quiet=true"], "set by the sweep itself"),
        (["table=1"], [], "cannot be given on a command line"),
    ],
)
def test_a_mistake_is_named_with_what_is_expected(
    vary: list[str], fixed: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        read_grid(Options, vary, fixed)


def test_folder_names_are_readable_safe_short_distinct_and_the_same_in_any_order() -> None:
    def named(**texts: str) -> str:
        return cell_name({name: Setting(text, text) for name, text in texts.items()})

    assert named(stream_length="16", mac="x_y") == "mac=x_y,stream_length=16"
    assert named(mac="x_y", stream_length="16") == "mac=x_y,stream_length=16"
    assert named(rate="-0.001") == "rate=-0.001"
    texts = ["../../etc", "a/b", "a b", "a:b", "a=b", "a,b", ".", "..", "é", "x" * 300, "x" * 301]
    names = [named(images=text) for text in texts]
    assert len(set(names)) == len(names)
    for name in names:
        assert Path(name).name == name and name.isascii() and len(name) < 60
    many = {f"option{n}": Setting("x" * 30, "") for n in range(40)}
    assert len(cell_name(many)) < 200
    assert cell_name(many) != cell_name({**many, "option39": Setting("y", "")})
