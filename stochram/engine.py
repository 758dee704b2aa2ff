"""Proof that the simulator works: one small deck through the program and through the library."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np

from circuits.simulator import (
    EngineMissing,
    SimulationError,
    Simulator,
    clear_cache,
    executable_version,
    run_batch,
    warn_of_other_version,
)
from formats.errors import InputError

_DECK = """* an RC step: v(out) = 1 - exp(-t/1us)
v1 a 0 1
r1 a out 1k
c1 out 0 1n
.options reltol=1e-5
.tran 5n 3u uic
.save v(out)
.meas tran last find v(out) at=2u
.end
"""
_TRUTH = 1 - np.exp(-2.0)
_TOLERANCE = 1e-3


def forget() -> str:
    """Clear the cache of simulations and say how much it held."""
    return f"cleared {clear_cache() / 1e6:.0f} MB of remembered simulations"


def prove_engine() -> str:
    """Run the deck both ways and return a line for the screen.

    Raises :class:`InputError` where ngspice is missing, fails, or gives another value.
    """
    try:
        version = executable_version()
        warn_of_other_version(version)
        with tempfile.TemporaryDirectory() as folder:
            deck = Path(folder) / "rc step.cir"
            deck.write_text(_DECK)
            match = re.search(r"^last\s*=\s*(\S+)", run_batch(deck), re.MULTILINE)
        with Simulator(cache="off") as simulator:
            waveforms = simulator.run(_DECK)
    except EngineMissing as error:
        raise InputError("ngspice", str(error)) from error
    except SimulationError as error:
        raise InputError("ngspice", f"the proof deck failed: {error}") from error
    by_program = float(match[1]) if match else float("nan")
    by_library = float(np.interp(2e-6, waveforms.time, waveforms["v(out)"]))
    for name, value in (("the program", by_program), ("libngspice", by_library)):
        if not abs(value - _TRUTH) < _TOLERANCE:
            raise InputError(
                "ngspice", f"{name} gives {value:.6g} for the proof deck, expected {_TRUTH:.6g}"
            )
    return f"ngspice {version}: program and library agree with the closed form of an RC step"
