"""Every element in one table: what it computes, from what, and how far its moments are known.

``exact_mode_only`` says for which inputs an element has no exact moments here and the bits must be
simulated. It holds for none that streams of independent clocks feed, correlated with each other or
not. Streams whose clocks depend on each other (one generator that several streams share in time,
LFSR and low-discrepancy numbers, devices with memory) leave the closed forms; a stream that is a
Markov chain, read with errors or not, is exact through :mod:`system.elements.chains` for machines
and for gates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from system.elements import (
    apc_moments,
    chains,
    converter_moments,
    converters,
    counter_moments,
    counters,
    gate_moments,
    gates,
    machines,
    mux,
    mux_moments,
)

Function = Callable[..., Any]
TIME = "streams whose clocks depend on each other other than by a Markov chain"
COUNTS = TIME + "; moments given the counts of the inputs"
_MARKS = {TIME: "T", "; moments given the counts of the inputs": ", C"}


@dataclass(frozen=True)
class Moments:
    """Functions for the mean, the variance, and the covariance of two outputs that share an input;
    ``given_counts`` the variance given the inputs' counts, where it is known in closed form."""

    mean: Function
    variance: Function
    covariance: Function
    given_counts: Function | None = None


@dataclass(frozen=True)
class Element:
    """``make`` is the element on streams, or what builds its machine for
    :func:`system.elements.machine.run`; ``moments`` None where all needs the exact mode."""

    name: str
    encoding: str
    computes: str
    circuit: str
    source: str
    make: Function
    moments: Moments | None
    exact_mode_only: str


def _gate(gate: gates.Gate) -> Moments:
    return Moments(
        partial(gate_moments.mean, gate),
        partial(gate_moments.variance, gate),
        partial(gate_moments.covariance, gate, gate),
        partial(gate_moments.variance_given_counts, gate),
    )


_MACHINE = Moments(chains.moments, chains.moments, chains.shared_moments)
_SCALED = Moments(
    mux_moments.mean,
    mux_moments.variance,
    mux_moments.covariance_own_selects,
    mux_moments.variance_given_counts,
)
_COUNTED = Moments(
    counter_moments.mean,
    counter_moments.variance,
    counter_moments.covariance,
    counter_moments.variance_given_counts,
)
_APPROXIMATE = Moments(
    apc_moments.mean,
    apc_moments.variance,
    apc_moments.covariance,
    apc_moments.variance_given_counts,
)

_GAINES = "Gaines 1967 (recalled)"
_ALAGHI = "Alaghi, Hayes 2013 (recalled)"
_BROWN = "Brown, Card 2001 (recalled; stationary law derived)"

