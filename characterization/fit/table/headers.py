"""From the headers of a file to canonical columns and their units.

What a header may be is decided from its own words, then from the kind of data its neighbours
show; what stays open, or is claimed twice, is refused with a hint to ``--map``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from characterization.fit.table.names import (
    CANONICAL,
    ONLY_IN,
    base_name,
    distance,
    index,
    key,
)
from characterization.fit.table.units import (
    DIMENSIONLESS,
    RESISTANCE,
    SI,
    Unit,
    is_unit,
    meanings,
    milliohm,
    unit_for,
)
from formats.errors import InputError

__all__ = [
    "CANONICAL",
    "Headers",
    "Mapping",
    "map_example",
    "parse_map",
    "recognise_headers",
]

_BRACKET = re.compile(r"(?P<name>.*?)\s*[(\[{](?P<unit>[^)\]}]*)[)\]}]\s*")
_SPLIT = re.compile(r"[\s_/,.:-]+")
_WORDS_TOO = {"min", "h", "k", "c", "f", "hr", "hour", "hours", "minute", "minutes", "second"}
"""Units that are also words or letters of a name: ``voltage_min`` is not a voltage in minutes."""
_NOT_TYPOS = {"trial"}
"""Near a canonical name, and yet somebody's running number."""
_INDEX = index()


@dataclass(frozen=True)
class Mapping:
    """``--map canonical=foreign[:unit]``."""

    canonical: str
    foreign: str
    unit: str | None = None


@dataclass(frozen=True)
class Headers:
    """What the headers turned out to be.

    ``names`` are the columns of the table, in file order: canonical where recognised, else as in
    the file. ``units`` holds the unit of every canonical column that has one,
    ``origins`` the file's header where it is not the canonical one, ``notes`` the sentences that
    say so.
    """

    names: tuple[str, ...]
    units: dict[str, Unit] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Reading:
    """One way to read a header: its name without unit, the unit, and what it may be."""

    candidates: tuple[str, ...]
    unit: str | None
    bracket: bool = False


def parse_map(text: str) -> Mapping:
    """Parse ``canonical=foreign[:unit]``; quotes around the foreign name are dropped.

    Raises :class:`InputError` where it is not of that form, names no canonical column, or gives
    one a unit it cannot have.
    """
    canonical, equals, rest = (part.strip() for part in text.partition("="))
    if not equals or not rest:
        raise InputError("--map", f"{text!r} is not canonical=foreign or canonical=foreign:unit")
    known = {column.casefold(): column for column in CANONICAL}
    column = known.get(canonical.casefold())
    if column is None:
        raise InputError(
            "--map",
            f"{canonical!r} is not a canonical column{_did_you_mean(canonical, CANONICAL)}; "
            f"expected one of {', '.join(CANONICAL)}",
        )
    foreign, unit = rest, None
    if rest[0] in "\"'" and (end := rest.find(rest[0], 1)) > 0:
        foreign, tail = rest[1:end], rest[end + 1 :].strip()
        if tail and not tail.startswith(":"):
            raise InputError("--map", f"{text!r}: expected ':unit' after the quoted name")
        unit = tail[1:].strip() or None
    else:
        name, colon, tail = rest.rpartition(":")
        if colon and name:
            foreign, unit = name.strip(), tail.strip() or None
    if unit is not None:
        unit_for(unit, CANONICAL[column], "--map", column)
    return Mapping(column, foreign, unit)


def recognise_headers(
    where: str,
    headers: Sequence[str],
    *,
    mapping: Sequence[Mapping] = (),
    kind: str | None = None,
    named: bool = False,
) -> Headers:
    """Read the headers of the file ``where``.

    ``named``: they come from ``--columns``, so just canonical names (with any unit) are read and
    a foreign one is meant to be there. Raises :class:`InputError` for a header that names two
    things or a thing twice, a unit of the wrong quantity, or a near miss of a column that is
    missing.
    """
    stripped = [" ".join(header.split()) for header in headers]
    _refuse_twins(where, stripped)
    chosen: dict[int, str] = {}
    units: dict[int, Unit | None] = {}
    for item in mapping:
        position = _find(where, stripped, item.foreign)
        if position in chosen or item.canonical in chosen.values():
            raise InputError("--map", f"maps {item.foreign!r} or {item.canonical} twice")
        chosen[position] = item.canonical
        units[position] = _mapped_unit(where, stripped[position], item)
    readings = {
        i: _read(header, named)
        for i, header in enumerate(stripped)
        if i not in chosen and (not named or _is_canonical_base(header))
    }
    taken = set(chosen.values())
    readings = {
        i: _Reading(tuple(c for c in r.candidates if c not in taken), r.unit, r.bracket)
        for i, r in readings.items()
    }
    settled = _settle(where, stripped, readings, kind, taken)
    for i, column in settled.items():
        chosen[i] = column
        units[i] = _unit(where, stripped[i], readings[i], column)
    foreign = [header for i, header in enumerate(stripped) if i not in chosen]
    missing = [column for column in CANONICAL if column not in chosen.values()]
    if not named:
        _refuse_near_misses(where, foreign, missing)
    return _headers(stripped, chosen, units, {item.canonical for item in mapping}, foreign)


