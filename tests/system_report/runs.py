"""Runs of the report command on synthetic files, and the page they write."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import h5py
import pytest

from system.report.cli import main

VOID = {"meta", "br", "link", "img", "hr", "input"}


def rewrite(cells_file: Path, **attributes: str) -> None:
    """Edit global texts of a cells.nc in place."""
    with h5py.File(cells_file, "a") as file:
        for name, text in attributes.items():
            file.attrs[name] = text


def run(cells: Path, training: Path, output: Path, *more: str) -> int:
    return main([str(cells), str(training), "-o", str(output), "-q", *more])


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["script"]:
            self.words.append(data)


def refused(capsys: pytest.CaptureFixture[str], code: int) -> str:
    """One line on standard error, exit code 2."""
    assert code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ")
    return error
