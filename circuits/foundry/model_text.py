"""Model files from outside, read as data: checked line by line and inlined into one text.

ngspice runs commands that stand in a netlist and opens any file it names. So a statement passes
only if it is on the list of what a model file needs, includes stay inside the given folder, and
what comes out holds exactly the lines that were checked, without comments and without paths.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from formats.errors import InputError
from formats.paths import is_file

LARGEST = 32 * 2**20
"""Characters of all files of one corner together."""
DEEPEST = 16
"""Includes within includes."""
STATEMENTS = [
    ".model",
    ".param",
    ".subckt",
    ".ends",
    ".func",
    ".if",
    ".elseif",
    ".else",
    ".endif",
    ".include",
    ".inc",
    ".lib",
    ".endl",
    ".end",
]
"""Dot statements a model file may hold."""
IGNORED = (".prot", ".protect", ".unprot", ".unprotect")
"""Marks of other simulators that mean nothing here."""
INNER_ELEMENTS = "bcdefghijklmqrvx"
"""First letters of the elements a subcircuit of a model file may hold: no code models (a, n)."""
MODEL_TYPES = ["nmos", "pmos", "npn", "pnp", "d", "r", "res", "c", "cap", "l", "ind", "njf", "pjf"]
"""Types of ``.model`` statements; the others belong to elements that open files."""
_NAMED = {
    ".control": "runs commands",
    ".exec": "runs commands",
    ".endc": "belongs to commands",
    "shell": "runs programs",
    "system": "runs programs",
    "codemodel": "loads program code",
    "osdi": "loads program code",
    "load": "opens files",
    "source": "opens files",
    "write": "writes files",
    "wrdata": "writes files",
    "set": "changes the simulator",
    "pre_osdi": "loads program code",
    "pre_codemodel": "loads program code",
}
_OPENS_FILE = re.compile(r"file\s*=", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)\$(?:\s.*)?$|;.*$|\s//.*$")
_BAD_CHARACTER = re.compile(r"[\x00-\x08\x0e-\x1f\x7f`]")


@dataclass
class _Reader:
    """State of reading one corner: the folder, what is open, how much was read."""

    folder: Path
    open_files: list[tuple[Path, str | None]] = field(default_factory=list)
    characters: int = 0


def read_models(file: str, folder: Path) -> str:
    """Text of a model file with its includes, for a netlist.

    ``file`` is relative to ``folder``, with ":section" behind it for one section of a library.
    Raises :class:`InputError`, naming file and line, for whatever is not model data: commands,
    analyses, code models, elements outside subcircuits, text after ``.end``, includes that leave
    the folder (by "..", an absolute path or a symbolic link).
    """
    name, _, section = file.partition(":")
    reader = _Reader(folder.resolve())
    lines = list(_read(reader, _inside(reader, folder / name, file), section or None))
    if sum(_word(line) == ".subckt" for line in lines) != sum(
        _word(line) == ".ends" for line in lines
    ):
        raise InputError(name, "has a .subckt without .ends (or one too many)")
    return "\n".join(lines)


def defined_models(text: str) -> set[str]:
    """Names of the models and subcircuits a text defines, in lower case."""
    words = (line.lower().split() for line in text.splitlines())
    return {w[1] for w in words if len(w) > 1 and w[0] in {".model", ".subckt"}}


def only_needed(text: str, names: Collection[str]) -> str:
    """The text without the models that are not named, where it holds nothing but models.

    Bins ("name.1", "name.2") stay with their name. Other texts stay whole.
    """
    wanted = {name.lower() for name in names}
    kept: list[str] = []
    keep = False
    for line in text.splitlines():
        word = _word(line)
        if word == ".model":
            model = line.lower().split()[1]
            keep = model in wanted or re.sub(r"\.\d+$", "", model) in wanted
        elif not word.startswith("+"):
            return text
        if keep:
            kept.append(line)
    return "\n".join(kept)


def _word(line: str) -> str:
    words = line.split(maxsplit=1)
    return words[0].lower() if words else ""


def _inside(reader: _Reader, path: Path, shown: str) -> Path:
    """The path resolved, if it stays in the folder and is a file."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a zero byte
        raise InputError(shown, f"is no path ({error})") from error
    if not resolved.is_relative_to(reader.folder):
        raise InputError(
            shown, f"leads outside the folder {reader.folder.name}; model files must lie inside it"
        )
    if not is_file(resolved):
        raise InputError(shown, f"is not a file in the folder {reader.folder.name}")
    return resolved


