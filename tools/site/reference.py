"""Hook of MkDocs: a page of reference for each package, which mkdocstrings writes.

The docstrings are read from the sources, which are never imported; ``roles.py`` makes links.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("formats", "devices", "circuits", "characterization", "system", "stochram")
_INTRODUCTION = """# Reference

Written from the docstrings: what a function does, shapes, units, the errors it raises, and the
source of its formula; the code stands below each. SI units throughout.

"""


def packages() -> list[str]:
    """Dotted names of our packages, in order, those without public modules left out."""
    found = {path.parent for top in PACKAGES for path in (ROOT / top).rglob("*.py")}
    return sorted(str(path.relative_to(ROOT)).replace("/", ".") for path in found)


def modules(package: str) -> list[str]:
    """The package and its public modules, dotted."""
    folder = ROOT / package.replace(".", "/")
    names = [path.stem for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")]
    own = [package] if (folder / "__init__.py").exists() else []
    return own + [f"{package}.{name}" for name in names]


def on_config(config: MkDocsConfig) -> None:
    """Add the reference to the navigation, a section for each top-level package."""
    sections: list[Any] = ["reference/index.md"]
    for top in PACKAGES:
        within = [name for name in packages() if name.split(".")[0] == top]
        sections.append({top: [{name: _page(name)} for name in within]})
    config.nav.append({"Reference": sections})


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages themselves."""
    index = _INTRODUCTION + "".join(
        f"- [{name}]({_page(name).removeprefix('reference/')})\n" for name in packages()
    )
    files.append(File.generated(config, "reference/index.md", content=index))
    for name in packages():
        body = "".join(f"::: {module}\n{_options(module)}\n" for module in modules(name))
        text = f"---\nsearch:\n  boost: 0.5\n---\n\n# {name}\n\n{body}"
        files.append(File.generated(config, _page(name), content=text))


def _options(module: str) -> str:
    """A package lists what it defines itself; what it passes on stands under its own module."""
    path = ROOT / module.replace(".", "/") / "__init__.py"
    if not path.exists():
        return ""
    kinds = (ast.FunctionDef, ast.ClassDef)
    own = [each.name for each in ast.parse(path.read_text()).body if isinstance(each, kinds)]
    return f"    options:\n      members: {json.dumps(own) if own else 'false'}\n"


def _page(package: str) -> str:
    return f"reference/{package}.md"
