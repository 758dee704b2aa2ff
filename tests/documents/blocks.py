"""The code blocks of README.md and docs/, with what a comment before one says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_REASON = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    ``title``: the file that the page calls it, or "prints": what the block before it prints;
    ``reason``: why the tests do not run it, None where they do; ``fenced``: False for an indented
    block, which names no language.
    """

    page: str
    line: int
    language: str
    title: str | None
    reason: str | None
    text: str
    fenced: bool = True

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All code blocks of a page, in order."""
    found: list[Block] = []
    reason: str | None = None
    for token in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        if token.type == "html_block":
            said = _REASON.search(token.content)
            reason = " ".join(said[1].split()) if said else None
        elif token.type in ("fence", "code_block"):
            language, _, rest = token.info.strip().partition(" ")
            title = _TITLE.search(rest)
            name, line = str(page.relative_to(ROOT)), token.map[0] + 1 if token.map else 0
            called = title[1] if title else None
            fenced = token.type == "fence"
            found.append(Block(name, line, language, called, reason, token.content, fenced))
            reason = None
        elif token.type.endswith("_open"):
            reason = None
    return found


def inline_code(page: Path) -> list[str]:
    """The contents of all code spans of a page, in order."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or ()]
    return [child.content for child in inner if child.type == "code_inline"]


def links(page: Path) -> list[str]:
    """The targets of all links and pictures of a page, in order."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or ()]
    return [
        str(child.attrs[key]) for child in inner for key in ("href", "src") if key in child.attrs
    ]


def command_lines(text: str) -> list[str]:
    """The lines of a shell block, continued ones joined, without comments and empty ones."""
    joined = text.replace("\\\n", " ").split("\n")
    return [line.strip() for line in joined if line.strip() and not line.strip().startswith("#")]