ELEMENTS: dict[str, Element] = {
    e.name: e
    for e in (
        Element(
            "multiply, unipolar",
            "unipolar",
            "a b",
            "AND",
            _GAINES,
            gates.multiply,
            _gate(gates.AND),
            TIME,
        ),
        Element(
            "multiply, bipolar",
            "bipolar",
            "a b",
            "XNOR",
            _GAINES,
            gates.multiply,
            _gate(gates.XNOR),
            TIME,
        ),
        Element(
            "multiply, sign-magnitude",
            "sign-magnitude",
            "a b",
            "AND; XOR of signs",
            _GAINES,
            gates.multiply_signed,
            _gate(gates.AND),
            TIME,
        ),
        Element(
            "OR-add",
            "unipolar",
            "1 - prod(1 - a)",
            "OR of n",
            _GAINES,
            gates.or_add,
            Moments(
                gate_moments.or_mean,
                gate_moments.or_variance,
                gate_moments.or_covariance,
                gate_moments.or_variance_given_counts,
            ),
            TIME,
        ),
        Element(
            "absolute difference",
            "unipolar",
            "|a - b| (SCC = 1)",
            "XOR",
            _ALAGHI,
            gates.absolute_difference,
            _gate(gates.XOR),
            TIME,
        ),
        Element(
            "maximum by OR",
            "unipolar",
            "max(a, b) (SCC = 1)",
            "OR",
            _ALAGHI,
            gates.maximum,
            _gate(gates.OR),
            TIME,
        ),
        Element(
            "minimum by AND",
            "unipolar",
            "min(a, b) (SCC = 1)",
            "AND",
            _ALAGHI,
            gates.minimum,
            _gate(gates.AND),
            TIME,
        ),
        Element(
            "ReLU, sign-magnitude",
            "sign-magnitude",
            "max(a, 0)",
            "AND with the inverted sign",
            "assumed",
            gates.rectify_signed,
            Moments(
                converter_moments.mean, converter_moments.variance, converter_moments.covariance
            ),
            TIME,
        ),
        Element(
            "scaled add",
            "unipolar, bipolar",
            "(1/n) sum a",
            "n - 1 MUX2",
            _GAINES,
            mux.mux_tree,
            _SCALED,
            TIME,
        ),
        Element(
            "scaled subtract",
            "bipolar",
            "(a - b)/2",
            "MUX2, one input inverted",
            _GAINES,
            mux.scaled_difference,
            _SCALED,
            TIME,
        ),
        Element(
            "toggle adder",
            "unipolar, bipolar",
            "(a + b)/2, rounded down",
            "MUX2, XOR, T flip-flop",
            "Lee et al. 2017 (recalled)",
            machines.toggle_adder,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "exact counter",
            "unipolar, bipolar",
            "sum a",
            "parallel counter, accumulator",
            "circuits.mac.counter",
            counters.exact_count,
            _COUNTED,
            TIME,
        ),
        Element(
            "signed counter",
            "sign-magnitude",
            "sum of +-a (and so a - b)",
            "XOR with the sign, counter",
            "circuits.mac.counter",
            counters.signed_count,
            _COUNTED,
            TIME,
        ),
        Element(
            "approximate counter (APC)",
            "all",
            "about sum a",
            "AND, OR pairs of weight 2",
            "Kim, Lee, Choi 2015 (recalled)",
            counters.approximate_count,
            _APPROXIMATE,
            TIME,
        ),
        Element(
            "Stanh",
            "bipolar",
            "tanh((K/2) artanh a)",
            "counter of K states",
            _BROWN,
            machines.stanh,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "Sexp",
            "bipolar to unipolar",
            "about exp(-2 G a), a > 0",
            "counter of K states",
            _BROWN,
            machines.exponential,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "ReLU, FSM",
            "bipolar",
            "a (1 + tanh((K/2) artanh a))/2",
            "counter of K states, toggle",
            "after Yu et al. 2017 (recalled)",
            machines.relu,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "maximum by counter",
            "unipolar, bipolar",
            "max(a, b), any SCC",
            "up-down counter",
            "after Temenos, Sotiriadis 2021 (abstract read)",
            machines.maximum,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "minimum by counter",
            "unipolar, bipolar",
            "min(a, b), any SCC",
            "up-down counter",
            "after Temenos, Sotiriadis 2021 (abstract read)",
            machines.minimum,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "linear gain",
            "unipolar",
            "min(1, g a)",
            "counter that hands on",
            "assumed",
            machines.gain,
            _MACHINE,
            COUNTS,
        ),
        Element(
            "Btanh",
            "bipolar",
            "about tanh((K + 1.165 sqrt(n)) sum a / 2n)",
            "up-down counter of counts",
            "Kim et al. 2016 (recalled)",
            machines.btanh,
            _MACHINE,
            COUNTS + "; covariance of two with K^2 above 1024",
        ),
        Element(
            "B2S",
            "all",
            "number to stream",
            "comparator",
            _GAINES,
            converters.binary_to_stochastic,
            Moments(
                converter_moments.mean, converter_moments.variance, converter_moments.covariance
            ),
            "random numbers that repeat or fill evenly (LFSR, low discrepancy)",
        ),
        Element(
            "S2B",
            "all",
            "stream to number",
            "counter",
            _GAINES,
            converters.stochastic_to_binary,
            Moments(
                converter_moments.mean, converter_moments.variance, converter_moments.covariance
            ),
            TIME,
        ),
        Element(
            "isolator",
            "all",
            "a, d clocks later",
            "d D flip-flops",
            _GAINES,
            converters.isolate,
            Moments(
                converter_moments.isolated_mean,
                converter_moments.isolated_variance,
                converter_moments.isolated_covariance,
            ),
            COUNTS,
        ),
    )
}


def table() -> str:
    """The elements as a table in Markdown, as docs/elements.md shows it with its marks T and C."""
    head = "| element | encoding | computes | circuit | moments | exact mode only for | source |"
    rows = [head, "|---|---|---|---|---|---|---|"]
    for e in ELEMENTS.values():
        rows.append(
            f"| {e.name} | {e.encoding} | {e.computes} | {e.circuit} | {_where(e)} "
            f"| {_marked(e.exact_mode_only)} | {e.source} |".replace("|a - b|", "\\|a - b\\|")
        )
    return "\n".join(rows)


def _marked(text: str) -> str:
    for long, short in _MARKS.items():
        text = text.replace(long, short)
    return text


def _where(element: Element) -> str:
    """The module that holds an element's moments."""
    if element.moments is None:
        return "none"
    function = element.moments.mean
    function = getattr(function, "func", function)
    counts = "" if element.moments.given_counts is None else ", given counts"
    return f"`{function.__module__.rsplit('.', 1)[-1]}`{counts}"
