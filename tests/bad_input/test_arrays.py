"""Images, bits and archives of arrays: read within bounds, or refused in one line."""

from __future__ import annotations

import gzip
import io
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.arrays import archive, array_of, read_array
from formats.errors import InputError
from system.bitstream.packed import BitStream
from system.bitstream.report.bits_file import read_bits
from system.images.idx import IMAGES, LABELS, read_idx
from system.images.npz import read_npz
from system.images.sets import load_images
from tests.bad_input.damage import cases, damaged, judged


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">{array.ndim + 1}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def npz(**arrays: np.ndarray) -> bytes:
    kept = io.BytesIO()
    np.savez_compressed(kept, **arrays)
    return kept.getvalue()


def npy(array: np.ndarray) -> bytes:
    kept = io.BytesIO()
    np.save(kept, array)
    return kept.getvalue()


def npy_header(text: str) -> bytes:
    """An array's file of a header only, whatever the header says."""
    line = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line


def zipped(**files: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(f"{name}.npy", content)
    return kept.getvalue()


RANDOM = np.random.default_rng(1)
PIXELS = RANDOM.integers(0, 256, (20, 8, 8), np.uint8)
CLASSES = np.arange(20, dtype=np.uint8) % 2
BITS = RANDOM.integers(0, 2, 200, np.uint8)
HEAP = npz(images=PIXELS, labels=CLASSES)
STREAM = npz(words=BitStream.pack(BITS).words, length=np.int64(BITS.size))
READERS: dict[str, tuple[Callable[[Path], Any], bytes]] = {
    "images": (lambda path: read_idx(path, IMAGES), idx(PIXELS)),
    "images.gz": (lambda path: read_idx(path, IMAGES), gzip.compress(idx(PIXELS), mtime=0)),
    "labels": (lambda path: read_idx(path, LABELS), idx(CLASSES)),
    "heap.npz": (load_images, HEAP),
    "bits.txt": (read_bits, "".join(map(str, BITS)).encode()),
    "bits.npy": (read_bits, npy(BITS)),
    "numbers.npy": (read_bits, npy(BITS.astype(float).reshape(2, 100))),
    "bits.npz": (read_bits, STREAM),
}


@pytest.mark.parametrize("name", READERS)
def test_whole_files_are_read(tmp_path: Path, name: str) -> None:
    reader, whole = READERS[name]
    (tmp_path / name).write_bytes(whole)
    reader(tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused(tmp_path: Path, name: str) -> None:
    reader, whole = READERS[name]

    @cases(100)
    @given(damaged(whole))
    def each(content: bytes) -> None:
        (tmp_path / name).write_bytes(content)
        judged(reader, tmp_path / name)

    each()


HEADERS = (
    "{'descr': '<u8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<u8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<u8', 'fortran_order': False, 'shape': (True,), }",
    "{'descr': '<u8', 'fortran_order': False, 'shape': (" + "2, " * 70 + "), }",
    "{'descr': '<u8', 'fortran_order': False, 'shape': (0, 99999999999999999999999), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<U99999999', 'fortran_order': False, 'shape': (9,), }",
    "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (9,), }",
    "{'descr': 'nonsense', 'fortran_order': False, 'shape': (9,), }",
    "{'descr': ('<u8', 0), 'fortran_order': 7, 'shape': 9}",
    "[" * 9000,
    "-" * 9000 + "1",
    "{'a': " * 150 + "1" + "}" * 150,
    "__import__('os').system('touch planted')",
    "'''",
    "\0" * 20,
    "   indent\n  lost",
    "",
)


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_headers_of_anything_are_refused(
    tmp_path: Path, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = npy_header(header)
    (tmp_path / "bits.npy").write_bytes(file)
    (tmp_path / "bits.npz").write_bytes(zipped(words=file, length=file))
    (tmp_path / "heap.npz").write_bytes(zipped(images=file, labels=file))
    for name, reader in (("bits.npy", read_bits), ("bits.npz", read_bits), ("heap.npz", read_npz)):
        assert judged(reader, tmp_path / name) is None
    assert not (tmp_path / "planted").exists()


@cases(150)
@given(st.text("{}[]()'\",:0123456789abdefhiorstu<|_- \n", max_size=60), st.binary(max_size=40))
def test_headers_of_any_letters_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, header: str, rest: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "letters.npy"
    start = "{'descr': '<u8', 'fortran_order': False, 'shape': (" if len(rest) % 2 else ""
    path.write_bytes(npy_header(start + header) + rest)
    judged(read_bits, path)


def test_a_bomb_is_judged_by_what_it_announces(tmp_path: Path) -> None:
    """16 GiB of zeros in a small archive, and a length that lies about the rest."""
    bomb = npy_header("{'descr': '<u8', 'fortran_order': False, 'shape': (2147483648,), }")
    path = tmp_path / "bits.npz"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path.write_bytes(zipped(words=bomb + bytes(2**24), length=npy(np.int64(2**37))))
    with pytest.raises(InputError, match=r"bits.npz, words: announces 17179869184 bytes"):
        read_bits(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200_000, "KiB more memory than before"
    path.write_bytes(npz(words=np.zeros(4, np.uint64), length=np.int64(2**62)))
    with pytest.raises(InputError, match="is not a stream"):
        read_bits(path)


def test_an_array_larger_than_its_limit_or_its_file_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bits.npy"
    path.write_bytes(npy(np.zeros(2000, np.uint8)))
    monkeypatch.setattr(np.lib.format, "read_array", None)
    with pytest.raises(InputError, match=r"bits.npy: announces 2000 bytes of numbers; at most 999"):
        read_array(path, 999)
    path.write_bytes(npy_header("{'descr': '<u8', 'fortran_order': False, 'shape': (99,), }"))
    with pytest.raises(InputError, match=r"bits.npy: announces 792 bytes of numbers but holds 0"):
        read_array(path, 2**40)


def test_an_endless_file_of_bits_is_read_to_the_limit_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("system.bitstream.report.bits_file.LARGEST_FILE", 2**20)
    (tmp_path / "bits.txt").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"bits.txt: is larger than 1048576 bytes"):
        read_bits(tmp_path / "bits.txt")


def test_a_gzip_bomb_of_images_is_read_to_what_it_announces(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(PIXELS) + bytes(2**26)))
    with pytest.raises(InputError, match=r"announces 20 items \(1280 bytes\) but holds more"):
        read_idx(path, IMAGES)


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    """Members are read by name from the archive; nothing is ever unpacked to a path."""
    path = tmp_path / "inner" / "heap.npz"
    path.parent.mkdir()
    path.write_bytes(zipped(**{"../images": npy(PIXELS), "/labels": npy(CLASSES)}))
    assert judged(read_npz, path) is None
    assert [found.name for found in tmp_path.rglob("*")] == ["inner", "heap.npz"]


def test_an_archive_of_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("formats.arrays.MOST_MEMBERS", 3)
    path = tmp_path / "heap.npz"
    path.write_bytes(npz(**{f"a{k}": CLASSES for k in range(4)}))
    with pytest.raises(InputError, match=r"heap.npz: holds more than 3 files"), archive(path):
        pass


def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    for array in (np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3)), np.int64(7), BITS):
        (tmp_path / "a.npy").write_bytes(npy(np.asarray(array)))
        (tmp_path / "a.npz").write_bytes(npz(a=np.asarray(array)))
        with archive(tmp_path / "a.npz") as opened:
            inside = array_of("a.npz", opened, "a", 10_000)
        for found in (read_array(tmp_path / "a.npy", 10_000), inside):
            np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("name", ["bits.txt", "bits.npy", "bits.npz"])
@pytest.mark.parametrize("what", ["folder", "absent", "loop"])
def test_what_is_no_file_of_bits_is_refused(tmp_path: Path, name: str, what: str) -> None:
    path = tmp_path / name
    if what == "folder":
        path.mkdir()
    elif what == "loop":
        path.symlink_to(path)
    with pytest.raises(InputError, match=f"{name}.*: cannot be read"):
        read_bits(path)
