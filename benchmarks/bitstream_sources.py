"""Part 2: how fast bits are made on one core, ideal ones and those of the device, and if right.

Every contender turns the same numbers in [0, 1] into packed streams of N = 256 bits. A device's
time holds the way from number to DAC code to the probability of that very device (D2D) as well as
the bits. Contenders take turns in short rounds on one core. Times are those of the processor in all
threads (which a busy machine's waiting does not enter), rates and ratios those of each one's best
round.

In the same run: the shares of ones of the timed streams against their devices' probabilities, then
P and lag-1 of longer streams at fixed probabilities against exact values. The z-scores of all
contenders together exceed the bound with a chance of 1e-3 (Bonferroni).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numba
import numpy as np
import xarray as xr
from scipy.special import log_ndtr, ndtr
from scipy.stats import norm

from circuits.sng.chain import bit_statistics, memory_statistics
from devices.law import SwitchingLaw
from devices.presets import knag2014
from formats.cells import Cells
from formats.seeds import generator
from system.arithmetic.operands import Deviation, Generators, ReadOut
from system.bitstream.sources import Bernoulli, BitSource, DeviceSource, Lfsr, Sobol, key_of

STREAMS, LENGTH = 16384, 256
ROUNDS = 40
CHECKED_STREAMS, CHECKED_LENGTH = 512, 4096
PROBABILITIES = np.linspace(0.04, 0.96, 12)
BINS = 8
FAMILY = 1e-3
"""Chance that any z-score of the run is beyond the bound."""
E01, E10, RESET, MEMORY, C2C = 1e-3, 2e-3, 0.9, 0.6, 0.5
"""Read errors, P(RESET), and spread of the devices (assumed; 0.6 is what one public record has)."""
_WIDTH = 1e-4
_NODES, _EDGE = 160, 8.0

Statistics = Callable[[float], tuple[float, float]]
"""From the probability asked to the exact P and lag-1 correlation."""


@dataclass(frozen=True)
class Contender:
    """A source with the way from numbers to its probabilities; ``exact`` None: not random."""

    name: str
    source: BitSource
    probability: Callable[[], np.ndarray]
    exact: Statistics | None


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure, check, print, and return the content of the result file."""
    number = generator(0, "benchmark", "sources").random(STREAMS)
    contenders = list(_contenders(number))
    with _one_core():
        rows, shares = _timed(contenders, number, rounds)
    z = shares + _checked(contenders)
    bound = float(norm.isf(FAMILY / 2 / len(z)))
    by_name = {row["name"]: row for row in rows}
    for row in rows:
        mine = [abs(score) for name, score in z if name == row["name"]]
        row["largest_z"] = max(mine, default=None)
    print(f"{'source':34} {'Gbit/s':>7} {'bits only':>9} {'time, x ideal':>13} {'max |z|':>7}")
    for row in rows:
        largest = "" if row["largest_z"] is None else f"{row['largest_z']:.2f}"
        print(
            f"{row['name']:34} {row['gbit_per_s']:7.3f} {row['bits_only_gbit_per_s']:9.3f} "
            f"{row['slower_than_ideal']:13.2f} {largest:>7}"
        )
    print(f"{len(z)} z-scores, bound {bound:.2f} (family-wise {FAMILY:g})")
    worst = max(abs(score) for _, score in z)
    verdict = [
        _row("ideal streams >= 2 Gbit/s a core", by_name["ideal"]["gbit_per_s"], 2.0),
        *(
            {
                "asked": f"{name}: at most {most} x the ideal streams' time",
                "reached": by_name[name]["slower_than_ideal"],
                "met": by_name[name]["slower_than_ideal"] <= most,
            }
            for name, most in (("device, independent cycles", 1.5), ("device, failing RESET", 4.0))
        ),
        *(
            _row(f"{name} >= 0.05 Gbit/s a core", by_name[name]["gbit_per_s"], 0.05)
            for name in ("device, memory", "device, memory and C2C")
        ),
        {
            "asked": f"all |z| of P and lag-1 below {bound:.2f}",
            "reached": worst,
            "met": worst < bound,
        },
    ]
    return {
        "shows": "making of packed bits on one core, from numbers to streams of 256 bits",
        "streams": STREAMS,
        "length": LENGTH,
        "rounds": rounds,
        "device": {
            "e01": E01,
            "e10": E10,
            "Pr": RESET,
            "memory": MEMORY,
            "sigma_ln_tau_c2c": C2C,
            "source": "assumed",
        },
        "family_wise_error": FAMILY,
        "z_scores": len(z),
        "z_bound": bound,
        "rows": rows,
        "verdict": verdict,
    }