def _refuse_twins(where: str, headers: list[str]) -> None:
    for name in headers:
        if headers.count(name) > 1:
            raise InputError(where, f"the column {name!r} is named twice")


def _find(where: str, headers: list[str], foreign: str) -> int:
    """Position of the header ``--map`` names: as it stands, else in any case, else unit apart."""
    wanted = " ".join(foreign.split())
    for same in (
        lambda h: h == wanted,
        lambda h: h.casefold() == wanted.casefold(),
        lambda h: any(name.casefold() == wanted.casefold() for name, _, _ in _splits(h)),
    ):
        found = [i for i, header in enumerate(headers) if same(header)]
        if len(found) == 1:
            return found[0]
    raise InputError(
        "--map",
        f"names the column {foreign!r}{_did_you_mean(foreign, headers)}; {where} has "
        f"{', '.join(map(repr, headers))}",
    )


def _mapped_unit(where: str, header: str, item: Mapping) -> Unit | None:
    quantity = CANONICAL[item.canonical]
    if quantity in DIMENSIONLESS:
        return None
    if item.unit is not None:
        return unit_for(item.unit, quantity, "--map", item.canonical)
    for _, unit, bracket in _splits(header):
        if bracket and is_unit(unit):
            return unit_for(unit, quantity, f"{where}, column {header!r}", item.canonical)
        if not bracket and quantity in meanings(unit) and not _is_word(unit):
            return meanings(unit)[quantity]
    return None


def _splits(header: str) -> Iterator[tuple[str, str, bool]]:
    """(name, unit text, in brackets?) of every way to cut a unit off, the longest unit first."""
    match = _BRACKET.fullmatch(header)
    if match and match["name"]:
        yield match["name"], match["unit"].strip(), True
        return
    for cut in _SPLIT.finditer(header):
        if cut.start() > 0 and cut.end() < len(header):
            yield header[: cut.start()], header[cut.end() :], False


def _read(header: str, named: bool) -> _Reading:
    """What a header may be; no candidates for a foreign one."""
    lower = {column.casefold(): column for column in CANONICAL}
    if header.casefold() in lower:
        return _Reading((lower[header.casefold()],), None)
    whole = _candidates(header, named)
    for name, unit, bracket in _splits(header):
        candidates = _candidates(name, named)
        if not candidates:
            continue
        if bracket:
            fitting = tuple(c for c in candidates if CANONICAL[c] in meanings(unit))
            free = tuple(c for c in candidates if CANONICAL[c] in DIMENSIONLESS)
            if free and not is_unit(unit):
                return _Reading(free, None)
            return _Reading(fitting or candidates, unit, True)
        fitting = tuple(c for c in candidates if CANONICAL[c] in meanings(unit))
        if fitting:
            return _Reading(fitting, unit)
        measured = tuple(c for c in candidates if CANONICAL[c] not in DIMENSIONLESS)
        if not whole and measured and is_unit(unit) and not _is_word(unit):
            return _Reading(measured, unit)
    # A bare t or T may be a time, a time stamp or a temperature: only its unit tells.
    return _Reading(() if key(header) == "t" else whole, None)


def _candidates(name: str, named: bool) -> tuple[str, ...]:
    found = _INDEX.get(key(name), ())
    return tuple(c for c in found if key(base_name(c)) == key(name)) if named else found


def _is_canonical_base(header: str) -> bool:
    """Whether ``--columns`` names a canonical column, with or without a unit."""
    names = {base_name(column).casefold() for column in CANONICAL}
    names |= {column.casefold() for column in CANONICAL}
    return header.casefold() in names or any(
        name.casefold() in names and (bracket or is_unit(unit))
        for name, unit, bracket in _splits(header)
    )


def _is_word(unit: str) -> bool:
    return unit.casefold() in _WORDS_TOO


def _settle(
    where: str,
    headers: list[str],
    readings: dict[int, _Reading],
    kind: str | None,
    taken: set[str],
) -> dict[int, str]:
    """One canonical column for each header that has one."""
    settled = {i: r.candidates[0] for i, r in readings.items() if len(r.candidates) == 1}
    kinds = {kind} if kind is not None else _kinds({*settled.values(), *taken})
    possible = {c for reading in readings.values() for c in reading.candidates}
    if not kinds and {"v_set_V", "v_reset_V"} <= possible:  # beside each other: cycling
        kinds = {"cycling"}
    certain = set(settled.values())
    for i, reading in readings.items():
        if len(reading.candidates) < 2:
            continue
        fitting = [
            c for c in reading.candidates if (not kinds or _fits(c, kinds)) and c not in certain
        ]
        if len(fitting) == 1:
            settled[i] = fitting[0]
        elif fitting:
            raise InputError(
                f"{where}, column {headers[i]!r}",
                f"could be {' or '.join(fitting)}; say which with "
                f"--map {fitting[0]}={_quoted(headers[i])}, or name the kind with --kind",
            )
    for column in settled.values():
        same = [headers[i] for i, c in settled.items() if c == column]
        if len(same) > 1:
            raise InputError(
                where,
                f"the columns {' and '.join(map(repr, same))} both read as {column}; say which "
                f"with --map {column}={_quoted(same[0])}",
            )
    return settled


