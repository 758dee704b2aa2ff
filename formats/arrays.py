"""numpy arrays in ``.npy`` files and ``.npz`` archives, read within bounds and without pickle.

An array's header is read first, and its size judged before anything is allocated: a few bytes can
announce, or a few kilobytes unpack to, more than any memory holds.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from formats.errors import InputError

SUFFIX = ".npy"
MOST_MEMBERS = 10_000
"""Files in an archive."""
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Header:
    """What an array says of itself."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


@contextmanager
def archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An open archive; raises :class:`InputError` for what is none."""
    try:
        with zipfile.ZipFile(path) as opened:
            if len(opened.filelist) > MOST_MEMBERS:
                raise InputError(path, f"holds more than {MOST_MEMBERS} files; expected arrays")
            yield opened
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise InputError(path, f"is no .npz archive ({error})") from error


def array_names(opened: zipfile.ZipFile) -> list[str]:
    """Names of the arrays of an archive."""
    return [name.removesuffix(SUFFIX) for name in opened.namelist() if name.endswith(SUFFIX)]


def header_of(where: str | Path, opened: zipfile.ZipFile, name: str) -> Header:
    """Shape and type of an array of an archive; raises :class:`InputError`."""
    with _broken(where), opened.open(f"{name}{SUFFIX}") as handle:
        return read_header(handle)


def array_of(where: str | Path, opened: zipfile.ZipFile, name: str, largest: int) -> np.ndarray:
    """An array of an archive, of at most ``largest`` bytes; raises :class:`InputError`."""
    with _broken(where), opened.open(f"{name}{SUFFIX}") as handle:
        _check_size(where, read_header(handle), largest)
    with _broken(where), opened.open(f"{name}{SUFFIX}") as handle:
        return np.lib.format.read_array(handle, allow_pickle=False)


def read_array(path: Path, largest: int) -> np.ndarray:
    """The array of a ``.npy`` file, of at most ``largest`` bytes; raises :class:`InputError`."""
    with _broken(path), Path(path).open("rb") as handle:
        header = read_header(handle)
        _check_size(path, header, largest)
        held = Path(path).stat().st_size - handle.tell()
        if held < header.size:
            raise InputError(path, f"announces {header.size} bytes of numbers but holds {held}")
        handle.seek(0)
        return np.lib.format.read_array(handle, allow_pickle=False)


def read_header(handle: IO[bytes]) -> Header:
    """The header at the start of an array's file; raises ValueError and what numpy's raises."""
    version = np.lib.format.read_magic(handle)
    if version not in _HEADERS:
        raise ValueError(f"format version {version[0]}.{version[1]}")
    shape, _, dtype = _HEADERS[version](handle)
    if dtype.hasobject:
        raise ValueError("holds Python objects, which are not read")
    if any(isinstance(side, bool) or not 0 <= side < 2**62 for side in shape):
        raise ValueError(f"shape {shape}")
    return Header(shape, dtype)


def _check_size(where: str | Path, header: Header, largest: int) -> None:
    if header.size > largest:
        raise InputError(where, f"announces {header.size} bytes of numbers; at most {largest}")


@contextmanager
def _broken(where: str | Path) -> Iterator[None]:
    """What fails in the block is the file's fault.

    numpy parses the header as a Python literal, zipfile hands on what four decoders raise: neither
    says all it can raise.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(where, f"cannot be read ({error.strerror or error})") from error
    except Exception as error:
        said = str(error).splitlines() or [type(error).__name__]
        raise InputError(where, f"cannot be read ({said[0][:200]})") from error
