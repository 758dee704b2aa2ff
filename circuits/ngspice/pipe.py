"""Decks and results through the pipes between us and a worker: texts as JSON, arrays as bytes.

No pickle: what a worker sends is data, and large results go through without a copy for packing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from circuits.ngspice.failures import Failure, Kind
from circuits.ngspice.waveforms import Waveforms


@dataclass(frozen=True)
class Packed:
    """Vectors of possibly different length one after another in ``data`` (float64)."""

    names: list[str]
    lengths: list[int]
    data: np.ndarray

    def vectors(self) -> dict[str, np.ndarray]:
        """The vectors by name, as views."""
        ends = np.cumsum(self.lengths)[:-1]
        return dict(zip(self.names, np.split(self.data, ends), strict=True))


def pack(vectors: Mapping[str, np.ndarray]) -> Packed:
    """Copy vectors into one array."""
    lengths = [len(vector) for vector in vectors.values()]
    data = np.empty(sum(lengths))
    start = 0
    for vector in vectors.values():
        data[start : start + len(vector)] = vector
        start += len(vector)
    return Packed(list(vectors), lengths, data)


def as_bytes(data: np.ndarray) -> memoryview:
    """The memory of a contiguous array."""
    return memoryview(data).cast("B")  # type: ignore[arg-type]


def send_greeting(pipe: Connection, version: int | None) -> None:
    """From the worker, once: that it is ready, and with which libngspice."""
    pipe.send_bytes(json.dumps({"version": version}).encode())


def receive_greeting(pipe: Connection) -> int | Failure | None:
    """To us: the version of libngspice (None: it does not say), or why there is none."""
    head = json.loads(pipe.recv_bytes())
    if "kind" in head:
        return Failure(Kind(head["kind"]), head["reason"], head["log"])
    version: int | None = head["version"]
    return version


def send_result(pipe: Connection, packed: Packed, log: str) -> None:
    """From the worker: what a transient gave."""
    head = {"names": packed.names, "lengths": packed.lengths, "log": log}
    pipe.send_bytes(json.dumps(head).encode())
    pipe.send_bytes(as_bytes(packed.data))


def send_failure(pipe: Connection, failure: Failure) -> None:
    """From the worker: that there is no result, and why."""
    head = {"kind": failure.kind, "reason": failure.reason, "log": failure.log}
    pipe.send_bytes(json.dumps(head).encode())


def receive(pipe: Connection) -> Waveforms | Failure:
    """To us: one answer. Raises EOFError or OSError where the worker died."""
    head = json.loads(pipe.recv_bytes())
    if "kind" in head:
        return Failure(Kind(head["kind"]), head["reason"], head["log"])
    data = np.empty(sum(head["lengths"]))
    pipe.recv_bytes_into(as_bytes(data))
    vectors = Packed(head["names"], head["lengths"], data).vectors()
    return Waveforms(vectors.pop("time"), vectors, head["log"])
