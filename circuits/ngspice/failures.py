"""What can go wrong with ngspice, by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """Why a run gave no result; :mod:`circuits.ngspice.robust` says what is tried then."""

    NETLIST = "netlist"
    """The deck is wrong: ngspice names the line, the model, the subcircuit or the analysis."""
    CONVERGENCE = "convergence"
    """No solution was found, or values that are not finite."""
    CRASH = "crash"
    """The process died, or has no memory left and is of no more use."""
    HANG = "hang"
    """No answer within the time limit."""
    ENGINE = "engine"
    """libngspice could not be loaded, or the process not be set up: no deck would do better."""


@dataclass(frozen=True)
class Failure:
    """One attempt that gave no result; ``log`` is what ngspice printed."""

    kind: Kind
    reason: str
    log: str = ""


class SimulationError(RuntimeError):
    """A simulator failed on a deck.

    The message holds its last lines and the path of the kept deck, which is also ``kept``;
    ``reason`` is the message without both.
    """

    def __init__(self, message: str, kept: Path | None = None, reason: str = "") -> None:
        super().__init__(message)
        self.kept = kept
        self.reason = reason or message


class EngineMissing(RuntimeError):
    """ngspice or libngspice is not installed or does not start; the message says what to do."""
