"""ngspice as a child: failures are named, hangs are killed, and missing measurements are data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from circuits.ngspice.kept import MOST_KEPT, keep_failed
from circuits.simulator import (
    ROBUST_OPTIONS,
    SimulationError,
    Simulator,
    Waveforms,
    executable_version,
    library_path,
    run_batch,
)
from formats.errors import Remark

RC = """* error: a node called error, and a measurement that finds nothing
v1 error 0 1
r1 error out 1k
c1 out 0 1n
.tran 10n 5u uic
.meas tran never when v(out)=7
.save v(out)
.end
"""
ENDLESS = RC.replace(".tran 10n 5u uic", ".tran 1n 20m 0 1n uic")
BRIDGE = """* a choke behind ideal diodes: no capacitance holds its node
.model dd d is=1e-16 n=0.4 rs=1m
vin a b sin(0 100 100k)
rg b 0 1meg
d1 a p dd
d2 b p dd
d3 m a dd
d4 m b dd
c1 p m 1u
l1 p x 1m
r1 x m 10
.tran 100n 40u uic
.save v(p) v(m)
.end
"""


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """One worker, nothing remembered."""
    with Simulator(timeout=20.0, cache="off") as simulator:
        yield simulator


def killing(simulator: Simulator, times: int) -> Callable[[], None]:
    """Kill the next ``times`` workers in the midst of their runs; returns how to wait for it."""

    def kill() -> None:
        killed: set[int] = set()
        while len(killed) < times:
            for child in list(simulator._busy):
                if child.pid not in killed:
                    time.sleep(0.6)  # it has the deck, or is about to read it
                    os.kill(child.pid, signal.SIGKILL)
                    killed.add(child.pid)
            time.sleep(0.02)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    return thread.join


def test_ngspice_and_its_library_are_installed() -> None:
    assert library_path()
    assert executable_version() != "unknown"


def test_transient_agrees_with_the_closed_form_and_with_the_program(
    simulator: Simulator, tmp_path: Path
) -> None:
    waveforms = simulator.run(RC)
    expected = 1 - np.exp(-waveforms.time / 1e-6)
    assert waveforms["v(out)"] == pytest.approx(expected, abs=2e-3)
    assert not waveforms.robust
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
def test_bad_decks_fail_at_once_with_their_deck_kept(
    simulator: Simulator, deck: str, message: str
) -> None:
    with pytest.raises(SimulationError, match=message) as caught:
        simulator.run(deck)
    kept = caught.value.kept
    assert kept is not None and f"deck kept as {kept}" in str(caught.value)
    assert kept.read_text() == deck
    kept.unlink()
    assert simulator.counters.attempts == 1  # robust options cannot mend a netlist
    assert simulator.run(RC).time.size > 10  # the pool goes on


def test_a_node_that_was_not_saved_is_named(simulator: Simulator) -> None:
    with pytest.raises(KeyError, match=r"v\(in\) was not saved by the deck; it saved v\(out\)"):
        simulator.run(RC)["v(in)"]


def test_a_hanging_run_is_killed_and_the_pool_goes_on() -> None:
    with Simulator(timeout=1.5, cache="off") as simulator:
        start = time.monotonic()
        with pytest.raises(
            SimulationError, match=r"no answer after 1.5 s; again with .*: no answer after 1.5 s"
        ) as caught:
            simulator.run(ENDLESS.replace(" uic", ""))
        assert "v1#branch" in str(caught.value)  # the last ngspice said: its operating point
        assert caught.value.kept is not None and f"ngspice -b {caught.value.kept}" in str(
            caught.value
        )
        assert time.monotonic() - start < 60  # three attempts, and what the processes take to start
        assert simulator.run(RC).time.size > 10
        assert simulator.counters.attempts == 4


def test_what_does_not_converge_is_rescued_by_robust_options_and_marked(
    simulator: Simulator,
) -> None:
    """And the options end with the run: cshunt stays in force in a process that has seen it."""
    before = simulator.run(RC)
    with pytest.warns(RuntimeWarning, match="Timestep too small"):
        rescued = simulator.run(BRIDGE)
    assert rescued.robust and ROBUST_OPTIONS in rescued.rescued
    assert [(name[:7], words) for name, words in simulator.rescued.items()] == [
        ("a choke", rescued.rescued)
    ]
    load = rescued["v(p)"] - rescued["v(m)"]
    assert 98 < load.max() < 100  # the peak of the source, less two diodes
    with Simulator(cache="off") as helped:  # the same as with a capacitor where it was missing
        held = helped.run(BRIDGE.replace("rg b 0 1meg", "rg b 0 1meg\nca a 0 1p\ncp p 0 1p"))
    at = np.linspace(5e-6, 4e-5, 50)
    reference = np.interp(at, held.time, held["v(p)"] - held["v(m)"])
    assert np.interp(at, rescued.time, load) == pytest.approx(reference, rel=2e-3)
    after = simulator.run(RC)
    assert np.array_equal(before["v(out)"], after["v(out)"])
    counted = simulator.counters
    assert (counted.decks, counted.attempts, counted.transients, counted.rescued) == (3, 5, 3, 1)
    assert counted.time_points == before.time.size + rescued.time.size + after.time.size


def test_a_worker_killed_in_mid_run_is_replaced_and_the_result_is_that_of_an_undisturbed_run(
    tmp_path: Path,
) -> None:
    """Whatever killed it, the deck is run again as it is, and the result may be remembered."""
    long = RC.replace(".tran 10n 5u uic", ".tran 10n 4m 0 10n uic").replace(
        "v1 error 0 1", "v1 error 0 sin(0 1 1k)"
    )
    with Simulator(timeout=20.0, cache=tmp_path) as simulator:
        wait = killing(simulator, 1)
        with pytest.warns(Remark, match=r"died \(signal 9\); run again, it finished"):
            result = simulator.run(long)
        wait()
        assert simulator.counters.attempts == 2 and not result.robust
        again = simulator.run(long)
        assert simulator.counters.cached == 1
    with Simulator(timeout=20.0, cache="off") as undisturbed:
        expected = undisturbed.run(long)
    for found in (result, again):
        assert np.array_equal(found.time, expected.time)
        assert np.array_equal(found["v(out)"], expected["v(out)"])


def test_a_deck_whose_workers_always_die_is_reported(simulator: Simulator) -> None:
    wait = killing(simulator, 2)
    with pytest.raises(SimulationError, match=r"died \(signal 9\); again: .*died \(signal 9\)"):
        simulator.run(ENDLESS)
    wait()
    assert (simulator.counters.failed, simulator.counters.attempts) == (1, 2)


def test_a_worker_that_died_while_idle_is_no_fault_of_the_deck(simulator: Simulator) -> None:
    simulator.run(RC)
    os.kill(simulator._idle[0].pid, signal.SIGKILL)
    time.sleep(0.2)
    assert not simulator.run(RC).robust


def test_a_worker_dies_with_its_killed_parent() -> None:
    """No ngspice is left running after SIGKILL of the process that asked for it."""
    script = (
        "from circuits.simulator import Simulator\n"
        "simulator = Simulator(cache='off')\n"
        f"simulator.run({RC!r})\n"
        "print(simulator._idle[0].pid, flush=True)\n"
        f"simulator.run({ENDLESS!r})\n"
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


def test_workers_have_no_folder_to_leave_behind(simulator: Simulator) -> None:
    simulator.run(RC)
    folder = str(Path(f"/proc/{simulator._idle[0].pid}/cwd").readlink())
    assert folder.endswith(" (deleted)") or not Path(folder).exists()


def test_kept_decks_do_not_pile_up(tmp_path: Path) -> None:
    for index in range(MOST_KEPT + 5):
        keep_failed(f"* deck {index}", tmp_path)
        keep_failed("* one that fails again and again", tmp_path)
    assert len(list(tmp_path.rglob("*.cir"))) == MOST_KEPT


def test_results_do_not_depend_on_the_number_of_jobs_or_on_the_order(
    simulator: Simulator,
) -> None:
    """Also among decks whose options outlive them in ngspice."""
    options = ("", "cshunt=1e-12", "", "reltol=1e-5", "interp", "", "method=gear temp=80")
    decks = [
        RC.replace("r1 error out 1k", f"r1 error out {k + 1}k\n" + f".options {o}" * bool(o))
        for k, o in enumerate(options)
    ]

    def same(a: Waveforms, b: Waveforms) -> bool:
        return np.array_equal(a["v(out)"], b["v(out)"]) and np.array_equal(a.time, b.time)

    one = simulator.map(decks)
    with Simulator(2, cache="off") as two:
        assert all(map(same, one, two.map(decks)))
    assert all(map(same, one, simulator.map(decks[::-1])[::-1]))


def test_map_tells_its_progress_and_keeps_only_what_is_asked_for(simulator: Simulator) -> None:
    told: list[tuple[int, int | None]] = []
    ends = simulator.map(
        (RC.replace("1k", f"{k}k") for k in (1, 2, 3)),
        lambda done, total: told.append((done, total)),
        then=lambda waveforms: float(waveforms["v(out)"][-1]),
    )
    assert ends == pytest.approx([1 - np.exp(-5.0 / k) for k in (1, 2, 3)], abs=2e-3)
    assert told == [(1, None), (2, None), (3, None)]
    simulator.map([RC], lambda done, total: told.append((done, total)))
    assert told[-1] == (1, 1)


def test_memory_stays_flat(simulator: Simulator) -> None:
    """Results kept by ngspice would add 7 MB in 100 runs."""

    def resident() -> float:
        status = Path(f"/proc/{simulator._idle[0].pid}/status").read_text()
        return float(status.split("VmRSS:")[1].split()[0]) / 1000

    long = RC.replace("5u uic", "20u uic").replace("v(out)\n.end", "all\n.end")
    decks = [long.replace("1k", f"{1 + k % 7}k") for k in range(100)]
    simulator.map(decks[:30], then=lambda _: None)
    before = resident()
    simulator.map(decks, then=lambda _: None)
    assert resident() - before < 3


def test_no_settings_of_the_user_reach_ngspice(tmp_path: Path) -> None:
    (tmp_path / ".spiceinit").write_text("option cshunt=1e-9\nset temp=80\n")
    script = (
        "from circuits.simulator import Simulator\n"
        f"print(Simulator(cache='off').run({RC!r})['v(out)'][-1])\n"
    )
    path = os.pathsep.join(map(str, (Path(__file__).resolve().parents[2], *filter(None, sys.path))))
    ends = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for folder in (tmp_path, tmp_path.parent)
    ]
    assert ends[0] == ends[1]


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
