"""Where the bits of a report come from, and what their source says about them beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from formats.cells import Cells, at_nominal, read_cells
from formats.errors import InputError
from formats.seeds import generator
from system.bitstream.packed import BitStream, words_of
from system.bitstream.report.bits_file import read_bits
from system.bitstream.report.options import SHORTEST, StreamOptions
from system.bitstream.sources import Bernoulli, BitSource, DeviceSource, Lfsr, Sobol, key_of
from system.kernels.bernoulli import clear_tail

if TYPE_CHECKING:
    from system.arithmetic.operands import Generators

DEFAULT_P = 0.5
_PURPOSE = 0x5742
"""Address of the report's streams, unlike that of any product."""


@dataclass(frozen=True, eq=False)
class Origin:
    """``sequences`` of ``length`` bits; ``text`` says whose they are.

    ``asked`` is P(1) asked for; ``expected`` what the source says it makes of that, ``why`` in
    words; ``expected_lag1`` the correlation of neighbours it says it has (None: it does not tell).
    ``source`` is None for a file, whose ``bits`` (S, n) are there already.
    """

    kind: str
    text: str
    asked: float
    expected: float | None
    why: str
    expected_lag1: float | None
    length: int
    sequences: int
    source: BitSource | None = None
    key: np.ndarray | None = None
    bits: np.ndarray | None = None

    def packed(self) -> Iterator[BitStream]:
        """The sequences, one by one.

        Those of a generator follow each other in one stream, up to 63 bits between them left out
        so that each starts with a word: memory and a register's state go on.
        """
        if self.source is None:
            assert self.bits is not None
            for row in self.bits:
                yield BitStream.pack(row)
            return
        assert self.expected is not None and self.key is not None
        number = np.zeros(1, np.uint32)
        opened = self.source.open(np.array([self.expected]), number, number, _PURPOSE, self.key)
        for _ in range(self.sequences):
            words = np.empty((1, words_of(self.length)), np.uint64)
            opened.read(words)
            clear_tail(words, self.length)
            yield BitStream(words[0], self.length)


def find(options: StreamOptions) -> Origin:
    """The origin that the options ask for; raises :class:`InputError`."""
    options.check()
    if options.kind == "file":
        return _file(options)
    if options.kind == "device":
        return _device(options)
    return _generator(options)


def _file(options: StreamOptions) -> Origin:
    assert options.bits_file is not None
    bits = read_bits(options.bits_file)
    if bits.ndim == 1:
        length = bits.size // options.sequences if options.bits is None else options.bits
        if length * options.sequences > bits.size or length == 0:
            raise InputError(
                options.bits_file,
                f"holds {bits.size:,} bits; {options.sequences} sequences of {max(length, 1):,} "
                "are asked for",
            )
        total = bits.size
        bits = bits[: length * options.sequences].reshape(options.sequences, length)
    else:
        total = bits.size
        if options.sequences not in (1, len(bits)):
            raise InputError(
                options.bits_file,
                f"holds {len(bits)} sequences, --sequences asks for {options.sequences}; leave "
                "the option out",
            )
        if options.bits is not None:
            if options.bits > bits.shape[1]:
                raise InputError(
                    options.bits_file,
                    f"holds sequences of {bits.shape[1]:,} bits, --bits asks for {options.bits:,}",
                )
            bits = bits[:, : options.bits]
    if bits.shape[1] < SHORTEST:
        raise InputError(
            options.bits_file,
            f"gives sequences of {bits.shape[1]} bits; no test says anything below {SHORTEST}",
        )
    asked = DEFAULT_P if options.p is None else options.p
    text = f"{options.bits_file.name}"
    if bits.size < total:
        text += f", {bits.size:,} of its {total:,} bits"
    return Origin("file", text, asked, None, "", None, bits.shape[1], len(bits), bits=bits)