def _row(asked: str, reached: float, least: float) -> dict[str, Any]:
    return {"asked": asked, "reached": reached, "met": reached >= least}


def _contenders(number: np.ndarray) -> Iterator[Contender]:
    def plain() -> np.ndarray:
        return number

    yield Contender("ideal", Bernoulli(), plain, lambda p: (np.rint(p * 65536) / 65536, 0.0))
    for name, reset, memory, c2c in (
        ("device, independent cycles", 1.0, 0.0, 0.0),
        ("device, failing RESET", RESET, 0.0, 0.0),
        ("device, memory", 1.0, MEMORY, 0.0),
        ("device, memory and C2C", 1.0, MEMORY, C2C),
        ("device, memory, C2C, failing RESET", RESET, MEMORY, C2C),
    ):
        law, read_out = _law(memory, c2c), ReadOut(reset, E01, E10)
        generators = demo_generators(law, read_out)
        deviation = generators.draw_devices(generator(1, "benchmark", "sources"), (STREAMS,))
        source = DeviceSource.of(generators)
        yield Contender(
            name, source, _through_devices(generators, deviation, number), _exact(source)
        )
    yield Contender("LFSR, 8 bits", Lfsr(8), plain, None)
    yield Contender("LFSR, 16 bits", Lfsr(16), plain, None)
    yield Contender("Sobol, 8 bits", Sobol(8), plain, None)


def _through_devices(
    generators: Generators, deviation: Deviation, number: np.ndarray
) -> Callable[[], np.ndarray]:
    function, numbers = jax.jit(generators.probability), jnp.asarray(number, jnp.float32)

    def probability() -> np.ndarray:
        return np.asarray(function(numbers, deviation))

    return probability


