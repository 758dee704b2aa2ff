"""The table of elements: complete, and the one the documentation shows."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from system.elements import gates, machines
from system.elements.registry import ELEMENTS, Element, table

DOCS = Path(__file__).resolve().parents[2] / "docs" / "elements.md"


@pytest.mark.parametrize("element", ELEMENTS.values(), ids=lambda e: e.name)
def test_an_element_has_moments_or_says_why_not_and_cites_its_source(element: Element) -> None:
    assert element.moments is not None or element.exact_mode_only
    assert callable(element.make)
    assert element.source
    assert element.computes


def test_every_gate_and_every_machine_stands_in_the_table() -> None:
    listed = {element.make for element in ELEMENTS.values()}
    for module in (gates, machines):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                assert function in listed or name == "btanh_states", name


def test_the_documentation_shows_this_table() -> None:
    assert table() in DOCS.read_text()
