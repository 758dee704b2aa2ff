"""ngspice as a child: failures are named, hangs are killed, and missing measurements are data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from circuits.simulator import (
    SimulationError,
    Simulator,
    executable_version,
    library_path,
    run_batch,
)

RC = """* error: a node called error, and a measurement that finds nothing
v1 error 0 1
r1 error out 1k
c1 out 0 1n
.tran 10n 5u uic
.meas tran never when v(out)=7
.save v(out)
.end
"""


def test_ngspice_and_its_library_are_installed() -> None:
    assert library_path()
    assert executable_version() != "unknown"


def test_transient_agrees_with_the_closed_form_and_with_the_program(tmp_path: Path) -> None:
    with Simulator() as simulator:
        waveforms = simulator.run(RC)
    expected = 1 - np.exp(-waveforms.time / 1e-6)
    assert waveforms["v(out)"] == pytest.approx(expected, abs=2e-3)
    deck = tmp_path / "rc.cir"
    deck.write_text(RC.replace("never when v(out)=7", "end find v(out) at=4u"))
    assert float(run_batch(deck).split("end ")[1].split("=")[1].split()[0]) == pytest.approx(
        1 - np.exp(-4.0), abs=2e-3
    )


@pytest.mark.parametrize(
    ("deck", "message"),
    [
        ("* x\nr1 a 0 1k\nv1 a 0 1\n.end", "no analysis"),
        ("* x\nm1 a b 0 0 nothing\nv1 a 0 1\n.tran 1n 1u\n.end", "model"),
        ("* x\nx1 a 0 nothing\nv1 a 0 1\n.tran 1n 1u\n.end", "subckt"),
        ("* x\nr1 a 0 foo(\nv1 a 0 1\n.tran 1n 1u\n.end", "Error on line"),
        ("nonsense", "ngspice"),
    ],
)
def test_bad_decks_fail_with_their_deck_kept(deck: str, message: str) -> None:
    with Simulator() as simulator:
        with pytest.raises(SimulationError, match=message) as caught:
            simulator.run(deck)
        kept = Path(str(caught.value).split("deck kept as ")[1].split()[0])
        assert kept.read_text() == deck
        kept.unlink()
        assert simulator.run(RC).time.size > 10  # the pool goes on


def test_a_hanging_run_is_killed_and_the_pool_goes_on() -> None:
    endless = RC.replace(".tran 10n 5u uic", ".tran 1n 1 0 1n uic")
    with Simulator(timeout=1.5) as simulator:
        start = time.monotonic()
        with pytest.raises(SimulationError, match="no answer after"):
            simulator.run(endless)
        assert time.monotonic() - start < 10
        assert simulator.run(RC).time.size > 10


def test_a_killed_worker_is_reported_and_replaced() -> None:
    with Simulator() as simulator:
        simulator.run(RC)
        os.kill(simulator._idle[0]._process.pid, signal.SIGKILL)
        with pytest.raises(SimulationError, match="died"):
            simulator.run(RC)
        assert simulator.run(RC).time.size > 10


def test_a_worker_dies_with_its_killed_parent() -> None:
    """No ngspice is left running after SIGKILL of the process that asked for it."""
    script = (
        "from circuits.simulator import Simulator\n"
        "simulator = Simulator()\n"
        f"simulator.run({RC!r})\n"
        "print(simulator._idle[0]._process.pid, flush=True)\n"
        f"simulator.run({RC.replace('.tran 10n 5u uic', '.tran 1n 1 0 1n uic')!r})\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    status = Path(f"/proc/{worker}/stat")
    for _ in range(60):
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker outlived its parent by 6 s")


def test_results_do_not_depend_on_the_number_of_jobs() -> None:
    decks = [RC.replace("r1 error out 1k", f"r1 error out {k}k") for k in (1, 2, 3, 4)]
    with Simulator(1) as one, Simulator(2) as two:
        for a, b in zip(one.map(decks), two.map(decks), strict=True):
            assert np.array_equal(a["v(out)"], b["v(out)"])


def test_missing_library_is_explained(tmp_path: Path) -> None:
    script = (
        "import ctypes.util, circuits.simulator as s\n"
        "ctypes.util.find_library = lambda name: None\n"
        "try:\n    s.library_path()\nexcept s.EngineMissing as error:\n    print(error)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "NGSPICE_LIBRARY_PATH"}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert "apt-get install libngspice0" in run.stdout
