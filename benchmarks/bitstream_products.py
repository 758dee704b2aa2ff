"""Part 1: packed products beside the machine's limit, numpy and a float-tensor simulator.

Work is counted as outputs x products x clocks. Contenders take turns; best and median of rounds.
The ceiling is the sum of popcounts of an array that stays in the first-level cache, in all threads
at once: a loop that loads, counts and adds, nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numba
import numpy as np
from numba import njit

from benchmarks.float_simulator import FloatSimulator, shared_streams
from system.bitstream.sources.sobol import Sobol
from system.kernels.bernoulli import bernoulli, thresholds
from system.kernels.gather import aligned
from system.kernels.matmul import and_count_matmul, xnor_count_matmul
from system.kernels.threads import in_threads
from system.kernels.tiles import popcount

LENGTH, PRODUCTS = 256, 256
LARGE, LAYER = (1024, 1024), (64, 256)
"""Outputs: a large product, and the layer 64 x 256 x 256 simulators are compared on."""
RESIDENT = 2048
"""Words of an array that fills half a first-level cache."""
ALIKE = 1.1
"""Largest ratio of root mean squared errors that counts as equal."""
CLOCKS = 4
"""Clocks the float simulators are timed over: each clock takes them equally long."""
LIMIT_SHARE, NUMPY_RATIO, SIMULATOR_RATIO, SIMULATOR_RATE = 0.6, 10.0, 300.0, 0.2
Contenders = dict[str, tuple[Callable[[], Any], float]]


@dataclass(frozen=True)
class Timed:
    """Seconds of the rounds of a contender and its work in bits."""

    bits: float
    seconds: list[float]

    def rate(self) -> float:
        """Best rate (Gbit/s)."""
        return self.bits / min(self.seconds) / 1e9

    def content(self) -> dict[str, float]:
        """Rates (Gbit/s), rounded for a file."""
        median = float(np.median(self.seconds))
        return {
            "best": float(f"{self.rate():.4g}"),
            "median": float(f"{self.bits / median / 1e9:.4g}"),
        }


@njit(nogil=True, cache=True)
def _stream(words, repeats):  # type: ignore[no-untyped-def]
    total = np.uint64(0)
    for n in range(repeats):
        for i in range(words.size):
            total += popcount(words[i])
        words[n % words.size] ^= np.uint64(1)  # the next pass is no repetition to the compiler
    return total


@njit(nogil=True, cache=True)
def _stream_xor(a, b, repeats):  # type: ignore[no-untyped-def]
    total = np.uint64(0)
    for n in range(repeats):
        for i in range(a.size):
            total += popcount(a[i] ^ b[i])
        a[n % a.size] ^= np.uint64(1)
    return total


def _ceilings(repeats: int = 20_000) -> Contenders:
    """Popcount alone, and XOR of two loads before it, in all threads; each on its own arrays."""
    threads = numba.get_num_threads()
    # Whole cache lines: vectors that straddle two of them would lower the ceiling.
    arrays = aligned(threads * 2 * RESIDENT).reshape(threads, 2, RESIDENT)
    arrays[:] = np.random.default_rng(0).integers(0, 2**64, arrays.shape, np.uint64)

    def one(tasks: np.ndarray) -> None:
        for n in tasks:
            _stream(arrays[n, 0], repeats)

    def two(tasks: np.ndarray) -> None:
        for n in tasks:
            _stream_xor(arrays[n, 0, : RESIDENT // 2], arrays[n, 1, : RESIDENT // 2], repeats)

    bits = 64.0 * threads * repeats * RESIDENT
    every = np.arange(threads)
    return {
        "ceiling: popcount of one array": (lambda: in_threads(one, every), bits),
        "ceiling: XNOR of two arrays, popcount": (lambda: in_threads(two, every), bits / 2),
    }


def _operands(outputs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    words = PRODUCTS * LENGTH // 64
    a, b = (rng.integers(0, 2**64, (rows, words), np.uint64) for rows in outputs)
    return a, b


def _numpy_xnor(a: np.ndarray, b: np.ndarray, rows: int, kind: str) -> np.ndarray:
    """Differing bits with ``np.bitwise_count``, ``rows`` of b at a time, in all threads."""
    out = np.empty((len(a), len(b)), np.int64)
    ones = np.ones(a.shape[1], np.float32)

    def part(first: int) -> None:
        buffer = np.empty((rows, a.shape[1]), np.uint64)
        count = np.empty((rows, a.shape[1]), np.uint8)
        for i in range(first, len(a), threads):
            for j in range(0, len(b), rows):
                n = min(rows, len(b) - j)
                np.bitwise_xor(a[i], b[j : j + n], out=buffer[:n])
                np.bitwise_count(buffer[:n], out=count[:n])
                if kind == "float":
                    out[i, j : j + n] = count[:n].astype(np.float32) @ ones
                else:
                    out[i, j : j + n] = count[:n].sum(axis=1, dtype=kind)

    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, range(threads)))
    return out


def _best_numpy(a: np.ndarray, b: np.ndarray) -> tuple[int, str]:
    """The blocking with which numpy is fastest here: rows of b at a time, and how it adds."""

    def seconds(choice: tuple[int, str]) -> float:
        return min(_seconds(lambda: _numpy_xnor(a, b, *choice)) for _ in range(2))

    return min(
        ((rows, kind) for rows in (4, 16, 64) for kind in ("u4", "i8", "float")), key=seconds
    )


def _matmuls() -> tuple[Contenders, dict[str, Any]]:
    contenders: Contenders = {}
    blocking: dict[str, Any] = {}
    for name, outputs in (("1024 x 1024", LARGE), ("64 x 256", LAYER)):
        a, b = _operands(outputs)
        bits = float(PRODUCTS * LENGTH)
        work = bits * outputs[0] * outputs[1]
        some = a[:16]
        blocking[name] = _best_numpy(some[:4], b)
        contenders[f"{name}: XNOR and count"] = (
            partial(xnor_count_matmul, a, b, PRODUCTS * LENGTH),
            work,
        )
        contenders[f"{name}: AND and count"] = (partial(and_count_matmul, a, b), work)
        contenders[f"{name}: numpy bitwise_count"] = (
            partial(_numpy_xnor, some, b, *blocking[name]),
            bits * len(some) * outputs[1],
        )
        agreeing = xnor_count_matmul(some, b, PRODUCTS * LENGTH)
        differing = _numpy_xnor(some, b, *blocking[name])
        if not np.array_equal(agreeing, PRODUCTS * LENGTH - differing):
            raise AssertionError("the kernel and numpy count differently")
    return contenders, blocking


@dataclass(frozen=True, eq=False)
class Layer:
    """Operands of the layer, on the simulator's grid of 1/256; P(1) of their streams."""

    bipolar: bool
    x: np.ndarray
    w: np.ndarray

    @classmethod
    def drawn(cls, bipolar: bool) -> Layer:
        rng = np.random.default_rng(2)
        x, w = (np.rint(256 * rng.random((n, PRODUCTS))) / 256 for n in LAYER)
        return cls(bipolar, x, w)

    def sums(self, counts: np.ndarray, length: int) -> np.ndarray:
        """Sums of products that counts of ones stand for."""
        return 2 * counts / length - PRODUCTS if self.bipolar else counts / length

    def rmse(self, counts: np.ndarray, length: int) -> float:
        """Against the exact sums of the first outputs."""
        x, w = (2 * self.x - 1, 2 * self.w - 1) if self.bipolar else (self.x, self.w)
        rows, columns = counts.shape
        error = self.sums(counts, length) - (x[:rows] @ w[:columns].T)
        return float(np.sqrt(np.mean(error**2)))

    def bernoulli_bits(self, length: int, first_life: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Independent streams of the operands, (rows, words)."""
        made = []
        for purpose, p in enumerate((self.x, self.w)):
            streams = np.arange(p.size, dtype=np.uint32)
            lives = np.full(p.size, first_life, np.uint32)
            key = np.array([3, 4], np.uint32)
            words = bernoulli(thresholds(p.ravel()), streams, lives, purpose, key, length)
            made.append(words.reshape(len(p), -1))
        return made[0], made[1]

    def sobol_bits(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Low-discrepancy streams: all inputs share one dimension, all weights another."""
        made = []
        width = (length - 1).bit_length()
        for dimension, p in enumerate((self.x, self.w)):
            words = np.empty((p.size, length // 64), np.uint64)
            streams = np.full(p.size, dimension, np.uint32)
            lives, key = np.zeros(p.size, np.uint32), np.zeros(2, np.uint32)
            Sobol(width).open(p.ravel(), streams, lives, 0, key).read(words)
            made.append(words.reshape(len(p), -1))
        return made[0], made[1]

    def count(self, a: np.ndarray, b: np.ndarray, length: int) -> np.ndarray:
        if self.bipolar:
            return xnor_count_matmul(a, b, PRODUCTS * length)
        return and_count_matmul(a, b)


def _simulators(layer: Layer) -> Contenders:
    x, w = layer.x.astype(np.float32), layer.w.astype(np.float32)
    whole = FloatSimulator(x, w, LENGTH, layer.bipolar)
    blocked = FloatSimulator(x, w, LENGTH, layer.bipolar, samples=4)
    a, b = layer.bernoulli_bits(LENGTH)
    outputs = LAYER[0] * LAYER[1] * PRODUCTS
    bits, some = float(outputs * LENGTH), float(outputs * CLOCKS)
    contenders: Contenders = {
        "packed, streams given": (lambda: layer.count(a, b, LENGTH), bits),
        "packed, generation (bits made)": (
            lambda: layer.bernoulli_bits(LENGTH),
            float(sum(LAYER) * PRODUCTS * LENGTH),
        ),
        "packed, bits and products": (
            lambda: layer.count(*layer.bernoulli_bits(LENGTH), LENGTH),
            bits,
        ),
        "float simulator, whole tensors": (lambda: whole.run(CLOCKS), some),
        "float simulator, four samples at a time": (lambda: blocked.run(CLOCKS), some),
    }
    if not layer.bipolar:
        contenders["one float a bit, shared streams, BLAS"] = (
            lambda: shared_streams(x, w, CLOCKS),
            some,
        )
    return contenders


def _precision(layer: Layer) -> dict[str, Any]:
    """RMSE of the sums at 256 bits, and the lengths at which packed streams are as precise."""
    x, w = layer.x.astype(np.float32), layer.w.astype(np.float32)
    simulator = FloatSimulator(x, w, LENGTH, layer.bipolar, samples=4).run()
    theirs = layer.rmse(simulator, LENGTH)
    ours = layer.rmse(layer.count(*layer.bernoulli_bits(LENGTH), LENGTH), LENGTH)
    needed = int(np.ceil(LENGTH * (ours / theirs) ** 2 / 64)) * 64
    counts, done = np.zeros(LAYER, np.int64), 0
    while done < needed:  # in stretches, so that memory stays small; lives make them independent
        part = min(4096, needed - done)
        counts += layer.count(*layer.bernoulli_bits(part, 1 + done // 4096), part)
        done += part
    sobol = LENGTH
    while (
        found := layer.rmse(layer.count(*layer.sobol_bits(sobol), sobol), sobol)
    ) > theirs * ALIKE:
        sobol *= 2
    return {
        "simulator_rmse": theirs,
        "bernoulli_rmse": ours,
        "bernoulli_length": needed,
        "bernoulli_rmse_there": layer.rmse(counts, needed),
        "sobol_length": sobol,
        "sobol_rmse_there": found,
    }


def _seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _rounds(contenders: Contenders, rounds: int) -> Iterator[tuple[str, Timed]]:
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for function, _ in contenders.values():
        function()  # compiled and in cache
    for _ in range(rounds):
        for name, (function, _) in contenders.items():
            seconds[name].append(_seconds(function))
    for name, (_, bits) in contenders.items():
        yield name, Timed(bits, seconds[name])


def _verdict(asked: str, reached: float, wanted: float, unit: str) -> dict[str, Any]:
    return {"asked": asked, "reached": f"{reached:.3g}{unit}", "met": bool(reached >= wanted)}


def run(rounds: int = 7) -> dict[str, Any]:
    """Compare, print the table, return what the results file holds."""
    matmuls, blocking = _matmuls()
    first = dict(_rounds(_ceilings() | matmuls, rounds))
    layers = {"unipolar": Layer.drawn(False), "bipolar": Layer.drawn(True)}
    second = {name: dict(_rounds(_simulators(layer), rounds)) for name, layer in layers.items()}
    precision = {name: _precision(layer) for name, layer in layers.items()}
    ceiling = first["ceiling: popcount of one array"].rate()
    verdict = []
    for name in ("1024 x 1024", "64 x 256"):
        ours = first[f"{name}: XNOR and count"].rate()
        theirs = first[f"{name}: numpy bitwise_count"].rate()
        asked = f"{name} outputs, XNOR and count: 60 % of the popcount ceiling"
        verdict.append(_verdict(asked, 100 * ours / ceiling, 100 * LIMIT_SHARE, " %"))
        asked = f"{name} outputs, XNOR and count: 10 x numpy bitwise_count"
        verdict.append(_verdict(asked, ours / theirs, NUMPY_RATIO, " x"))
    reference = second["unipolar"]["float simulator, whole tensors"].rate()
    asked = "float simulator, unipolar: 0.2 Gbit/s, else the comparison is void"
    verdict.append(_verdict(asked, reference, SIMULATOR_RATE, " Gbit/s"))
    for kind, rows in second.items():
        theirs = rows["float simulator, whole tensors"].rate()
        for name in ("streams given", "bits and products"):
            asked = f"{kind}, equal length, {name}: 300 x the float simulator"
            ratio = rows[f"packed, {name}"].rate() / theirs
            verdict.append(_verdict(asked, ratio, SIMULATOR_RATIO, " x"))
        p = precision[kind]
        for source in ("bernoulli", "sobol"):
            p[f"{source}_ratio_at_equal_rmse"] = (
                rows["packed, streams given"].rate() / theirs * LENGTH / p[f"{source}_length"]
            )
    _print(first, second, precision, verdict)
    return {
        "shows": "packed products beside the popcount ceiling of the machine, numpy bitwise_count "
        "and a simulator with one float32 a bit; Gbit/s = outputs x products x clocks / time",
        "products": PRODUCTS,
        "length": LENGTH,
        "rounds": rounds,
        "threads": numba.get_num_threads(),
        "numpy_blocking": {name: list(choice) for name, choice in blocking.items()},
        "matmul": {name: timed.content() for name, timed in first.items()},
        "layer": {
            kind: {name: timed.content() for name, timed in rows.items()}
            for kind, rows in second.items()
        },
        "precision": {
            kind: {key: float(f"{value:.4g}") for key, value in p.items()}
            for kind, p in precision.items()
        },
        "verdict": verdict,
    }


def _print(
    first: dict[str, Timed],
    second: dict[str, dict[str, Timed]],
    precision: dict[str, dict[str, Any]],
    verdict: list[dict[str, Any]],
) -> None:
    print(f"{'Gbit/s':44} {'best':>8} {'median':>8}")
    groups = {"": first} | {f"{kind} 64 x 256: ": rows for kind, rows in second.items()}
    for group, rows in groups.items():
        for name, timed in rows.items():
            rates = timed.content()
            print(f"{group + name:58} {rates['best']:8.4g} {rates['median']:8.4g}")
    for kind, p in precision.items():
        print(
            f"{kind}: RMSE at {LENGTH} bits {p['simulator_rmse']:.3g} (simulator), "
            f"{p['bernoulli_rmse']:.3g} (independent bits). Equal RMSE: independent bits at "
            f"{p['bernoulli_length']} bits ({p['bernoulli_rmse_there']:.3g}), "
            f"{p['bernoulli_ratio_at_equal_rmse']:.3g} x as fast; Sobol streams at "
            f"{p['sobol_length']} bits ({p['sobol_rmse_there']:.3g}), "
            f"{p['sobol_ratio_at_equal_rmse']:.3g} x as fast"
        )
