"""Real faults of ngspice and of the machine: what is said, what is tried, what is left behind."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from circuits.ngspice.cache import Cache
from circuits.ngspice.deck_text import read_deck
from circuits.ngspice.failures import Failure, Kind
from circuits.ngspice.installation import library_path
from circuits.simulator import (
    ROBUST_OPTIONS,
    STEADY_OPTIONS,
    EngineMissing,
    SimulationError,
    Simulator,
    Waveforms,
    run_batch,
)
from formats.errors import InputError, Remark
from formats.netcdf import write_groups
from stochram.cli import main
from tests.spare_disk import full_disk

RC = """* an RC step
v1 a 0 1
r1 a out 1k
c1 out 0 1n
.tran 10n 5u
.save v(out)
.end
"""
TUNNEL = """* a tunnel diode driven beyond its peak: nothing holds its voltage back from the valley
i1 0 a pwl(0 0 1u 2m 2u 0)
b1 a 0 i = 1m*v(a)/0.1*exp(1-v(a)/0.1) + 1e-9*(exp(min(v(a)/0.05,40))-1)
.tran 10n 2u
.save v(a)
.end
"""
RINGING = """* a cut set of inductors whose node holds 0.1 fF, on which the trapezoidal rule rings
v1 a 0 pulse(0 10 1u 1p 1p 5u 10u)
l1 a b 1u
l2 b c 1u
l3 b 0 1u
cb b 0 0.1f
cc c 0 0.1f
.model sw sw vt=0.5 vh=0.1 ron=1m roff=1e15
s1 c 0 k 0 sw
vk k 0 pulse(0 1 3u 1p 1p 2u 4u)
.tran 10n 40u uic
.save v(b) i(l1)
.end
"""
IMPOSSIBLE = """* a node that is low when it is high
b1 a 0 v = v(a) > 0.5 ? 0 : 1
r1 a 0 1k
.tran 10n 1u
.save v(a)
.end
"""
STUB = r"""
#include <stdio.h>
#include <string.h>
typedef int (*print)(char *, int, void *);
extern void *dlopen(const char *, int), *dlsym(void *, const char *);
static print users;
static int older(char *text, int id, void *data) {
    char changed[4096];
    char *at;
    snprintf(changed, sizeof changed, "%s", text);
    if ((at = strstr(changed, "ngspice-"))) memcpy(at + 8, "30", 2);
    return users(changed, id, data);
}
int ngSpice_Init(print p, void *a, void *b, void *c, void *d, void *e, void *f) {
    users = p;
    return ((int (*)(print, void *, void *, void *, void *, void *, void *))
            dlsym(dlopen(REAL, 2), "ngSpice_Init"))(older, a, b, c, d, e, f);
}
"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept decks and temporary files of these tests."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("STOCHRAM_CACHE", str(tmp_path / "cache"))


def one_line(text: str) -> str:
    """The text of a message that must be one line without a traceback."""
    assert text.count("\n") == 1 and "Traceback" not in text
    return text


# --- the order of the attempts: a deck for each step that only this step rescues ---------------


def test_more_iterations_and_gear_rescue_a_snap_back_with_the_circuit_as_it_is(
    tmp_path: Path,
) -> None:
    with Simulator(cache=tmp_path) as simulator:
        with pytest.warns(Remark, match=r"Timestep too small.*; run with method=gear") as told:
            found = simulator.run(TUNNEL)
        assert STEADY_OPTIONS in str(told[0].message)
        assert ROBUST_OPTIONS not in str(told[0].message)
        assert not found.robust and not simulator.rescued
        assert (simulator.counters.attempts, simulator.counters.rescued) == (2, 1)
        simulator.run(TUNNEL)
        assert simulator.counters.cached == 1
    v, i = found["v(a)"], np.interp(found.time, [0, 1e-6, 2e-6], [0, 2e-3, 0])
    own = 1e-3 * v / 0.1 * np.exp(1 - v / 0.1) + 1e-9 * (np.exp(np.minimum(v / 0.05, 40)) - 1)
    assert own == pytest.approx(i, rel=0.01, abs=1e-8)
    assert v.max() > 0.7  # beyond the valley


def test_gear_rescues_what_rings_until_its_time_is_over(tmp_path: Path) -> None:
    """Such a result is not remembered: with more time, or less load, there would be another."""
    with Simulator(timeout=2.0, cache=tmp_path) as simulator:
        with pytest.warns(Remark, match=r"no answer after 2 s; run with method=gear"):
            found = simulator.run(RINGING)
        assert not found.robust and simulator.counters.attempts == 2
    cache = Cache(tmp_path)
    key = cache.key(read_deck(RINGING))
    assert key is not None and cache.read(key) is None
    # Without l2 (its switch is open), l1 and l3 halve the source.
    while_open = (found.time > 1.2e-6) & (found.time < 2.8e-6)
    v, t = found["v(b)"][while_open], found.time[while_open]
    assert np.trapezoid(v, t) / np.ptp(t) == pytest.approx(5.0, rel=0.01)


