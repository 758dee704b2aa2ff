"""Results of decks on disk, found again by content: a second extraction runs nothing.

An entry is named by the SHA-256 of the deck, of the files it includes, of libngspice and of our own
source; so whatever could change a result makes a new entry. Entries are zipped (no pickle), written
aside and renamed, checked by their sums when read, and dropped least recently used first.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from circuits.ngspice.deck_text import Reading
from circuits.ngspice.folders import results_folder
from circuits.ngspice.installation import library_identity, library_path
from circuits.ngspice.pipe import Packed, as_bytes, pack
from circuits.ngspice.waveforms import Waveforms

LIMIT = 1_000_000_000
"""Bytes on disk; beyond it the least recently used entries go."""
_KEPT_SHARE = 0.8
"""Of the limit, after a clearing."""
_CLEAR_EVERY = 0.05
"""Of the limit, written by this process between two looks at the folder."""
_STALE = 3600.0
"""s after which a file of a writer that was killed is deleted."""


class Cache:
    """The entries below one folder; several processes may use it at once."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._folder = results_folder(folder)
        self._limit = limit
        self._written = float("inf")  # look at the folder at the first write

    def key(self, deck: Reading) -> str | None:
        """The name of the deck's entry, or None for a deck that must not be remembered."""
        if not deck.repeatable:
            return None
        return hashlib.sha256(f"{_maker(library_path())}{deck.digest}".encode()).hexdigest()

    def path(self, key: str) -> Path:
        """File of an entry."""
        return self._folder / key[:2] / f"{key[2:]}.zip"

    def read(self, key: str) -> Waveforms | None:
        """The entry, or None where there is none or a broken one."""
        path = self.path(key)
        try:
            with zipfile.ZipFile(path) as file:
                if sum(member.file_size for member in file.infolist()) > self._limit:
                    return None
                head = json.loads(file.read("head.json"))
                data = np.frombuffer(bytearray(file.read("data")), "<f8")
            lengths = head["lengths"]
            if min(lengths, default=0) < 0 or sum(lengths) != data.size:
                return None
            vectors = Packed(head["names"], lengths, data).vectors()
            result = Waveforms(vectors.pop("time"), vectors, head["log"], head["rescued"])
        except Exception:  # whatever is wrong with an entry, it is made anew
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used just now
        return result

    def write(self, key: str, waveforms: Waveforms) -> None:
        """Put an entry in place; a folder that cannot be written is no failure."""
        packed = pack({"time": waveforms.time, **waveforms.vectors})
        head = {"names": packed.names, "lengths": packed.lengths}
        head |= {"log": waveforms.log, "rescued": waveforms.rescued}
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
            try:
                with (
                    os.fdopen(handle, "wb") as whole,
                    zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
                ):
                    file.writestr("head.json", json.dumps(head))
                    file.writestr("data", as_bytes(packed.data.astype("<f8")))
                self._written += Path(name).stat().st_size
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError:
            return
        if self._written > _CLEAR_EVERY * self._limit:
            self._written = 0.0
            self.drop_unused()

    def drop_unused(self) -> None:
        """Delete the least recently used entries beyond the limit, and what killed writers left."""
        entries, total = [], 0
        for path in self._folder.glob("*/*"):
            try:
                status = path.stat()
            except OSError:  # another process was faster
                continue
            if path.name.startswith("."):
                if time.time() - status.st_mtime > _STALE:
                    path.unlink(missing_ok=True)
                continue
            entries.append((status.st_mtime_ns, path, status.st_size))
            total += status.st_size
        if total <= self._limit:
            return
        for _, path, size in sorted(entries):
            if total <= _KEPT_SHARE * self._limit:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


@functools.cache
def _maker(library: str) -> str:
    """What makes a result besides the deck: libngspice and our own source."""
    total = hashlib.sha256(library_identity(library).encode())
    here = Path(__file__).resolve().parent
    for path in [here.parent / "simulator.py", *sorted(here.glob("*.py"))]:
        total.update(path.read_bytes())
    return total.hexdigest()