def _timed(
    contenders: list[Contender], number: np.ndarray, rounds: int
) -> tuple[list[dict[str, Any]], list[tuple[str, float]]]:
    """Rows of the table, and z-scores of the timed streams' shares, in bins of probability."""
    address = np.arange(STREAMS, dtype=np.uint32), np.zeros(STREAMS, np.uint32), 0, key_of(0)
    words = np.empty((STREAMS, LENGTH // 64), np.uint64)
    plain = generator(2, "benchmark", "sources")
    taken: dict[str, list[tuple[float, float]]] = {c.name: [] for c in contenders}
    numpy_taken = []
    scores = []
    for index in range(rounds + 1):  # the first one compiles
        for contender in contenders:
            begun = time.process_time()
            opened = contender.source.open(contender.probability(), *address)
            ready = time.process_time()
            opened.read(words)
            done = time.process_time()
            if index:
                taken[contender.name].append((done - begun, done - ready))
            elif contender.exact is not None:
                scores += _shares(contender, words)
        begun = time.process_time()
        np.packbits(plain.random((STREAMS, LENGTH)) < number[:, None], axis=-1, bitorder="little")
        if index:
            numpy_taken.append((time.process_time() - begun,) * 2)
    taken["numpy random() < p, packed"] = numpy_taken
    ideal = min(total for total, _ in taken["ideal"])
    rows = []
    for name, times in taken.items():
        total, bits = np.array(times).min(axis=0)
        rows.append(
            {
                "name": name,
                "gbit_per_s": STREAMS * LENGTH / float(total) / 1e9,
                "bits_only_gbit_per_s": STREAMS * LENGTH / float(bits) / 1e9,
                "slower_than_ideal": float(total / ideal),
            }
        )
    return rows, scores


def _shares(contender: Contender, words: np.ndarray) -> list[tuple[str, float]]:
    p = contender.probability()
    miss = np.bitwise_count(words).sum(axis=1) / LENGTH - p
    parts = np.array_split(miss[np.argsort(p)], BINS)
    return [(contender.name, _score(part)) for part in parts]


def _checked(contenders: list[Contender]) -> list[tuple[str, float]]:
    """z-scores of P and of lag-1 at fixed probabilities."""
    scores = []
    for contender in contenders:
        if contender.exact is None:
            continue
        for index, asked in enumerate(PROBABILITIES):
            p, lag1 = contender.exact(float(asked))
            stream = contender.source.stream(
                np.full(CHECKED_STREAMS, asked), CHECKED_LENGTH, seed=1, purpose=index
            )
            miss = stream.unpack() - p
            product = np.mean(miss[:, 1:] * miss[:, :-1], axis=1) - lag1 * p * (1 - p)
            scores += [(contender.name, _score(part)) for part in (miss.mean(axis=1), product)]
    return scores


def _score(miss: np.ndarray) -> float:
    """Mean over streams, which are independent, in standard errors."""
    return float(miss.mean() / (miss.std(ddof=1) / np.sqrt(miss.size)))


def _exact(source: DeviceSource) -> Statistics:
    """P and lag-1 of the bits read, from the chain of the stored bit (and of its scores)."""
    r, spread = source.read_out, source.law.spread

    def statistics(asked: float) -> tuple[float, float]:
        ps = float(source.switching(np.array([asked]))[0])
        if source.independent:
            return float(np.rint(asked * 65536) / 65536), 0.0
        if spread.memory.value == 0:
            chain = bit_statistics(ps, r.reset, r.e01, r.e10)
            return chain.probability, chain.lag1
        if spread.sigma_ln_tau_c2c.value == 0:
            stored = memory_statistics(ps, r.reset, spread.memory.value)
            pi, lag1 = stored.probability, stored.lag1
        else:
            pi, lag1 = _stored_with_c2c(source.law, ps, r.reset)
        p = float(r.read(np.array([ps]))[0])
        return p, lag1 * (1 - r.e01 - r.e10) ** 2 * pi * (1 - pi) / (p * (1 - p))

    return statistics


def _stored_with_c2c(law: SwitchingLaw, ps: float, reset: float) -> tuple[float, float]:
    """pi and lag-1 of the stored bit: the chain of (score, bit) solved on nodes of the score."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    z, w = _EDGE * x, _EDGE * w
    rho = law.spread.memory.value
    fresh = w * norm.pdf(z, rho * z[:, None], np.sqrt(1 - rho * rho))
    fresh /= fresh.sum(axis=1, keepdims=True)
    ln_u = np.log(law.exposure_of_probability(np.array([ps]))[0])
    ln_y = np.log(law.family.threshold(-log_ndtr(-z), law.shape_value))
    sets = ndtr((ln_u - ln_y) / law.spread.sigma_ln_tau_c2c.value)
    # Renewals have normal scores in the long run; one that set the bit lasts 1/Pr cycles.
    each = w * norm.pdf(z)
    lasting = each * sets / reset
    total = lasting.sum() + (each * (1 - sets)).sum()
    pi = lasting.sum() / total
    both = lasting @ ((1 - reset) + reset * (fresh @ sets)) / total
    return float(pi), float((both - pi * pi) / (pi * (1 - pi)))


def _law(memory: float, c2c: float) -> SwitchingLaw:
    law = knag2014().set
    spread = law.spread
    return replace(
        law,
        spread=replace(
            spread,
            memory=replace(spread.memory, value=memory),
            sigma_ln_tau_c2c=replace(spread.sigma_ln_tau_c2c, value=c2c),
        ),
    )


def demo_generators(law: SwitchingLaw, read_out: ReadOut) -> Generators:
    """The generators of a cells.nc with 1,024 DAC codes of evenly spaced voltages, in memory."""
    voltage = np.linspace(2.4, 3.9, 101)
    codes = np.concatenate([[0.0], np.linspace(2.4, 3.9, 1023)])
    conditions = ("write_voltage", "pulse_width", "temperature", "corner")
    environment = ("temperature", "corner")
    sng = xr.Dataset(
        {
            "exposure": (conditions, (law.rate(voltage) * _WIDTH)[:, None, None, None]),
            "lag1": (conditions, np.zeros((101, 1, 1, 1))),
            "code_voltage": ("code", codes),
            "code_exposure": ("code", law.rate(codes) * _WIDTH),
            "Pr": (environment, [[read_out.reset]]),
            "e01": (environment, [[read_out.e01]]),
            "e10": (environment, [[read_out.e10]]),
        },
        {
            "write_voltage": voltage,
            "pulse_width": [_WIDTH],
            "temperature": [300.0],
            "corner": ["tt"],
        },
    )
    device = replace(knag2014(), set=law)
    attributes = {"device_json": json.dumps(device.to_dict())}
    return Generators.from_cells(Cells(Path("in memory"), "", attributes, {"sng": sng}))


@contextmanager
def _one_core() -> Iterator[None]:
    """All threads of this process on one core, and one thread of Numba."""
    tasks = Path("/proc/self/task")
    cores, before = os.sched_getaffinity(0), numba.get_num_threads()
    numba.set_num_threads(1)
    for task in tasks.iterdir():
        os.sched_setaffinity(int(task.name), {max(cores)})
    try:
        yield
    finally:
        numba.set_num_threads(before)
        for task in tasks.iterdir():
            os.sched_setaffinity(int(task.name), cores)


if __name__ == "__main__":
    run()
