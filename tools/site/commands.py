"""Hook of MkDocs: the page of all commands and options, asked of the commands themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add commands.md, written by ``command_tables.py`` in the program's own environment."""
    written = subprocess.run(
        [ROOT / ".venv/bin/python", ROOT / "tools/site/command_tables.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    files.append(File.generated(config, "commands.md", content=written.stdout))


def on_config(config: MkDocsConfig) -> None:
    """Add it to the navigation, before the reference."""
    config.nav.append({"Commands": "commands.md"})
