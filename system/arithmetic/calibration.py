"""Calibration against D2D: each SNG gets a trim word for its DAC code, found from read-backs.

The rule, ours (assumed; no paper's), is one a sequencer can do for all SNGs alike. In a first
round half of the read-backs are taken at one code, whose nominal P is one of ``AIMS``, and the ones
counted; a table shared by all SNGs gives from the count what to add to the trim word. A second
round takes the rest at the trimmed voltage, so that devices far off, which read nearly all 0 or 1
at first, are met again where a bit tells most. Where V0 spreads much, the second round reads a
low and a high code, and two sums of table entries give the words of an offset and of a gain:

    code written = code + step (offset word) + gain_step (gain word) (code - pivot), rounded.

The tables hold what the spread known of the population and the binomial law of the counts make
the best guess: the mean of the wanted shift given the count (with two codes, the best linear
combination of both means), so few read-backs correct little rather than wrongly. They take
read-backs for independent bits; the read-backs simulated are those of the source, memory and
failing RESETs included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from formats.errors import InputError
from formats.seeds import generator
from system.arithmetic.operands import REGISTER_BITS, Deviation, Generators
from system.arithmetic.trim_tables import Round, TrimWords, at_code, tables_of
from system.bitstream.sources.device import DeviceSource

READBACKS = (4, 512)
TRIM_BITS = (1, 12)
DEFAULT_READBACKS, DEFAULT_TRIM_BITS = 64, 5
AIMS = (0.5, 0.75)
"""Nominal P of the first code, both tried. The Fisher information of a bit of an exponential device
on ln tau, u^2/(e^u - 1) [derived], is greatest at P = 0.80 and there 35 % above that of P = 1/2;
wide spreads and a DAC that ends near by pull the best code down."""
ENDS = (0.25, 0.75)
"""Nominal P of the two codes of the second round where there is a gain word (simulated: the error
of P differs by less than 5 % from that of other pairs)."""
NUMBERS = np.linspace(0.05, 0.95, 19)
"""Numbers asked for where errors of P are averaged."""
TRIED = 8192
"""Devices drawn for the errors before and after."""


@dataclass(frozen=True)
class CalibrationCost:
    """What calibration asks of the hardware.

    Per SNG: ``readbacks`` bits, each a cycle of RESET, write and read, ``trim_bits`` of register,
    ``adder_bits`` of the adder of trim and code, ``multiplier_bits`` of the gain word that meets
    the code (0: no gain). ``counter_bits`` count one round's ones (one counter per SNG calibrated
    at a time). Shared by all: ``table_bits`` of tables.
    """

    readbacks: int
    trim_bits: int
    adder_bits: int
    multiplier_bits: int
    counter_bits: int
    table_bits: int


class Errors(NamedTuple):
    """Rms over devices: of ln tau at the pivot's voltage, and of P less the number asked for.

    The latter over ``NUMBERS`` as well.
    """

    ln_tau: float
    probability: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """A calibration planned for a population.

    ``words`` are the registers of an SNG, ``codes`` the number of DAC codes. ``before`` and
    ``after`` are the errors of ``TRIED`` devices drawn from the population (so known to 1 %),
    with all ends of words and of the DAC, which have no closed form.
    """

    words: TrimWords
    rounds: tuple[Round, ...]
    codes: int
    before: Errors
    after: Errors

    @classmethod
    def plan(
        cls,
        generators: Generators,
        readbacks: int = DEFAULT_READBACKS,
        trim_bits: int = DEFAULT_TRIM_BITS,
    ) -> Calibration:
        """Codes, steps and tables for the D2D spread of ``generators``.

        Those should be at the nominal temperature and corner, which are what a designer knows.
        The codes read are the ones that leave the least error of P; where V0 spreads, also a gain
        word is tried. Raises
        :class:`InputError` naming ``--calibrate`` or ``--trim-bits``.
        """
        if not READBACKS[0] <= readbacks <= READBACKS[1]:
            raise InputError(
                "--calibrate",
                f"is {readbacks}; expected 0 (none) or {READBACKS[0]} to {READBACKS[1]} read-backs",
            )
        if not TRIM_BITS[0] <= trim_bits <= TRIM_BITS[1]:
            raise InputError(
                "--trim-bits", f"is {trim_bits}; expected {TRIM_BITS[0]} to {TRIM_BITS[1]}"
            )
        spreads = generators.law.spread.sigma_ln_v0_d2d.value > 0
        plans = [
            cls.at_codes(generators, readbacks, trim_bits, aim, ends)
            for ends in (((), ENDS) if spreads else ((),))
            for aim in AIMS
        ]
        return min(plans, key=lambda plan: plan.after.probability)

    @classmethod
    def at_codes(
        cls,
        generators: Generators,
        readbacks: int,
        trim_bits: int,
        aim: float,
        ends: tuple[float, ...] = (),
    ) -> Calibration:
        """The same with codes of these nominal P: the first one, and two for a gain word."""
        words, rounds = tables_of(generators, readbacks, trim_bits, aim, ends)
        nothing = Errors(0.0, 0.0)
        plan = cls(words, rounds, generators.code_voltage.size, nothing, nothing)
        devices = generators.draw_devices(generator(0, "calibration", "devices"), (TRIED,))
        trimmed = plan.trim(generators, devices, generator(0, "calibration", "read-backs"))
        before, after = (_errors(generators, words.pivot, d) for d in (devices, trimmed))
        return replace(plan, before=before, after=after)

    def trim(
        self, generators: Generators, devices: Deviation, random: np.random.Generator
    ) -> Deviation:
        """The devices with the trim that read-backs of their own give them.

        ``generators`` are those at the condition under which the read-backs are taken.
        """
        words = np.zeros((self.words.count, *np.shape(devices.ln_tau)))
        for step in self.rounds:
            so_far = devices._replace(trim=self.words.trim(words))
            counts = tuple(
                _ones(generators, code, so_far, step.readbacks, random) for code in step.codes
            )
            words = self.words.within(words + step.words(counts))
        return devices._replace(trim=self.words.trim(words))

    @property
    def cost(self) -> CalibrationCost:
        """Read-backs, registers and tables."""
        words = self.words
        entries = sum(table.size for step in self.rounds for table in step.tables)
        return CalibrationCost(
            readbacks=sum(len(step.codes) * step.readbacks for step in self.rounds),
            trim_bits=words.count * words.bits,
            adder_bits=(self.codes - 1).bit_length(),
            multiplier_bits=0 if words.gain_step is None else words.bits,
            counter_bits=max(step.readbacks for step in self.rounds).bit_length(),
            table_bits=entries * words.bits,
        )

    def to_dict(self) -> dict[str, Any]:
        """What was done, in plain types for JSON."""
        return {
            "readbacks": self.cost.readbacks,
            "trim_bits": self.words.bits,
            "step_codes": self.words.step,
            "gain_step": self.words.gain_step,
            "codes": [list(step.codes) for step in self.rounds],
            "rms_ln_tau": [self.before.ln_tau, self.after.ln_tau],
            "rms_probability": [self.before.probability, self.after.probability],
        }

    def sentence(self) -> str:
        """What was done, for people."""
        words, cost = self.words, self.cost
        gain = "" if words.gain_step is None else " and of a gain"
        return (
            f"calibrated by {cost.readbacks} read-backs per SNG, trim words of {words.bits} bits "
            f"for steps of {words.step} DAC codes{gain}: rms error of P "
            f"{self.before.probability:.3f} before, {self.after.probability:.3f} after (simulated)"
        )


def calibrate(
    generators: Generators,
    devices: Deviation,
    random: np.random.Generator,
    readbacks: int = DEFAULT_READBACKS,
    trim_bits: int = DEFAULT_TRIM_BITS,
) -> Deviation:
    """Plan for these generators and trim these devices; for many layers plan once."""
    return Calibration.plan(generators, readbacks, trim_bits).trim(generators, devices, random)


def _errors(generators: Generators, pivot: int, devices: Deviation) -> Errors:
    own, _ = at_code(generators, pivot, devices)
    shift = own - float(generators.code_ln_exposure[pivot])
    codes = generators.level_code[np.rint(NUMBERS * 2**REGISTER_BITS).astype(int)]
    found = np.array([at_code(generators, int(code), devices)[1] for code in codes])
    return Errors(*(float(np.sqrt(np.mean(x**2))) for x in (shift, found - NUMBERS[:, None])))


def _ones(
    generators: Generators,
    code: int,
    devices: Deviation,
    readbacks: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Ones among the read-backs of each device at one code."""
    _, chance = at_code(generators, code, devices)
    source = DeviceSource.of(generators)
    if source.independent:
        return random.binomial(readbacks, chance)
    seed = int(random.integers(2**32))
    return np.asarray(source.stream(chance, readbacks, seed=seed).count())
