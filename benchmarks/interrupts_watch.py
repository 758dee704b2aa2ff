"""Looking at a process from outside: its children, its processor time, events of its files."""

from __future__ import annotations

import ctypes
import os
import select
import struct
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_CREATE, _CLOSE_WRITE, _MOVED_TO, _ISDIR = 0x100, 0x8, 0x80, 0x40000000
_NAMES = {_CREATE: "made", _CLOSE_WRITE: "written", _MOVED_TO: "renamed to"}
_HEAD = struct.Struct("iIII")
_LOOK = 0.1
"""s between two looks for new children."""


class Tree:
    """A process and all that came from it."""

    def __init__(self, root: int) -> None:
        self._seconds = {root: 0.0}
        self._looked = 0.0

    def look(self) -> set[int]:
        """All members so far, dead ones too; one orphaned between two looks is missed."""
        parents = {}
        for entry in os.listdir("/proc"):  # noqa: PTH208
            if entry.isdecimal():
                fields = _fields(int(entry))
                if fields is not None:
                    parents[int(entry)] = int(fields[1])
        known = len(self._seconds) + 1
        while known != len(self._seconds):
            known = len(self._seconds)
            for pid, parent in parents.items():
                if parent in self._seconds:
                    self._seconds.setdefault(pid, 0.0)
        self._looked = time.monotonic()
        return set(self._seconds)

    def seconds(self) -> float:
        """Processor time of all members, of those that ended as it was last seen."""
        if time.monotonic() - self._looked > _LOOK:
            self.look()
        for pid in self._seconds:
            fields = _fields(pid)
            if fields is not None:
                spent = (int(fields[11]) + int(fields[12])) / _TICK
                self._seconds[pid] = max(spent, self._seconds[pid])
        return sum(self._seconds.values())


def _fields(pid: int) -> list[str] | None:
    """Of /proc/PID/stat, behind the name: state, parent, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


class Events:
    """Files made, written and renamed below a folder, as the kernel tells them (inotify)."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders: dict[int, Path] = {}
        self.count, self.last = 0, ""
        for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
            self._watch(path)

    def _watch(self, folder: Path) -> None:
        mask = _CREATE | _CLOSE_WRITE | _MOVED_TO
        found = self._libc.inotify_add_watch(self._file, os.fsencode(folder), mask)
        if found >= 0:
            self._folders[found] = folder

    def wait(self, seconds: float, until: int | None = None) -> None:
        """Take what has happened, waiting for it up to so long; not more than ``until`` in all."""
        if not select.select([self._file], [], [], seconds)[0]:
            return
        data, place = os.read(self._file, 2**16), 0
        while place < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, place)
            name = data[place + _HEAD.size : place + _HEAD.size + length].rstrip(b"\0").decode()
            place += _HEAD.size + length
            if mask & _ISDIR:
                self._watch(self._folders[number] / name)
            elif until is None or self.count < until:
                self.count += 1
                kind = next((word for bit, word in _NAMES.items() if mask & bit), "")
                self.last = f"{kind} {name}"

    def __del__(self) -> None:
        os.close(self._file)
