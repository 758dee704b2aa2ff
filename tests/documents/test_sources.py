"""The page of sources lists what the laws themselves cite."""

from __future__ import annotations

import re

import pytest

from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from tests.documents.blocks import ROOT

PAGE = (ROOT / "docs" / "theory" / "sources.md").read_text()
LAWS = {**FAMILIES, **ACCELERATIONS}


@pytest.mark.parametrize("name", LAWS)
def test_source_of_a_law_is_on_the_page(name: str) -> None:
    for cited in LAWS[name].source.split("; "):
        short = re.split(r":|, on | \(quoted|, ch\.", cited)[0]
        assert short in PAGE, short