def _physical(reader: _Reader, path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(path.name, f"cannot be read ({error.strerror})") from error
    reader.characters += len(data)
    if reader.characters > LARGEST:
        raise InputError(path.name, f"and its includes hold more than {LARGEST >> 20} MiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.splitlines()


def _read(reader: _Reader, path: Path, section: str | None) -> Iterator[str]:
    """Checked lines of one file (or of one section of it), includes in their place."""
    if (path, section) in reader.open_files:
        raise InputError(path.name, "includes itself")
    if len(reader.open_files) >= DEEPEST:
        raise InputError(path.name, f"stands in includes more than {DEEPEST} deep")
    reader.open_files.append((path, section))
    inside: str | None = None  # the section the line stands in
    found = section is None
    ended = False
    depth = 0  # subcircuits open
    for number, raw in enumerate(_physical(reader, path), 1):
        where = f"{path.name}, line {number}"
        line = _cleaned(raw, where)
        word = _word(line)
        if not line or word in IGNORED:
            continue
        if ended:
            raise InputError(where, f"{line[:40]!r} stands after .end; nothing may")
        _check(line, word, depth, where)
        arguments = _arguments(line)
        if word == ".end":
            ended = True
        elif word == ".endl":
            inside = None
        elif word == ".lib" and len(arguments) == 1:
            inside = arguments[0].lower()
            found = found or inside == (section or "").lower()
        elif inside != (None if section is None else section.lower()):
            continue  # another section of a library
        elif word in {".lib", ".include", ".inc"}:
            target, part = _included(reader, path, word, arguments, where)
            yield from _read(reader, target, part)
        else:
            depth += (word == ".subckt") - (word == ".ends")
            yield line
    if not found:
        raise InputError(path.name, f"has no section {section!r}")
    reader.open_files.pop()


def _included(
    reader: _Reader, path: Path, word: str, arguments: list[str], where: str
) -> tuple[Path, str | None]:
    """File and section of an include statement."""
    if not arguments:
        raise InputError(where, f"{word} names no file")
    return (
        _inside(reader, path.parent / arguments[0], where),
        arguments[1] if word == ".lib" else None,
    )


def _cleaned(raw: str, where: str) -> str:
    """A line without comment; refuses comments that ngspice obeys, and control characters."""
    line = raw.strip()
    if line.lower().startswith(("*#", "*ng_script")):
        raise InputError(where, f"{line.split()[0]!r} makes ngspice run commands; refused")
    if _BAD_CHARACTER.search(line):
        raise InputError(where, "holds a character that no model file needs; refused")
    if line.startswith(("*", "$", "#", "//")):
        return ""
    return _COMMENT.sub("", line).strip()


def _check(line: str, word: str, depth: int, where: str) -> None:
    """Refuse what no model file needs."""
    if word in _NAMED:
        raise InputError(where, f"{word!r} {_NAMED[word]}; refused: a model file is data")
    if _OPENS_FILE.search(line):
        raise InputError(where, "'file=' opens a file; refused: a model file is data")
    if line.startswith("+"):
        return
    if word.startswith("."):
        if word not in STATEMENTS:
            raise InputError(
                where, f"{word!r} is refused; a model file may hold {', '.join(STATEMENTS)}"
            )
        if word == ".model":
            _check_model(line, where)
    elif depth == 0:
        raise InputError(
            where, f"{line[:40]!r} is refused: outside a subcircuit a model file holds no elements"
        )
    elif word[0] not in INNER_ELEMENTS:
        raise InputError(
            where, f"element {word!r} is refused; expected one of the letters {INNER_ELEMENTS}"
        )


def _check_model(line: str, where: str) -> None:
    words = line.replace("(", " ").split()
    if len(words) < 3 or words[2].lower() not in MODEL_TYPES:
        kind = words[2] if len(words) > 2 else "nothing"
        raise InputError(
            where, f".model of type {kind!r} is refused; expected {', '.join(MODEL_TYPES)}"
        )


def _arguments(line: str) -> list[str]:
    """Words behind the statement, quotes removed; a quoted word may hold blanks."""
    return [a or b or c for a, b, c in re.findall(r"'([^']*)'|\"([^\"]*)\"|(\S+)", line)][1:]
