"""Names of a package that are loaded when they are asked for.

``python -m package`` loads the package before its ``__main__``: what it loads at once is seconds
in which Ctrl-C is Python's alone to answer, with a traceback.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def names_from(package: str, places: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """A ``__getattr__`` for ``package``: its modules, and the names to take from each."""
    module_of = {name: module for module, names in places.items() for name in names}

    def found(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)

    return found
