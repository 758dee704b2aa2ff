"""The plain loops a user would write: ``ngspice -b`` for each run, and PySpice ``alter`` + ``run``.

Each is given every workaround known to us: one OpenMP thread, the library found where Debian puts
it, errors told from harmless lines, results destroyed after each run. ``python -m
benchmarks.throughput_peers`` is the PySpice loop in a process of its own (one simulator a process
is all PySpice can do); it takes lines of JSON.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from circuits.simulator import executable_path, library_path

Times = list[float | None]
"""Switching time (s of simulated time) of each run, None where the cell did not switch."""


def plain_deck(subcircuit: str, cell: Any, threshold: float, step: float) -> str:
    """One cell, fixed largest step, the time at which the state passes one half measured."""
    return f"""* one 1T1R cell under a write pulse
{subcircuit}
.model access nmos level=1 vto={cell.vto:g} kp={cell.kp:g} lambda={cell.channel_modulation:g}
vbl bl 0 PULSE(0 {cell.write_voltage:g} {cell.delay:g} {cell.edge:g} {cell.edge:g} \
{cell.pulse_width:g} 1)
vwl wl 0 {cell.gate_voltage:g}
vyr yr 0 1e12
vy0 ys0 0 {threshold:.16g}
x0 bl be ys0 yr cbram
m0 be wl 0 0 access w={cell.gate_width:g} l={cell.gate_length:g}
.save v(x0.s)
.tran {step:g} {cell.stop:.12g} 0 {step:g} uic
.meas tran tsw when v(x0.s)=0.5
.end
"""


def batch_loop(decks: list[str]) -> tuple[Times, float]:
    """``ngspice -n -b`` once a deck; switching times by .meas, and wall time (s)."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"}
    times: Times = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.cir"
        start = time.perf_counter()
        for deck in decks:
            path.write_text(deck)
            run = subprocess.run(
                [executable_path(), "-n", "-b", str(path)],
                capture_output=True,
                text=True,
                check=False,
                cwd=folder,
                env=environment,
            )
            match = re.search(r"^tsw\s*=\s*(\S+)", run.stdout, re.MULTILINE)
            if match is None and "failed" not in run.stdout + run.stderr:
                raise RuntimeError(f"ngspice -b gave no measurement:\n{run.stdout}{run.stderr}")
            times.append(float(match[1]) if match else None)
        return times, time.perf_counter() - start


class PySpiceLoop:
    """The other process: a circuit loaded once, then ``alter`` and ``run`` for each threshold."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.throughput_peers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NGSPICE_LIBRARY_PATH": library_path(), "OMP_NUM_THREADS": "1"},
        )

    def __enter__(self) -> PySpiceLoop:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def run(self, deck: str, thresholds: list[float], exposures: bool) -> tuple[Times, float, int]:
        """Switching times, wall time (s) of the loop alone, and time points of the last run.

        ``exposures``: read the time off the exposure as ``circuits.array`` does, not off the state.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        request = {"deck": deck, "thresholds": thresholds, "exposures": exposures}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["times"], answer["seconds"], answer["points"]


def _pyspice_main() -> None:
    logging.disable(logging.CRITICAL)
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    class Tolerant(NgSpiceShared):
        """PySpice takes "gmin stepping" and every word "error" for a failure."""

        def exec_command(self, command: str, join_lines: bool = True) -> Any:
            try:
                return super().exec_command(command, join_lines)
            except NameError:
                return self.stdout if join_lines else self._stdout

    engine = Tolerant.new_instance()
    engine.exec_command("set num_threads=1")
    loaded = ""
    for line in sys.stdin:
        request = json.loads(line)
        if request["deck"] != loaded:
            if loaded:
                engine.remove_circuit()
            loaded = request["deck"]
            engine.load_circuit(loaded)
        find = _by_exposure if request["exposures"] else _by_state
        times: Times = []
        start = time.perf_counter()
        for threshold in request["thresholds"]:
            engine.alter_device("vy0", dc=f"{threshold:.16g}")
            engine.run()
            name = next(name for name in engine.plot_names if name != "const")
            plot = engine.plot(None, name)
            vectors = {key.lower(): np.array(plot[key]._data) for key in plot}
            times.append(find(vectors, threshold))
            engine.destroy()
        seconds = time.perf_counter() - start
        answer = {"times": times, "seconds": seconds, "points": vectors["time"].size}
        print(json.dumps(answer), flush=True)


def _by_state(vectors: dict[str, np.ndarray], threshold: float) -> float | None:
    state, time_ = vectors["x0.s"], vectors["time"]
    if not (state > 0.5).any():
        return None
    after = int(np.argmax(state > 0.5))
    return float(np.interp(0.5, state[after - 1 : after + 1], time_[after - 1 : after + 1]))


def _by_exposure(vectors: dict[str, np.ndarray], threshold: float) -> float | None:
    state, exposure, time_ = vectors["x0.s"], vectors["x0.us"], vectors["time"]
    if not (state > 0.5).any():
        return None
    last = int(np.argmax(state > 0.5)) - 1
    rate = (exposure[last] - exposure[last - 1]) / (time_[last] - time_[last - 1])
    return float(time_[last] + (threshold - exposure[last]) / rate)


if __name__ == "__main__":
    _pyspice_main()