def _generator(options: StreamOptions) -> Origin:
    asked = DEFAULT_P if options.p is None else options.p
    source: BitSource
    if options.kind == "ideal":
        source, text, lag1 = Bernoulli(), "ideal independent bits", 0.0
        expected, why = round(asked * 65536) / 65536, "the nearest 1/65536"
    else:
        try:
            made = (Lfsr if options.kind == "lfsr" else Sobol)(options.width)
        except ValueError as error:
            raise InputError("--width", str(error)) from error
        period = made.period if isinstance(made, Lfsr) else 2**made.width
        expected = float(made.thresholds(np.array(asked))) / period
        source, lag1, why = made, None, f"the nearest 1/{period}"
        kind = "LFSR" if options.kind == "lfsr" else "Sobol numbers"
        text = f"{kind} of {options.width} bits and comparator, repeating every {period:,} clocks"
    if not 0 < expected < 1:
        raise InputError("--p", f"is {asked:g}: the nearest this source has is {expected:g}")
    return Origin(
        options.kind, text, asked, expected, why, lag1, options.length, options.sequences,
        source, key_of(options.seed),
    )  # fmt: skip


def _device(options: StreamOptions) -> Origin:
    # JAX comes with the arithmetic's view of cells.nc; only this source needs it.
    import jax.numpy as jnp

    from system.arithmetic.operands import REGISTER_BITS, Deviation, Generators

    assert options.cells is not None
    cells = read_cells(options.cells)
    generators = Generators.from_cells(cells, options.code)
    number = DEFAULT_P if options.p is None else options.p
    code = options.code
    if code is None:
        code = int(_code_of_level(cells, generators)[round(number * 2**REGISTER_BITS)])
    nominal = Deviation(jnp.zeros(()), None)
    device, name = nominal, "nominal device"
    if options.device is not None:
        drawn = generators.draw_devices(generator(options.seed, "device", options.device), ())
        device, name = drawn, f"device {options.device} of the population"
    expected = float(generators.probability(jnp.asarray(number, jnp.float32), device))
    plain = float(generators.probability(jnp.asarray(number, jnp.float32), nominal))
    source = DeviceSource.of(generators)
    if not 0 < expected < 1:
        raise InputError(
            "--p" if options.code is None else "--code",
            f"makes P(1) = {expected:g} at this device; expected a number between 0 and 1",
        )
    why = f"DAC code {code}"
    if options.device is not None:
        why += f" (nominal device: {plain:.5g}) and the deviation of this device"
    asked = plain if options.code is not None else number
    return Origin(
        "device", f"{name} of {options.cells.name}, DAC code {code}", asked, expected, why,
        _lag1(source, expected), options.length, options.sequences, source, key_of(options.seed),
    )  # fmt: skip


def _code_of_level(cells: Cells, generators: Generators) -> np.ndarray:
    """The DAC code of each value of the operand register."""
    from system.arithmetic.operands import nearest_code

    exposure = at_nominal(cells.sng)["code_exposure"].to_numpy()
    switching = generators.law.probability_of_exposure(exposure)
    return nearest_code(generators.read_out.read(switching))


def _lag1(source: DeviceSource, probability: float) -> float | None:
    """Correlation of neighbouring bits (derived); None where it has no closed form here.

    Of the stored bits: (1 - Ps)(1 - Pr) where a RESET can fail; with memory rho and perfect RESETs
    P(both scores of a bivariate normal below Phi^-1(Ps)), less Ps^2, over Ps (1 - Ps). Read errors,
    independent, weaken it by the share of the variance of the bits read that the stored ones have.
    """
    errors, spread = source.read_out, source.law.spread
    rho = float(spread.memory.value)
    ps = float(source.switching(np.array([probability]))[0])
    stored = float(errors.stored(np.array([ps]))[0])
    if rho and (errors.reset < 1 or spread.sigma_ln_tau_c2c.value):
        return None
    if rho:
        both = multivariate_normal.cdf([ndtri(ps)] * 2, cov=[[1, rho], [rho, 1]])
        correlation = (float(both) - ps**2) / (ps * (1 - ps))
    else:
        correlation = (1 - ps) * (1 - errors.reset)
    kept = stored * (1 - stored) * (1 - errors.e01 - errors.e10) ** 2
    return correlation * kept / (probability * (1 - probability))
