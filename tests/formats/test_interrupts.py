"""Ctrl-C is answered with one line and 130 wherever it comes; killed writers leave nothing behind.

What every stage does under signals at random moments is measured by ``benchmarks/interrupts.py``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import stochram.cli
from formats import interrupts
from formats.atomic import _machine, replacing, write_text
from formats.interrupts import AGAIN, EXIT_CODE, _State, say_interrupted

ROOT = Path(__file__).resolve().parents[2]
AT_WORK = """
import gc, sys, time
from pathlib import Path
import typer
from formats import interrupts
from formats.atomic import replacing
from formats.errors import run_command
from formats.interrupts import going_on, loading

app = typer.Typer()
folder = Path(__file__).parent

def ready():
    (folder / "ready").touch()
    time.sleep(60)

@app.command()
def work(what: str):
    with going_on("the same command goes on after page 3"):
        if what == "writes":
            with replacing(folder / "result") as temporary:
                temporary.write_text("half")
                ready()
        interrupts.PATIENCE = 50.0
        if what == "loads what swallows":
            with loading():
                try:
                    ready()
                except BaseException:
                    time.sleep(60)
        if what == "collects":
            gc.callbacks.append(lambda *_: ready())  # where an exception is lost
            gc.collect()
            gc.callbacks.clear()
            time.sleep(60)
        interrupts.PATIENCE = 0.3
        while True:  # as a library that lets nothing through
            try:
                ready()
            except BaseException:
                if what == "changes":
                    raise ValueError("something else")

def main():
    if "loads" in sys.argv:
        ready()
    return run_command(app)
"""
LOADING = """
import time
from pathlib import Path
Path(__file__).with_name("ready").touch()
try:
    time.sleep(60)
except BaseException:
    time.sleep(60)
"""
CRASHES_WHEN_TAKEN_APART = """
import atexit, ctypes, time
from pathlib import Path

def main():
    here = Path(__file__)
    libc = ctypes.CDLL(None)
    libc.__cxa_atexit(libc.abort, None, None)
    atexit.register(lambda: here.with_name("pools ended").touch())
    print("a page", end="")
    here.with_name("ready").touch()
    time.sleep(60)
