"""A foundry's model files: read as data inside their folder, or refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.foundry.model_text import defined_models, only_needed, read_models
from formats.errors import InputError
from tests.bad_input.damage import TEXTS, cases, damaged, judged

WHOLE = """* a library
.lib tt
.param a=1 $ note
.model nlp nmos level=54
+ toxe=2n ; thick
.include 'cards.inc'
.endl tt
"""
CARDS = ".subckt one d g s b w=1u\nm1 d g s b inner w=w\n.model inner nmos level=54\n.ends\n"
WORDS = st.sampled_from(
    (
        *(".model", ".lib", ".include", ".inc", ".subckt", ".ends", ".end", ".endl", ".if"),
        *(".param", "nlp", "nmos", "level=54", "+", "m1", "d g s b", "tt", "'cards.inc'", "$"),
        *("top.lib", ".", "'", '"', "(", ")", "{", "=", "a=1", ";", "*", "*#", "\n", "\n", "\n"),
        *("../out.lib", "/etc/passwd", ".control", "shell", "file=x", "\x85", "\u2028", "\x0c"),
        *TEXTS[:12],
    )
)


def read(path: Path) -> set[str]:
    found: set[str] = set()
    for name in (path.name, f"{path.name}:tt"):
        try:
            text = read_models(name, path.parent)
        except InputError:
            if name.endswith(":tt"):
                raise
            continue
        assert not any(line.lstrip().startswith((".control", "*")) for line in text.splitlines())
        found |= defined_models(only_needed(text, ["nlp"]))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "cards.inc").write_text(CARDS)
    return folder


def test_a_whole_library_is_read(folder: Path) -> None:
    (folder / "top.lib").write_text(WHOLE)
    assert read(folder / "top.lib") == {"nlp", "one", "inner"}


@cases(200)
@given(damaged(WHOLE.encode()))
def test_damaged_libraries_are_read_or_refused(folder: Path, content: bytes) -> None:
    (folder / "top.lib").write_bytes(content)
    judged(read, folder / "top.lib", "cards.inc")


@cases(200)
@given(st.lists(WORDS, max_size=20))
def test_libraries_of_anything_are_read_or_refused(folder: Path, words: list[str]) -> None:
    text = ".lib tt\n" + " ".join(words)
    (folder / "top.lib").write_bytes(text.encode("utf-8", "surrogatepass"))
    judged(read, folder / "top.lib", "cards.inc")


@pytest.mark.parametrize(
    "path", ["../secret.lib", "/etc/passwd", "link.lib", "a\0b", "loop.lib", "", ".", "x" * 5000]
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret.lib").write_text(".param secret=1\n")
    (folder / "link.lib").symlink_to(tmp_path / "secret.lib")
    (folder / "loop.lib").symlink_to(folder / "loop.lib")
    (folder / "top.lib").write_text(f".include '{path}'\n")
    for name in (path, "top.lib"):
        with pytest.raises(InputError) as caught:
            read_models(name, folder)
        assert len(str(caught.value).splitlines()) == 1


def test_a_library_without_end_is_read_to_the_limit_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("circuits.foundry.model_text.LARGEST", 2**20)
    (tmp_path / "top.lib").write_bytes(b"* a comment\n" * 2**18)
    with pytest.raises(InputError, match=r"top.lib: and its includes hold more than 1 MiB"):
        read_models("top.lib", tmp_path)
