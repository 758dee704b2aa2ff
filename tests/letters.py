"""Capital letters drawn from 5x7 bitmaps, as a folder of IDX files: a small set that is no digits.

Named and labelled as EMNIST's letters are (1 to 26, ``letters-train-...``, ``letters-test-...``).
"""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from formats.seeds import generator

SIDE = 28
# A to Z, rows from top to bottom, five pixels each.
_ROWS = """
.###. ####. .###. ####. ##### ##### .###. #...# .###. ..### #...# #.... #...#
#...# #...# #...# #...# #.... #.... #...# #...# ..#.. ...#. #..#. #.... ##.##
#...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #.#.. #.... #.#.#
##### ####. #.... #...# ####. ####. #.### ##### ..#.. ...#. ##... #.... #.#.#
#...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #.#.. #.... #...#
#...# #...# #...# #...# #.... #.... #...# #...# ..#.. #..#. #..#. #.... #...#
#...# ####. .###. ####. ##### #.... .###. #...# .###. .##.. #...# ##### #...#

#...# .###. ####. .###. ####. .#### ##### #...# #...# #...# #...# #...# #####
##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....#
#.#.# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#.
#.#.# #...# ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#..
#..## #...# #.... #.#.# #.#.. ....# ..#.. #...# #...# #.#.# .#.#. ..#.. .#...
#...# #...# #.... #..#. #..#. ....# ..#.. #...# .#.#. ##.## #...# ..#.. #....
#...# .###. #.... .##.# #...# ####. ..#.. .###. ..#.. #...# #...# ..#.. #####
"""


def bitmaps() -> np.ndarray:
    """The 26 letters, (26, 7, 5) of 0 and 1."""
    halves = []
    for half in _ROWS.strip().split("\n\n"):
        rows = [line.split() for line in half.splitlines()]
        halves += [[[mark == "#" for mark in row[at]] for row in rows] for at in range(13)]
    return np.array(halves, np.uint8)


def draw_letters(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images (n, 28, 28) of letters 1 to 26: shifted by up to 2 pixels, faded, noisy."""
    large = bitmaps().repeat(3, axis=1).repeat(3, axis=2)  # 21 x 15
    high, wide = large.shape[1:]
    canvas = np.zeros((labels.size, SIDE, SIDE))
    top, left = (SIDE - high) // 2, (SIDE - wide) // 2
    shifts = rng.integers(-2, 3, (labels.size, 2))
    for image, label, (down, right) in zip(canvas, labels, shifts, strict=True):
        image[top + down :, left + right :][:high, :wide] = large[label - 1]
    strength = rng.uniform(150, 255, (labels.size, 1, 1))
    noisy = canvas * strength + rng.normal(0, 20, canvas.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def write_letters(folder: Path, per_class: int, seed: int) -> Path:
    """Write ``per_class`` training and a quarter as many test images (at least 1) of each letter.

    Gzipped IDX files in random order; returns the folder, made where absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", per_class), ("test", max(1, per_class // 4))):
        rng = generator(seed, "letters", part)
        labels = rng.permutation(np.repeat(np.arange(1, 27, dtype=np.uint8), count))
        images = draw_letters(labels, rng)
        for name, header, data in (
            ("images-idx3", struct.pack(">IIII", 0x803, *images.shape), images),
            ("labels-idx1", struct.pack(">II", 0x801, labels.size), labels),
        ):
            path = folder / f"letters-{part}-{name}-ubyte.gz"
            path.write_bytes(gzip.compress(header + data.tobytes(), mtime=0))
    return folder
