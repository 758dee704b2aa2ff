"""What the pages name exists: options, files they link to, and every command is documented."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.documents import commands
from tests.documents.blocks import PAGES, ROOT, blocks, inline_code, links

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FOREIGN = {"--no-deps", "--nthreads", "--nworkers"}  # of pip and dask
TOP_PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.fixture(scope="module")
def options() -> set[str]:
    return commands.options() | FOREIGN


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_options_that_a_page_names_exist(page: Path, options: set[str]) -> None:
    texts = inline_code(page) + [block.text for block in blocks(page) if block.language == "text"]
    named = {word for text in texts for word in re.findall(r"(?<![\w-])--[a-z][\w-]+\b(?!-)", text)}
    assert named <= options, named - options


@pytest.mark.parametrize("page", TOP_PAGES, ids=lambda page: page.name)
def test_links_out_of_the_site_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if not re.match(r"https?:", target):
            assert (page.parent / target.split("#")[0]).exists(), target


@pytest.fixture(scope="module")
def commands_page() -> str:
    path = ROOT / "tools" / "site" / "command_tables.py"
    spec = importlib.util.spec_from_file_location("command_tables", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.page())


def test_page_of_commands_has_every_option_with_a_text(
    commands_page: str, options: set[str]
) -> None:
    for option in options - FOREIGN - {"--help"}:
        assert re.search(rf"{option}[ ,<]", commands_page), option
    silent = re.findall(
        r"^\| <code>(.+?)</code> \|\s*(?:\[.*\]\s*)?\|$", commands_page, re.MULTILINE
    )
    assert not silent, f"no help text: {silent}"
