"""What the user asks of a stream's report, and the record of what it was made from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.provenance import provenance, sha256_file

SOURCES = ("ideal", "lfsr", "sobol", "device")
SHORTEST, LONGEST = 100, 20_000_000
"""Bits of a sequence; the longest needs about 1 GB for its spectrum."""
MOST_SEQUENCES, MOST_BITS = 10_000, 2_000_000_000
SOURCE_PACKAGES = (
    "devices",
    "formats",
    "system.arithmetic",
    "system.bitstream",
    "system.kernels",
)
LIBRARIES = ("jax", "numba", "numpy", "scipy")


@dataclass(frozen=True)
class StreamOptions:
    """Options of ``stochram stream``.

    ``source`` is None with ``bits_file``. ``p`` is P(1) asked for; with ``code`` (a DAC code of the
    device) it is None, and otherwise 0.5 unless given. ``device`` is the number of a device drawn
    from the population (None: the nominal one). ``bits`` of each of ``sequences``; None for a file
    means all it has. ``width`` is the register of LFSR and Sobol numbers.
    """

    source: str | None = None
    cells: Path | None = None
    bits_file: Path | None = None
    p: float | None = None
    code: int | None = None
    device: int | None = None
    width: int = 8
    bits: int | None = None
    sequences: int = 1
    debias: bool = False
    seed: int = 1
    output: Path | None = None
    quiet: bool = False

    @property
    def kind(self) -> str:
        """One of SOURCES, or file; raises :class:`InputError` where options contradict."""
        if self.bits_file is not None:
            for name in ("source", "cells", "code", "device"):
                if getattr(self, name) is not None:
                    raise InputError(f"--{name}", "says nothing about the bits of --bits-file")
            return "file"
        if self.source is None:
            if self.cells is not None:
                return "device"
            raise InputError(
                "--source", f"is missing; give one of {', '.join(SOURCES)}, or --bits-file FILE"
            )
        if self.source not in SOURCES:
            raise InputError("--source", f"is {self.source!r}; expected {', '.join(SOURCES)}")
        if self.source == "device" and self.cells is None:
            raise InputError("--cells", "is missing; the source device needs the cells.nc of one")
        if self.source != "device":
            for name in ("cells", "code", "device"):
                if getattr(self, name) is not None:
                    raise InputError(f"--{name}", f"says nothing about the source {self.source}")
        return self.source

    @property
    def length(self) -> int:
        """Bits of a generated sequence."""
        return 1_000_000 if self.bits is None else self.bits

    def check(self) -> None:
        """Raise :class:`InputError` for a number out of range or options that contradict."""
        kind = self.kind
        bounds = {
            "sequences": (1, MOST_SEQUENCES),
            "seed": (0, 2**32 - 1),
            "bits": (SHORTEST, LONGEST),
            "device": (0, 2**32 - 1),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"--{name}", f"is {value}; expected {low} to {high}")
        if self.p is not None and not 0 < self.p < 1:
            raise InputError("--p", f"is {self.p:g}; expected a number above 0 and below 1")
        if self.p is not None and self.code is not None:
            raise InputError("--code", "asks for P(1) a second time; leave out --p or --code")
        if kind != "file" and self.length * self.sequences > MOST_BITS:
            raise InputError(
                "--sequences",
                f"{self.sequences} of {self.length:,} bits are more than {MOST_BITS:,} in all",
            )


def stage_provenance(options: StreamOptions) -> dict[str, Any]:
    """The provenance record of the report."""
    inputs = {
        name: sha256_file(path)
        for name, path in (("cells", options.cells), ("bits", options.bits_file))
        if path is not None
    }
    chosen = asdict(options)
    for name in ("cells", "bits_file", "output", "quiet", "seed"):
        del chosen[name]
    return provenance(
        stage="stream",
        inputs=inputs,
        options={**chosen, "source": options.kind},
        seed=None if options.kind == "file" else options.seed,
        source=SOURCE_PACKAGES,
        libraries=LIBRARIES,
    )
