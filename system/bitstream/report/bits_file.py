"""Bits that a user measured: text of 0 and 1, a numpy array, or the stream.npz of this command."""

from __future__ import annotations

import codecs
from pathlib import Path

import numpy as np

from formats.arrays import archive, array_of, read_array
from formats.errors import InputError
from system.bitstream.packed import BitStream

LARGEST_FILE = 2**31
"""Bytes; text holds a bit in each."""
_SEPARATORS = b" \t\r\n,;"
_HOW = (
    "expected the characters 0 and 1, with blanks, commas, semicolons or line ends where you like "
    "and no header (numpy.savetxt: fmt='%d')"
)


def read_bits(path: Path) -> np.ndarray:
    """Bits of a file as uint8: (n,), or (S, n) where the file tells sequences apart.

    ``.npy``: numbers or truth values, one or two axes (a row is a sequence); ``.npz``: ``words``
    and ``length`` as the command writes them; anything else is text, of which all lines are one
    sequence. Raises :class:`InputError` naming the line of the first wrong character.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            kind = path.suffix.lower()
            if kind in (".npy", ".npz"):
                bits = _array(path) if kind == ".npy" else _packed(path)
            else:
                content = file.read(LARGEST_FILE + 1)
                if len(content) > LARGEST_FILE:
                    raise InputError(path, f"is larger than {LARGEST_FILE} bytes; give a part")
                bits = _text(path, content.removeprefix(codecs.BOM_UTF8))
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    if bits.size == 0:
        raise InputError(path, f"holds no bits; {_HOW}")
    return bits


def _text(path: Path, content: bytes) -> np.ndarray:
    codes = np.frombuffer(content, np.uint8)
    bit = (codes == ord("0")) | (codes == ord("1"))
    kept = bit | np.isin(codes, np.frombuffer(_SEPARATORS, np.uint8))
    if not kept.all():
        place = int(np.argmin(kept))
        line = content.count(b"\n", 0, place) + 1
        found = chr(codes[place]) if 32 <= codes[place] < 127 else f"byte {codes[place]}"
        raise InputError(f"{path}, line {line}", f"holds {found!r}; {_HOW}")
    return np.asarray(codes[bit] - np.uint8(ord("0")))


def _array(path: Path) -> np.ndarray:
    values = read_array(path, LARGEST_FILE)
    if values.dtype.kind not in "biuf":
        raise InputError(path, "holds no numbers; expected an array of 0 and 1")
    if values.ndim not in (1, 2):
        raise InputError(
            path, f"has the shape {values.shape}; expected (bits,) or (sequences, bits)"
        )
    wrong = ~((values == 0) | (values == 1))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"{path}, element {', '.join(map(str, place))}",
            f"is {values[place]}; expected an array of 0 and 1",
        )
    return np.asarray(values.astype(np.uint8))


def _packed(path: Path) -> np.ndarray:
    with archive(path) as opened:
        words = array_of(f"{path}, words", opened, "words", LARGEST_FILE // 8)
        length = array_of(f"{path}, length", opened, "length", 8)
    try:
        if length.shape != () or length.dtype.kind not in "iu":
            raise ValueError(f"length is {length.dtype} {length.shape}: expected a whole number")
        return BitStream(words, int(length)).unpack()
    except ValueError as error:
        raise InputError(
            path, f"is not a stream.npz ({error}); expected words (uint64) and length"
        ) from error