"""
"""As threads of XLA amid their work do, when the process frees its libraries under them."""


def interrupted(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``command.py`` of the folder, started as a command and sent SIGINT once it is ready."""
    program = "import sys; from formats.interrupts import start; start('command')"
    path = os.pathsep.join([str(folder), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # pytest's own, where it runs in the background, ignores it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    while not (folder / "ready").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    return subprocess.CompletedProcess(words, process.returncode, out, error)


def test_while_it_loads_a_command_ends_at_once_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(LOADING)
    run = interrupted(tmp_path)
    assert run.returncode == EXIT_CODE == 130
    assert run.stderr == f"interrupted: no file was left half-written; {AGAIN}\n"


def test_a_command_that_loads_another_one_ends_alike(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(AT_WORK)
    run = interrupted(tmp_path, "loads")
    assert run.returncode == EXIT_CODE
    assert run.stderr == f"interrupted: no file was left half-written; {AGAIN}\n"


@pytest.mark.parametrize("what", ["loads what swallows", "collects"])
def test_an_interrupt_that_would_be_lost_or_do_harm_ends_it_soon(what: str, tmp_path: Path) -> None:
    """Amid modules that start, and amid the garbage collector's callbacks."""
    (tmp_path / "command.py").write_text(AT_WORK)
    run = interrupted(tmp_path, what)  # within 30 s, where the thread would wait 50
    assert run.returncode == EXIT_CODE
    assert re.fullmatch(r"interrupted: .* half-written; .* goes on after page 3\n", run.stderr)


def test_a_stage_is_loaded_where_ctrl_c_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """jaxlib crashes where an exception comes amid its start."""
    heard = []

    def load(_: str) -> None:
        heard.append(signal.getsignal(signal.SIGINT))
        raise ModuleNotFoundError

    monkeypatch.setattr("stochram.cli.importlib.import_module", load)
    before = signal.signal(signal.SIGINT, interrupts._raise)
    try:
        with pytest.raises(ModuleNotFoundError):
            stochram.cli.main(["train"])
        assert heard == [interrupts._end_at_once]
        assert signal.getsignal(signal.SIGINT) is interrupts._raise
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupted_command_does_not_take_its_libraries_apart(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(CRASHES_WHEN_TAKEN_APART)
    run = interrupted(tmp_path)
    assert run.returncode == EXIT_CODE
    assert run.stdout == "a page" and run.stderr.count("\n") == 1
    assert (tmp_path / "pools ended").exists()


@pytest.mark.parametrize("what", ["writes", "changes", "swallows"])
def test_at_work_the_line_says_how_it_goes_on_and_the_old_file_stays(
    what: str, tmp_path: Path
) -> None:
    """Also where a library makes another exception of the interrupt, or forgets it."""
    (tmp_path / "command.py").write_text(AT_WORK)
    (tmp_path / "result").write_text("old")
    run = interrupted(tmp_path, what)
    assert run.returncode == EXIT_CODE
    assert re.fullmatch(r"interrupted: .* half-written; .* goes on after page 3\n", run.stderr)
    assert (tmp_path / "result").read_text() == "old"
    assert not list(tmp_path.glob(".result*"))


def test_what_a_killed_writer_left_goes_with_the_next_write_and_nothing_else(
    tmp_path: Path,
) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom formats.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as half:\n"
        "    half.write_text('half')\n    os.kill(os.getpid(), 9)"
    )
    path = tmp_path / "device[1].json"
    path.write_text("old")
    run = subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL and path.read_text() == "old"
    (left,) = set(tmp_path.iterdir()) - {path}
    pid = left.name.split("-")[1]
    others = [
        left.with_name(left.name.replace(f"-{pid}-", f"-{os.getpid()}-")),  # its writer lives
        left.with_name(f".device[1].json.00000000-{pid}-abc"),  # another machine's
        left.with_name(f".device[1].json.bak-{pid}"),
        left.with_name(left.name.replace(f"-{pid}-", f"-{10**20}-")),  # no process has that number
        left.with_name(left.name.replace("device[1]", "fit")),  # goes with the next fit.json
    ]
    for other in others:
        other.write_text("mine")
    write_text(path, "new")
    assert path.read_text() == "new" and not left.exists()
    assert all(other.exists() for other in others)


def test_what_another_user_writes_is_not_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(process: int, number: int) -> None:
        raise PermissionError(process)

    monkeypatch.setattr("formats.atomic.os.kill", refused)
    other = tmp_path / f".a.txt.{_machine()}-123-abc"
    other.write_text("half")
    write_text(tmp_path / "a.txt", "text")
    assert other.exists()


def test_an_interrupt_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The watching thread may come while the main one has just told it."""
    monkeypatch.setattr(_State, "asked", 1.0)
    monkeypatch.setattr(_State, "said", False)
    say_interrupted()
    say_interrupted()
    assert capfd.readouterr().err.count("interrupted: ") == 1


def test_a_file_is_not_cleared_away_by_its_own_writers(tmp_path: Path) -> None:
    """Two that write the same file at once in one process: the later rename wins."""
    path = tmp_path / "a.json"
    with replacing(path) as one:
        with replacing(path) as two:
            two.write_text("two")
        one.write_text("one")
    assert path.read_text() == "one" and list(tmp_path.iterdir()) == [path]


def test_every_command_starts_where_it_hears_ctrl_c() -> None:
    """``python -m`` loads the package before ``__main__``: neither may load what takes long."""
    mains = [
        path
        for room in ("characterization", "system", "stochram")
        for path in (ROOT / room).rglob("__main__.py")
    ]
    assert len(mains) == 11
    for main in mains:
        package = ".".join(main.parent.relative_to(ROOT).parts)
        program = f"import sys, {package}.__main__\nprint(*sys.modules)"
        run = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert not {"numpy", "jax", "typer"} & set(run.stdout.split()), package
        assert "start(" in main.read_text()
