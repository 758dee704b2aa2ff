"""Files that are either whole or absent: written under a temporary name, then renamed."""

from __future__ import annotations

import functools
import os
import platform
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from formats.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it replaces ``path`` if the block ends well.

    An exception in the block removes the temporary file and leaves the old one untouched.
    What a killed process left of such a file is deleted. Raises :class:`InputError` where the
    folder cannot be made or written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.absolute())
        prefix = f".{path.name}.{_machine()}-{os.getpid()}-"
        handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    except OSError as error:
        raise InputError(path.parent, f"cannot write here ({error.strerror})") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as finished:
            os.fsync(finished.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@functools.cache
def remove_leftovers(path: Path) -> None:
    """Delete temporary files of ``path`` whose writer, on this machine, is no more; once each.

    ``path`` is absolute. Writing does it; this is for a file that need not be written again.
    """
    start = f".{path.name}.{_machine()}-"
    with suppress(OSError):  # what cannot be listed or deleted stays
        # Not as paths, which take ten times as long in a full folder; nor by a pattern, as a name
        # may hold what glob takes for one.
        for name in os.listdir(path.parent):  # noqa: PTH208
            writer = name.removeprefix(start).partition("-")[0]
            if name.startswith(start) and writer.isdecimal() and not _runs(int(writer)):
                path.with_name(name).unlink()


@functools.cache
def _machine() -> str:
    """Of the name of a temporary file: process ids are those of one machine, or container."""
    ids = Path("/proc/self/ns/pid")  # Linux: the name space of process ids
    namespace = ids.stat().st_ino if ids.exists() else 0
    return f"{zlib.crc32(f'{platform.node()} {namespace}'.encode()):08x}"


@functools.cache
def _umask() -> int:
    """Read once, as that sets it for a moment in all threads."""
    umask = os.umask(0)
    os.umask(umask)
    return umask


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's; no process id at all
        return True
    return True