def test_a_complaint_of_the_netlist_under_other_options_is_not_of_the_deck(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As written it did not converge, so it is no wrong deck: the last options are tried too."""
    good = Waveforms(np.arange(2.0), {}, "", "")
    answers = [Failure(Kind.CONVERGENCE, "no"), Failure(Kind.NETLIST, "what?"), good]
    monkeypatch.setattr(Simulator, "_ask", lambda *_: answers.pop(0))
    with pytest.warns(Remark, match=r"no; again with .*: what\?; run with"):
        assert Simulator(cache="off").run(RC).robust


def test_what_nothing_rescues_says_all_that_was_tried_and_where_the_deck_is(tmp_path: Path) -> None:
    with Simulator(cache=tmp_path) as simulator:
        with pytest.raises(SimulationError) as caught:
            simulator.run(IMPOSSIBLE)
        assert simulator.counters.attempts == 3
    message, kept = str(caught.value), caught.value.kept
    places = [message.index(words) for words in (STEADY_OPTIONS, ROBUST_OPTIONS)]
    assert places == sorted(places)
    assert kept is not None and kept.read_text() == IMPOSSIBLE
    assert f"deck kept as {kept}; look at it with: ngspice -b {kept}\n" in message
    assert "iteration" in message.partition("\n")[2] or "aborted" in message.partition("\n")[2]
    cache = Cache(tmp_path)
    key = cache.key(read_deck(IMPOSSIBLE))
    assert key is not None and cache.read(key) is None


def test_a_worker_without_memory_is_said_and_the_pool_goes_on() -> None:
    done = threading.Event()
    with Simulator(timeout=20.0, cache="off") as simulator:

        def limit() -> None:
            while not done.is_set():
                for child in list(simulator._busy):
                    with contextlib.suppress(OSError, ValueError, ProcessLookupError):
                        pages = int(Path(f"/proc/{child.pid}/statm").read_text().split()[0])
                        room = pages * os.sysconf("SC_PAGE_SIZE") + 2**26
                        _, hard = resource.prlimit(child.pid, resource.RLIMIT_AS)
                        if hard == resource.RLIM_INFINITY and "libngspice" in (
                            Path(f"/proc/{child.pid}/maps").read_text()
                        ):
                            resource.prlimit(child.pid, resource.RLIMIT_AS, (room, room))
                time.sleep(0.005)

        thread = threading.Thread(target=limit, daemon=True)
        thread.start()
        with pytest.raises(SimulationError, match=r"can't allocate|died") as caught:
            simulator.run(RC.replace(".tran 10n 5u", ".tran 1n 100m 0 1n"))
        done.set()
        thread.join()
        hangs = str(caught.value).count("no answer")  # what some do that lack memory
        assert 2 <= simulator.counters.attempts <= 2 + 2 * hangs  # options give no memory
        assert caught.value.kept is not None
        assert simulator.run(RC).time.size > 10


def test_the_plain_program_beyond_its_time_names_the_deck_and_its_last_words(
    tmp_path: Path,
) -> None:
    deck = tmp_path / "long.cir"
    long = RC.replace(".tran 10n 5u", ".tran 1n 50m 0 1n\n.meas tran last find v(out) at=1m")
    deck.write_text(long)
    with pytest.raises(SimulationError, match=r"ran longer than 1 s on .*long\.cir") as caught:
        run_batch(deck, timeout=1.0)
    assert caught.value.kept == deck


# --- full disks --------------------------------------------------------------------------------


def test_a_full_cache_folder_gives_results_and_leaves_nothing(tmp_path: Path) -> None:
    with full_disk(tmp_path / "disk") as disk, Simulator(cache=disk / "cache") as simulator:
        for _ in range(2):
            assert simulator.run(RC).time.size > 10
        assert simulator.counters.cached == 0
        with pytest.raises(SimulationError) as caught:
            simulator.run(IMPOSSIBLE)
        assert caught.value.kept is not None and tmp_path / "tmp" in caught.value.kept.parents
        assert caught.value.kept.read_text() == IMPOSSIBLE
        assert [path for path in disk.rglob("*") if path.is_file()] == [disk / "filling"]


def test_full_folders_for_cache_and_temporary_files_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_disk(tmp_path / "disk") as disk:
        monkeypatch.setenv("TMPDIR", str(disk))
        monkeypatch.setattr("tempfile.tempdir", str(disk))
        with Simulator(cache=disk) as simulator:
            assert simulator.run(RC).time.size > 10
            with pytest.raises(SimulationError, match="the deck could not be kept") as caught:
                simulator.run(IMPOSSIBLE)
        assert caught.value.kept is None
        assert [path for path in disk.rglob("*") if path.is_file()] == [disk / "filling"]


def test_no_folder_for_temporary_files_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", "/dev/null/nowhere")
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: ["/dev/null/nowhere"])
    with Simulator(cache="off") as simulator:  # the worker falls back to another folder
        assert simulator.run(RC).time.size > 10


def test_a_full_output_folder_keeps_the_old_file_and_is_one_message(tmp_path: Path) -> None:
    """HDF5 itself dies of it, so the file is made in memory."""
    import xarray as xr

    group = xr.Dataset({"x": ("t", np.random.default_rng(0).random(20_000))})
    with full_disk(tmp_path / "disk") as disk:
        with pytest.raises(InputError, match=r"cells\.nc: cannot be written \((No space|File too)"):
            write_groups(disk / "cells.nc", {"kind": "x"}, {"g": group, "h": group})
        assert [path.name for path in disk.iterdir()] == ["filling"]


# --- missing, foreign and other engines --------------------------------------------------------


@pytest.mark.parametrize(
    ("library", "message"),
    [
        ("text", r"notes\.so cannot be used as libngspice \(.*invalid ELF header|file too short"),
        ("nothing", r"NGSPICE_LIBRARY_PATH is .*absent\.so, which is no file; unset it"),
        ("other", r"cannot be used as libngspice \(.*ngSpice_Init"),
    ],
)
def test_a_library_that_is_none_is_one_line_with_what_to_do(
    library: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "notes.so").write_text("not a library, but long enough to be looked at " * 9)
    import _ctypes

    path = {"text": tmp_path / "notes.so", "nothing": tmp_path / "absent.so"}.get(
        library, Path(_ctypes.__file__)
    )
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(path))
    assert main(["engine"]) == 2
    said = one_line(capsys.readouterr().err)
    assert said.startswith("error: ngspice: ")
    with pytest.raises(EngineMissing, match=message):
        Simulator(cache="off").run(RC)
    assert "NGSPICE_LIBRARY_PATH" in said
    assert not list((tmp_path / "cache").rglob("*.cir"))  # no fault of the deck


def test_no_ngspice_on_the_path_is_one_line_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["engine"]) == 2
    assert "apt-get install ngspice" in one_line(capsys.readouterr().err)
    program = tmp_path / "ngspice"
    program.write_text("not a program\n")
    program.chmod(0o755)
    assert main(["engine"]) == 2
    assert "does not answer" in one_line(capsys.readouterr().err)


def test_another_version_of_the_program_is_warned_of_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = shutil.which("ngspice")
    program = tmp_path / "ngspice"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "** ngspice-30" || {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert main(["engine"]) == 0
    out, err = capsys.readouterr()
    assert one_line(err).startswith("warning: ngspice 30 found; this project is tested with")
    assert out.startswith("ngspice 30: program and library agree")


def test_another_version_of_the_library_is_warned_of_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real library behind one that changes its version's number."""
    compiler, real = shutil.which("cc"), _file_of(library_path())
    if compiler is None or real is None:
        pytest.skip("no C compiler, or libngspice by a name only")
    (tmp_path / "older.c").write_text(STUB)
    command = [compiler, "-shared", "-fPIC", "-w", f'-DREAL="{real}"', "older.c"]
    command += ["-o", "older.so", "-Wl,--no-as-needed", str(real)]
    subprocess.run(command, cwd=tmp_path, check=True)
    monkeypatch.setenv("NGSPICE_LIBRARY_PATH", str(tmp_path / "older.so"))
    with Simulator(cache="off") as simulator, pytest.warns(Remark, match="ngspice 30 found"):
        assert simulator.run(RC).time.size > 10


def _file_of(library: str) -> Path | None:
    """The file of a library given by path or by the name the loader knows."""
    if Path(library).is_file():
        return Path(library)
    for folder in ("/lib", "/usr/lib", "/usr/local/lib"):
        for path in Path(folder).glob(f"**/{library}"):
            return path
    return None


@pytest.fixture(autouse=True)
def warned_anew() -> Iterator[None]:
    """Warnings that were shown before are shown again."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always", Remark)
        yield
