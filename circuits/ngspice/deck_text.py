"""What a deck's text says about its run: files it reads, chance in it, traces it leaves."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

HARMLESS_OPTIONS = frozenset(
    [
        "reltol",
        "abstol",
        "vntol",
        "chgtol",
        "trtol",
        "gmin",
        "method",
        "maxord",
        "itl1",
        "itl2",
        "itl4",
        "itl5",
        "temp",
        "tnom",
        "xmu",
        "bypass",
        "minbreak",
        "noopiter",
        "ramptime",
        "rshunt",
        "gminsteps",
        "srcsteps",
        "pivtol",
        "pivrel",
        "numdgt",
    ]
)
"""Options that were seen to end with their circuit in ngspice 39. ``cshunt`` and ``interp``, for
two, stay in force for every later deck of the process."""

_OPTIONS = re.compile(r"^\s*\.opt\w*\s+(.*)$", re.MULTILINE | re.IGNORECASE)
_INCLUDE = re.compile(
    r"^\s*\.(?:include|incl|inc|lib)\s+(?:\"([^\"]+)\"|'([^']+)'|(\S+))",
    re.MULTILINE | re.IGNORECASE,
)
_COMMANDS = re.compile(r"^\s*\.(?:control|exec)\b", re.MULTILINE | re.IGNORECASE)
_CHANCE = re.compile(
    r"\b(?:a?gauss|a?unif|limit|sgauss|sunif|poisson|exponential|random|trnoise|trrandom)\s*\(",
    re.IGNORECASE,
)
_OTHER_FILES = re.compile(r"\b(?:input_)?file\s*=|\.codemodel\b", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What was found in a deck and in all files it includes.

    ``digest`` is a SHA-256 over their contents. ``repeatable``: the same contents must give the
    same result (no chance, no commands, no other files, all files found). ``leaves_traces``: a
    process that ran it is no longer like a new one (commands, chance, which moves the generator
    on, options not known as harmless, files not found).
    """

    digest: str
    repeatable: bool
    leaves_traces: bool


@dataclass(frozen=True)
class _Text:
    """One text alone; ``included`` are names of files as written, with whether by ``.lib``."""

    digest: str
    repeatable: bool
    leaves_traces: bool
    included: tuple[tuple[str, bool], ...]


def read_deck(deck: str) -> Reading:
    """Read a deck with the files it includes.

    ``.include FILE`` and ``.lib FILE SECTION`` count; a ``.lib NAME`` that opens a section of a
    file does not name one. Relative paths start from the including file's folder; from the deck
    itself they lead nowhere, for a run has no folder.
    """
    total = hashlib.sha256()
    repeatable, traces = True, False
    waiting: list[tuple[_Text, Path | None]] = [(_read(deck), None)]
    seen: set[Path] = set()
    while waiting:
        text, folder = waiting.pop()
        total.update(text.digest.encode())
        repeatable &= text.repeatable
        traces |= text.leaves_traces
        for name, by_lib in text.included:
            path = Path(name) if folder is None else folder / name
            if path in seen:
                continue
            seen.add(path)
            try:
                if not path.is_absolute():
                    raise FileNotFoundError(path)
                status = path.stat()
                found = _read_file(path, status.st_mtime_ns, status.st_size)
            except OSError:
                if not (by_lib and folder is not None):
                    repeatable, traces = False, True
                continue
            waiting.append((found, path.parent))
    return Reading(total.hexdigest(), repeatable, traces)


@functools.lru_cache(maxsize=64)
def _read_file(path: Path, modified: int, size: int) -> _Text:
    """A file as it was at that time and size: libraries of foundries are long."""
    return _read(path.read_text(errors="replace"))


def _read(text: str) -> _Text:
    moving = bool(_COMMANDS.search(text) or _CHANCE.search(text))
    included = tuple(
        (next(group for group in match.groups() if group), match[0].lower().lstrip()[1] == "l")
        for match in _INCLUDE.finditer(text)
    )
    return _Text(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        repeatable=not (moving or _OTHER_FILES.search(text)),
        leaves_traces=moving or _lasting_options(text),
        included=included,
    )


def _lasting_options(text: str) -> bool:
    for match in _OPTIONS.finditer(re.sub(r"\n\s*\+", " ", text)):
        for word in re.sub(r"\s*=\s*\S+", " ", match[1]).split():
            if word.lower() not in HARMLESS_OPTIONS:
                return True
    return False
