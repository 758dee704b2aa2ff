"""Extension of griffe: a Sphinx role in a docstring becomes a link to what it names.

A name is looked up where the docstring stands, as Python would: in the class, the module and its
imports; then among the errors of ``formats.errors``, which pass through modules that do not import
them; else it must be a dotted path. One that names nothing is a warning, so the build fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from griffe import Class, Extension, Function, Module, NameResolutionError, Object, get_logger

_ROLE = re.compile(r":(?:func|class|meth|mod|attr|data):`~?([\w.]+)`")
_log = get_logger("roles")


class SphinxRoles(Extension):
    """Rewrite the roles of every docstring of ours, once the package is loaded."""

    def on_package(self, *, pkg: Module, loader: Any, **_: Any) -> None:
        """Visit everything in the package."""
        exists = _existence(loader)
        for module in _within(pkg):
            if module.docstring:
                module.docstring.value = _ROLE.sub(
                    lambda found, module=module: _link(found[1], module, exists),
                    module.docstring.value,
                )


def _within(thing: Object) -> list[Object]:
    """The object and all its own members, without what it imports."""
    own = [member for member in thing.members.values() if not member.is_alias]
    inner = [each for member in own for each in _within(member)]  # type: ignore[arg-type]
    return [thing, *inner]


def _existence(loader: Any) -> Callable[[str], bool]:
    """Whether a dotted path names something of ours."""

    def exists(path: str) -> bool:
        try:
            loader.modules_collection[path]
        except (KeyError, AttributeError):
            top = path.split(".", maxsplit=1)[0]
            return top not in loader.modules_collection.members
        return True

    return exists


def _link(name: str, place: Object, exists: Callable[[str], bool]) -> str:
    path = _path(name, place)
    if not exists(path):
        _log.warning(f"{place.path}: the docstring names {name}, which is not found")
        return f"`{name}`"
    return f'<autoref identifier="{path}" optional><code>{name}</code></autoref>'


def _path(name: str, place: Object) -> str:
    in_class = isinstance(place, Function) and isinstance(place.parent, Class)
    scope = place.parent if in_class else place
    try:
        return scope.resolve(name)
    except NameResolutionError:
        return name if "." in name else f"formats.errors.{name}"
