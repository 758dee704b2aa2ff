"""Results are remembered by content: bit for bit, whole or not at all, within a size, no chance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from circuits.ngspice.cache import Cache
from circuits.ngspice.deck_text import read_deck
from circuits.simulator import Simulator, Waveforms, clear_cache
from formats.folders import cache_folder

RC = """* an RC step
v1 a 0 1
r1 a out 1k
c1 out 0 1n
.tran 10n 5u uic
.meas tran half when v(out)=0.5
.save v(out) i(v1)
.end
"""


def example(size: int = 1000, seed: int = 0) -> Waveforms:
    values = np.random.default_rng(seed).normal(size=(2, size))
    return Waveforms(values[0], {"v(out)": values[1], "short": values[0, :1]}, "said", "")


def key_of(cache: Cache, deck: str) -> str:
    key = cache.key(read_deck(deck))
    assert key is not None
    return key


def same(a: Waveforms, b: Waveforms) -> bool:
    return (
        np.array_equal(a.time, b.time)
        and list(a.vectors) == list(b.vectors)
        and all(np.array_equal(a[name], b[name]) for name in a.vectors)
        and (a.log, a.rescued) == (b.log, b.rescued)
    )


def test_a_second_run_is_bit_identical_and_starts_no_ngspice(tmp_path: Path) -> None:
    with Simulator(cache=tmp_path) as first:
        results = first.map([RC, RC.replace("1k", "2k")])
        assert (first.counters.cached, first.counters.transients) == (0, 2)
    with Simulator(2, cache=tmp_path) as second:
        again = second.map([RC, RC.replace("1k", "2k")])
        assert all(map(same, results, again))
        assert (second.counters.decks, second.counters.cached) == (2, 2)
        assert second.counters.attempts == 0 and not second._idle
        assert again[0]["v(out)"].flags.writeable
        second.run(RC.replace("1k", "3k"))
        assert second.counters.transients == 1


@pytest.mark.parametrize("damage", ["cut", "bytes", "empty", "other", "folder"])
def test_a_broken_entry_is_no_entry_and_is_replaced(tmp_path: Path, damage: str) -> None:
    cache, kept = Cache(tmp_path), example()
    key = key_of(cache, RC)
    cache.write(key, kept)
    path = cache.path(key)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "bytes":
        for place in range(200, len(content) - 200, 50):
            content[place] ^= 0xFF
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "other":
        path.write_bytes(b"PK\x03\x04 something else")
    else:
        path.unlink()
        path.mkdir()
    assert cache.read(key) is None
    if damage == "folder":
        cache.write(key, kept)  # cannot be replaced; no failure either
        return
    cache.write(key, kept)
    found = cache.read(key)
    assert found is not None and same(found, kept)


def test_two_processes_writing_the_same_entry_leave_one_whole_entry(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from circuits.ngspice.cache import Cache\n"
        "from circuits.simulator import Waveforms\n"
        "cache, t = Cache(Path(sys.argv[1])), np.arange(20000.0)\n"
        "key = 'ab' * 32\n"
        "bad = 0\n"
        "for _ in range(40):\n"
        "    cache.write(key, Waveforms(t, {'v(out)': np.sin(t)}, 'log'))\n"
        "    found = cache.read(key)\n"
        "    bad += found is None or not np.array_equal(found['v(out)'], np.sin(t))\n"
        "sys.exit(bad)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    writers = [subprocess.Popen(command) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_least_recently_used_go_first_and_the_size_is_bounded(tmp_path: Path) -> None:
    one = example(2000)
    probe = Cache(tmp_path / "probe")
    probe.write("ab" * 32, one)
    size = probe.path("ab" * 32).stat().st_size
    cache = Cache(tmp_path, limit=10 * size)
    keys = [f"{index:02x}" * 32 for index in range(40)]
    for age, key in enumerate(keys):
        cache.write(key, one)
        if cache.path(key).exists():
            os.utime(cache.path(key), (1e9 + age, 1e9 + age))
        if age:
            cache.read(keys[0])  # used all the time
    cache.drop_unused()
    files = list((tmp_path / "runs").rglob("*.zip"))
    assert sum(path.stat().st_size for path in files) <= 10 * size
    assert cache.read(keys[0]) is not None and cache.read(keys[-1]) is not None
    assert cache.read(keys[1]) is None


def test_files_of_killed_writers_are_cleared_away(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(key_of(cache, RC), example())
    left = cache.path(key_of(cache, RC)).parent / ".writing-abc"
    left.write_bytes(b"half")
    os.utime(left, (1e9, 1e9))
    cache.drop_unused()
    assert not left.exists() and cache.read(key_of(cache, RC)) is not None


def test_the_key_holds_the_deck_its_files_and_the_simulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, models = Cache(tmp_path), tmp_path / "models.lib"
    models.write_text('.lib tt\n.include "more.lib"\n.endl\n')
    (tmp_path / "more.lib").write_text(".model d1 d\n")
    deck = RC.replace("v1 a", f'.lib "{models}" tt\nv1 a')
    keys = {key_of(cache, RC), key_of(cache, RC.replace("1k", "1.0k")), key_of(cache, deck)}
    (tmp_path / "more.lib").write_text(".model d1 d is=1e-15\n")
    keys.add(key_of(cache, deck))
    monkeypatch.setattr("circuits.ngspice.cache._maker", lambda library: "another ngspice")
    keys.add(key_of(cache, RC))
    assert len(keys) == 5


@pytest.mark.parametrize(
    "line",
    [
        ".param x = agauss(0, 1, 3)",
        "v2 b 0 dc 0 trnoise(1m 1n 0 0)",
        ".control\nset rndseed=1\n.endc",
        ".include /nowhere/models.lib",
        ".include models.lib",
    ],
)
def test_decks_that_may_give_another_result_are_not_remembered(tmp_path: Path, line: str) -> None:
    deck = RC.replace("v1 a", f"{line}\nv1 a")
    assert Cache(tmp_path).key(read_deck(deck)) is None


def test_words_in_remarks_and_names_are_no_chance() -> None:
    found = read_deck(RC.replace("* an RC", "* limit of the exponential law exp(-V/V0), unified"))
    assert found.repeatable and not found.leaves_traces


def test_options_known_as_harmless_leave_no_traces(tmp_path: Path) -> None:
    harmless = ".options method=gear reltol = 1e-4\n+ gmin=1e-15\n.option temp=27"
    assert not read_deck(harmless).leaves_traces
    for word in ("cshunt=1e-15", "interp", "seed=3", "savecurrents", "unheard=1"):
        assert read_deck(f".options reltol=1e-4\n+ {word}").leaves_traces
    assert read_deck(".control\nset x\n.endc").leaves_traces
    inner = tmp_path / "inner.lib"
    inner.write_text(".options interp\n")
    assert read_deck(f".include {inner}").leaves_traces
    inner.write_text(".options reltol=1e-5\n")
    assert not read_deck(f".include {inner}").leaves_traces


def test_rescued_results_keep_their_mark(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    key = key_of(cache, RC)
    cache.write(key, Waveforms(np.arange(3.0), {}, "", "did not converge; run with gear"))
    found = cache.read(key)
    assert found is not None and found.robust and found.rescued.startswith("did not converge")


def test_the_folder_is_named_by_the_user_the_environment_or_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCHRAM_CACHE", str(tmp_path / "env"))
    assert cache_folder(tmp_path) == tmp_path
    assert cache_folder() == tmp_path / "env"
    assert cache_folder("off") is None
    monkeypatch.setenv("STOCHRAM_CACHE", "off")
    assert cache_folder() is None
    monkeypatch.delenv("STOCHRAM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "stochram"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() is not None and tmp_path in cache_folder().parents  # type: ignore[union-attr]


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Simulator(cache=tmp_path / "file" / "cache") as simulator:
        assert simulator.run(RC).time.size > 10


def test_clearing_deletes_results_and_kept_decks_and_nothing_else(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.write(key_of(cache, RC), example())
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed" / "a.cir").write_text("* deck")
    (tmp_path / "mine.txt").write_text("mine")
    assert clear_cache(tmp_path) > 1000
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert clear_cache(tmp_path) == 0
