"""The designs that are mapped: their ports, what they must compute, and typical operands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from system.synthesis import floats

Words = dict[str, np.ndarray]


@dataclass(frozen=True)
class Design:
    """One of our Verilog modules.

    ``widths`` are the bits of its input ports, ``result`` the port to read, held in flip-flops if
    ``clocked``. ``expected(state, words)`` is the next value of ``result`` (``state`` the present
    one), ``typical(rng, lanes)`` the words of one clock for the energy. ``products`` are the
    multiply-accumulates of one clock; those of streams are bits.
    """

    name: str
    kind: str
    description: str
    widths: dict[str, int]
    result: str
    clocked: bool
    products: int
    stream: bool
    expected: Callable[[np.ndarray, Words], np.ndarray]
    typical: Callable[[np.random.Generator, int], Words]
    operands: str


def _floating(name: str, kind: str, exponent: int, mantissa: int) -> Design:
    def expected(state: np.ndarray, words: Words) -> np.ndarray:
        product = floats.multiply(words["a"], words["b"], exponent, mantissa)
        total = floats.add(state, product, exponent, mantissa)
        return np.where(words["run"] == 1, total, np.uint64(0))

    def typical(rng: np.random.Generator, lanes: int) -> Words:
        return {
            port: floats.encode(rng.standard_normal(lanes), exponent, mantissa) for port in "ab"
        } | {"run": np.ones(lanes, np.uint64)}

    bits = 1 + exponent + mantissa
    return Design(
        name,
        kind,
        f"{bits}-bit floating-point multiplier, adder and accumulator register; round to nearest "
        "even after each, denormals flushed to zero",
        {"run": 1, "a": bits, "b": bits},
        "acc",
        True,
        1,
        False,
        expected,
        typical,
        "normal numbers of mean 0 and variance 1, accumulated",
    )


def _integer(width: int) -> Design:
    def expected(state: np.ndarray, words: Words) -> np.ndarray:
        a, b = (words[port].astype(np.uint8).view(np.int8).astype(np.int64) for port in "ab")
        total = (state.astype(np.int64) + a * b) & (2**width - 1)
        return np.where(words["run"] == 1, total, 0).astype(np.uint64)

    return Design(
        f"int8_mac{width}",
        "int8",
        f"signed 8 x 8 multiplier, adder and accumulator register of {width} bits",
        {"run": 1, "a": 8, "b": 8},
        "acc",
        True,
        1,
        False,
        expected,
        lambda rng, lanes: {
            "a": rng.integers(0, 256, lanes),
            "b": rng.integers(0, 256, lanes),
            "run": np.ones(lanes, np.uint64),
        },
        "equally likely operands, accumulated",
    )


def _ones(words: np.ndarray) -> np.ndarray:
    bits = np.asarray(words, np.int64)[:, None] >> np.arange(8)
    return np.asarray((bits & 1).sum(1), np.int64)


def _counted(name: str, description: str, *, signed: bool) -> Design:
    ports = ("a", "b", "sa", "sb") if signed else ("a", "b")

    def expected(state: np.ndarray, words: Words) -> np.ndarray:
        ones = words["a"] & words["b"]
        ones = ones ^ words["sa"] ^ words["sb"] if signed else ones
        total = (state.astype(np.int64) + _ones(ones)) & 0xFFF
        return np.where(words["run"] == 1, total, 0).astype(np.uint64)

    return Design(
        name,
        "stochastic",
        description,
        {"run": 1, **dict.fromkeys(ports, 8)},
        "count",
        True,
        8,
        True,
        expected,
        lambda rng, lanes: {
            **{port: rng.integers(0, 256, lanes) for port in ports},
            "run": np.ones(lanes, np.uint64),
        },
        "independent bits of probability 1/2",
    )


def _multiplexed(state: np.ndarray, words: Words) -> np.ndarray:
    same = ~(words["a"] ^ words["b"])
    return np.asarray((same >> words["sel"]) & 1, np.uint64)


DESIGNS: dict[str, Design] = {
    design.name: design
    for design in (
        _floating("fp32_mac", "FP32", 8, 23),
        _floating("bf16_mac", "BF16", 8, 7),
        _integer(24),
        _integer(32),
        _counted(
            "sc_counter8",
            "8 sign-magnitude products, exact parallel counter, accumulator of 12 bits",
            signed=True,
        ),
        _counted(
            "sc_unipolar8",
            "8 unipolar products, exact parallel counter, accumulator of 12 bits",
            signed=False,
        ),
        Design(
            "sc_mux8",
            "stochastic",
            "8 bipolar products, tree of multiplexers, a select bit a level",
            {"a": 8, "b": 8, "sel": 3},
            "y",
            False,
            8,
            True,
            _multiplexed,
            lambda rng, lanes: {
                "a": rng.integers(0, 256, lanes),
                "b": rng.integers(0, 256, lanes),
                "sel": rng.integers(0, 8, lanes),
            },
            "independent bits of probability 1/2",
        ),
    )
}
