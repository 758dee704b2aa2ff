"""A mapped netlist as Yosys writes it (write_json), and what its gates do: values and paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from formats.errors import InputError

Truth = Callable[..., tuple[np.ndarray, ...]]
GATES: dict[str, tuple[tuple[str, ...], tuple[str, ...], Truth]] = {
    "inv": (("a",), ("y",), lambda a: (a ^ 1,)),
    "nand2": (("a", "b"), ("y",), lambda a, b: ((a & b) ^ 1,)),
    "and2": (("a", "b"), ("y",), lambda a, b: (a & b,)),
    "or2": (("a", "b"), ("y",), lambda a, b: (a | b,)),
    "xor2": (("a", "b"), ("y",), lambda a, b: (a ^ b,)),
    "xnor2": (("a", "b"), ("y",), lambda a, b: (a ^ b ^ 1,)),
    "mux2": (("a", "b", "sel"), ("y",), lambda a, b, sel: ((a & (sel ^ 1)) | (b & sel),)),
    "full_adder": (
        ("a", "b", "ci"),
        ("s", "co"),
        lambda a, b, ci: (a ^ b ^ ci, (a & b) | (ci & (a ^ b))),
    ),
}
"""Inputs (in the order of the states of cells.nc), outputs and truth on arrays of 0 and 1."""
REGISTER = "dff"
ZERO, ONE = 0, 1
"""Nets of the constants."""


@dataclass(frozen=True)
class Stage:
    """All gates of one type at one depth: net numbers of inputs and outputs, (pin, gate)."""

    gate: str
    inputs: np.ndarray
    outputs: np.ndarray


@dataclass(frozen=True)
class Netlist:
    """A module of gates and flip-flops on one clock; nets are rows of an array of values.

    ``ports`` maps a port to its nets, least significant bit first; ``data`` and ``stored`` are the
    nets at d and q of the flip-flops. ``stages`` are in the order of evaluation.
    """

    name: str
    nets: int
    ports: Mapping[str, np.ndarray]
    stages: tuple[Stage, ...]
    data: np.ndarray
    stored: np.ndarray

    @cached_property
    def counts(self) -> dict[str, int]:
        """Gates and flip-flops by type."""
        found: Counter[str] = Counter()
        for stage in self.stages:
            found[stage.gate] += stage.inputs.shape[1]
        if self.data.size:
            found[REGISTER] = int(self.data.size)
        return dict(sorted(found.items()))

    def start(self, lanes: int) -> np.ndarray:
        """Values (nets, lanes), all 0 but the constant 1."""
        values = np.zeros((self.nets, lanes), np.uint8)
        values[ONE] = 1
        return values

    def drive(self, values: np.ndarray, port: str, words: np.ndarray) -> None:
        """Put unsigned integers, one a lane, on an input port."""
        nets = self.ports[port]
        bits = np.asarray(words, np.uint64)[None] >> np.arange(nets.size, dtype=np.uint64)[:, None]
        values[nets] = (bits & np.uint64(1)).astype(np.uint8)

    def read(self, values: np.ndarray, port: str) -> np.ndarray:
        """The unsigned integers on a port."""
        nets = self.ports[port]
        weights = np.uint64(1) << np.arange(nets.size, dtype=np.uint64)
        return np.asarray((values[nets].astype(np.uint64) * weights[:, None]).sum(0, np.uint64))

    def settle(self, values: np.ndarray) -> None:
        """Evaluate all gates in place, from the ports and the flip-flops."""
        for stage in self.stages:
            _, _, truth = GATES[stage.gate]
            for nets, level in zip(
                stage.outputs, truth(*(values[row] for row in stage.inputs)), strict=True
            ):
                values[nets] = level

    def clock(self, values: np.ndarray) -> None:
        """A rising clock edge: what settled at d appears at q."""
        values[self.stored] = values[self.data]

    def longest_path(self, delay: Mapping[str, float]) -> dict[str, int]:
        """Gates by type on the path with the greatest sum of ``delay`` (s)."""
        arrival = np.zeros(self.nets)
        through: dict[int, tuple[str, int]] = {}
        for stage in self.stages:
            latest = stage.inputs[np.argmax(arrival[stage.inputs], axis=0), _columns(stage)]
            for nets in stage.outputs:
                arrival[nets] = arrival[latest] + delay[stage.gate]
                for net, before in zip(nets.tolist(), latest.tolist(), strict=True):
                    through[net] = (stage.gate, before)
        net, path = int(np.argmax(arrival)), Counter[str]()
        while net in through:
            gate, net = through[net]
            path[gate] += 1
        return dict(sorted(path.items()))


def parse(content: Mapping[str, Any], name: str) -> Netlist:
    """The module ``name`` of Yosys' JSON.

    Raises :class:`InputError` where a cell is none of the library's, or gates form a loop.
    """
    module = content["modules"][name]
    number: dict[int | str, int] = {"0": ZERO, "1": ONE, "x": ZERO}

    def net(bit: int | str) -> int:
        return number.setdefault(bit, len(number) - 1)

    ports = {
        port: np.array([net(bit) for bit in found["bits"]])
        for port, found in module["ports"].items()
    }
    gates: list[tuple[str, list[int], list[int]]] = []
    data, stored = [], []
    for cell, found in module["cells"].items():
        kind, pins = found["type"], found["connections"]
        if kind == REGISTER:
            data.append(net(pins["d"][0]))
            stored.append(net(pins["q"][0]))
        elif kind in GATES:
            inputs, outputs, _ = GATES[kind]
            gates.append(
                (
                    kind,
                    [net(pins[pin][0]) for pin in inputs],
                    [net(pins[pin][0]) if pins.get(pin) else _unused(number) for pin in outputs],
                )
            )
        else:
            raise InputError(name, f"cell {cell} is a {kind!r}, which the library does not have")
    return Netlist(
        name,
        len(number),
        ports,
        tuple(_in_order(name, gates)),
        np.array(data, int),
        np.array(stored, int),
    )


def _unused(number: dict[int | str, int]) -> int:
    """A net of its own for an output that leads nowhere."""
    return number.setdefault(f"open{len(number)}", len(number) - 1)


def _in_order(name: str, gates: Sequence[tuple[str, list[int], list[int]]]) -> list[Stage]:
    """Gates by depth, those of one type together."""
    driver = {net: index for index, (_, _, outputs) in enumerate(gates) for net in outputs}
    waiting = [len({driver[net] for net in inputs if net in driver}) for _, inputs, _ in gates]
    readers: dict[int, set[int]] = {}
    for index, (_, inputs, _) in enumerate(gates):
        for net in inputs:
            if net in driver:
                readers.setdefault(driver[net], set()).add(index)
    ready, done, stages = [i for i, n in enumerate(waiting) if n == 0], 0, []
    while ready:
        for kind in sorted({gates[i][0] for i in ready}):
            of = [gates[i] for i in ready if gates[i][0] == kind]
            stages.append(
                Stage(kind, np.array([g[1] for g in of]).T, np.array([g[2] for g in of]).T)
            )
        done += len(ready)
        following = []
        for index in ready:
            for reader in readers.get(index, ()):
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    following.append(reader)
        ready = following
    if done < len(gates):
        raise InputError(name, f"{len(gates) - done} gates form a loop")
    return stages


def _columns(stage: Stage) -> np.ndarray:
    return np.arange(stage.inputs.shape[1])
