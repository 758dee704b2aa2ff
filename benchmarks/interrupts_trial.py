"""A trial of ``interrupts.py``: a process, a signal at a moment of its life, what became of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import STATE, machine
from benchmarks.interrupts_stages import ENTRY, StageCase
from benchmarks.interrupts_watch import Events, Tree

FOLDER = STATE / "interrupts"
SIGNALS = {"SIGINT": signal.SIGINT, "SIGKILL": signal.SIGKILL}
LONGEST = 600.0
"""s; a command that takes longer hangs."""
GONE = 10.0
"""s within which children must be gone, which look for their parent twice a second."""
ANSWERED = 30.0
"""s within which SIGINT must have ended the process, which sees to it after 3 s."""


@dataclass(frozen=True)
class Course:
    """An undisturbed run: files with their hashes, processor time (s), events of files."""

    files: dict[str, str]
    seconds: float
    events: int


@dataclass
class Trial:
    """What became of one; ``problems`` empty where all is as it should be."""

    stage: str
    signal: str
    number: int
    moment: str
    target: str
    commit: str
    code: int | None = None
    new_files: int = 0
    said: str = ""
    seconds_to_end: float = 0.0
    children: int = 0
    left: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    before: list[dict[str, Any]] = field(default_factory=list)


def launch(case: StageCase, which: str, folder: Path, scratch: Path) -> subprocess.Popen[str]:
    """The command in a group of its own, with its own folder for temporary files."""
    return subprocess.Popen(
        [sys.executable, "-m", *case.command(which, folder)],
        cwd=FOLDER,
        env={**os.environ, **case.environment(scratch), "TMPDIR": str(scratch)},
        process_group=0,  # and not a session: its share of the processor is that of ours
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def attempt(
    case: StageCase,
    courses: tuple[Course, Course],
    name: str,
    number: int,
    aimed: bool,
    share: float,
) -> Trial | None:
    """None where the process ended before the signal."""
    old, new = courses
    to_group = name == "SIGINT" and number % 2 == 1
    with tempfile.TemporaryDirectory(prefix="interrupts-") as made:
        folder, scratch = Path(made) / "out", Path(made) / "tmp"
        scratch.mkdir()
        shutil.copytree(FOLDER / case.name / "old", folder)
        process = launch(case, "new", folder, scratch)
        try:
            tree = Tree(process.pid)
            moment = (
                until_event(process, tree, Events(folder), 1 + int(share * new.events))
                if aimed
                else until_time(process, tree, share * new.seconds)
            )
            if moment is None:
                return None
            trial = Trial(
                case.name,
                name,
                number,
                moment,
                "group" if to_group else "process",
                machine()["commit"],
            )
            members = tree.look()
            if to_group:
                os.killpg(process.pid, SIGNALS[name])
            else:
                process.send_signal(SIGNALS[name])
            sent = time.monotonic()
            try:
                _, trial.said = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                trial.problems.append(
                    "the process or one that holds its standard error lives 60 s on"
                )
            trial.seconds_to_end = round(time.monotonic() - sent, 2)
            trial.code = process.returncode
            members |= tree.look()
            while time.monotonic() - sent < max(GONE, trial.seconds_to_end + GONE) and any(
                map(alive, members)
            ):
                time.sleep(0.05)
            trial.children = len(members) - 1
            orphans = [member for member in members if alive(member)]
            trial.problems += [f"process {command_of(pid)} lives on" for pid in orphans]
        finally:
            for pid in {process.pid, *Tree(process.pid).look()}:
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        complete = case.outputs(folder) == new.files
        if name == "SIGINT":
            trial.problems += judge_answer(trial, complete)
        check_outputs(trial, case, folder, old, new)
        trial.left = sorted({path.name for path in scratch.iterdir()} - {"cache"})
        if name == "SIGINT":
            trial.problems += [f"{left} stays among the temporary files" for left in trial.left]
        check_next(trial, case, folder, scratch, new)
    return trial


def until_time(process: subprocess.Popen[str], tree: Tree, seconds: float) -> str | None:
    """Wait for so much processor time of the process and its children."""
    end = time.monotonic() + LONGEST
    while process.poll() is None and time.monotonic() < end:
        if tree.seconds() >= seconds:
            return f"{seconds:.2f} s"
        time.sleep(0.004)
    return None


def until_event(
    process: subprocess.Popen[str], tree: Tree, events: Events, count: int
) -> str | None:
    """Wait for the ``count``-th event of the folder's files."""
    end = time.monotonic() + LONGEST
    while process.poll() is None and time.monotonic() < end:
        events.wait(0.05, count)
        tree.look()
        if events.count >= count:
            return f"{count}. event of files: {events.last}"
    return None


def judge_answer(trial: Trial, complete: bool) -> list[str]:
    """What is wrong with how SIGINT was answered."""
    if trial.code == 0 and complete and not trial.said:
        return []  # all was written when it came
    if trial.code in (-signal.SIGINT, 1) and "formats" not in trial.said and _of_python(trial.said):
        trial.moment += ", before our first line"
        return []
    problems = []
    if trial.code != 130:
        problems.append(f"exit code {trial.code}; expected 130")
    lines = trial.said.splitlines()
    if len(lines) != 1 or not lines[0].startswith("interrupted: "):
        problems.append(f"said {trial.said[-1500:]!r}; expected one line")
    if trial.seconds_to_end > ANSWERED:
        problems.append(f"ended {trial.seconds_to_end} s after the signal")
    return problems


def _of_python(said: str) -> bool:
    """Whether a traceback shows the interpreter's own start only."""
    places = [line for line in said.splitlines() if line.strip().startswith("File ")]
    return all("<frozen" in line or "site" in line or "encodings" in line for line in places)


def check_outputs(trial: Trial, case: StageCase, folder: Path, old: Course, new: Course) -> None:
    """Every file is whole, and later stages refuse what does not belong together."""
    here = case.outputs(folder)
    for name, digest in here.items():
        if digest not in (old.files.get(name), new.files.get(name)):
            trial.problems.append(f"{name} is neither the earlier file nor the new one")
    for name in old.files.keys() - here.keys():
        if name in new.files and ENTRY not in name:
            trial.problems.append(f"{name} is gone")
    trial.new_files = sum(here.get(name) == digest for name, digest in new.files.items())
    trial.problems += case.harmed(folder)
    trial.problems += case.mixed(folder, here, old.files, new.files)


def check_next(trial: Trial, case: StageCase, folder: Path, scratch: Path, new: Course) -> None:
    """The same command ends like an undisturbed one and clears away what the signal left."""
    process = launch(case, "new", folder, scratch)
    try:
        _, error = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    if process.returncode != 0:
        trial.problems.append(f"the next run ended with {process.returncode}: {error[-1500:]}")
        return
    here = case.outputs(folder)
    for name in sorted(here.keys() | new.files.keys()):
        if here.get(name) != new.files.get(name):
            trial.problems.append(f"after the next run {name} is not that of an undisturbed one")
    hidden = [
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.startswith(".")
    ]
    if hidden:
        trial.problems.append(f"after the next run there are {', '.join(hidden)}")


def alive(pid: int) -> bool:
    """Whether the process runs (zombies do not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def command_of(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b" ".join(words)[:200].decode(errors="replace")
    except OSError:
        return str(pid)