def _kinds(columns: Iterable[str]) -> set[str]:
    return {ONLY_IN[column] for column in columns if column in ONLY_IN}


def _fits(column: str, kinds: set[str]) -> bool:
    if column == "voltage_V":
        return bool(kinds & {"pulses", "waits"})
    return column not in ONLY_IN or ONLY_IN[column] in kinds


def _unit(where: str, header: str, reading: _Reading, column: str) -> Unit | None:
    quantity = CANONICAL[column]
    if quantity in DIMENSIONLESS:
        if reading.unit is not None:
            unit_for(reading.unit, quantity, f"{where}, column {header!r}", column)
        return None
    if reading.unit is None:
        return None
    place = f"{where}, column {header!r}"
    unit = unit_for(reading.unit, quantity, place, column)
    if quantity == RESISTANCE and milliohm(reading.unit):
        raise InputError(
            place,
            f"the unit {reading.unit!r} could be milliohm or megohm; say which with "
            f"--map {column}={_quoted(header)}:MOhm (or :mohm)",
        )
    return unit


def _refuse_near_misses(where: str, foreign: list[str], missing: list[str]) -> None:
    for header in foreign:
        if key(header) in _NOT_TYPOS:
            continue
        names = [header, *(name for name, unit, _ in _splits(header) if is_unit(unit))]
        for column in missing:
            if any(_near(name, target) for name in names for target in (column, base_name(column))):
                raise InputError(
                    f"{where}, column {header!r}",
                    f"is not a column known here; did you mean {column}? Correct it, or say "
                    f"--map {column}={_quoted(header)}; --columns can name a foreign column freely",
                )


def _near(name: str, target: str) -> bool:
    one, other = key(name), key(target)
    allowed = 0 if len(other) < 5 else 1 if len(other) < 9 else 2
    return abs(len(one) - len(other)) <= allowed and 0 < distance(one, other) <= allowed


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = min(known, key=lambda k: distance(key(name), key(k)), default=None)
    if close is None or distance(key(name), key(close)) > max(1, len(key(name)) // 3):
        return ""
    return f" (did you mean {close!r}?)"


def _headers(
    headers: list[str],
    chosen: dict[int, str],
    units: dict[int, Unit | None],
    mapped: set[str],
    foreign: list[str],
) -> Headers:
    notes, origins, known = [], {}, {}
    for i, column in sorted(chosen.items()):
        unit, header = units[i], headers[i]
        if unit is not None:
            known[column] = unit
        if header == column:
            if unit is not None and not unit.is_si:
                origins[column] = header
                notes.append(f"column {column!r} read in {unit.text}, {unit.conversion()}")
            continue
        origins[column] = header
        sentence = f"column {header!r} read as {column}"
        quantity = CANONICAL[column]
        if unit is None and quantity in SI and header.casefold() != column.casefold():
            sentence += f", which names no unit: taken in {SI[quantity].replace('_per_', '/')}"
        elif unit is not None and not unit.is_si:
            sentence += f", {unit.conversion()}"
        if header.casefold() != column.casefold() or column in mapped:
            notes.append(sentence)
    # --map may have given a canonical name to another column than the one that bears it.
    rest = {header: f"{header} (file)" for header in foreign if header in chosen.values()}
    names = tuple(chosen.get(i, rest.get(h, h)) for i, h in enumerate(headers))
    return Headers(names, known, origins, tuple(notes))


def map_example(headers: Iterable[str], missing: Sequence[str]) -> str:
    """``--map`` for a foreign header and a missing column, of its unit if any has one; else ""."""
    foreign = [header for header in headers if header not in CANONICAL]
    pairs = [(column, header) for column in missing for header in foreign]
    for column, header in pairs:
        if any(CANONICAL[column] in meanings(unit) for _, unit, _ in _splits(header)):
            return f"--map {column}={_quoted(header)}"
    if not pairs:
        return ""
    column, header = pairs[0]
    unit = SI.get(CANONICAL[column], "").replace("_per_", "/")
    return f"--map {column}={_quoted(header)}" + (f":{unit} or another unit" if unit else "")


def _quoted(header: str) -> str:
    return header if re.fullmatch(r"\w+", header) else f'"{header}"'
