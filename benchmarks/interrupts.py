"""Stops every command with SIGINT and SIGKILL at random moments of its life, 50 times each.

Each trial is a real process in a folder that holds the whole outputs of an earlier run with other
options. A quarter of the moments are events of its own files (a temporary file made, written,
renamed), the others shares of the processor time that an undisturbed run takes, evenly over its
life, so that neither depends on what else the machine does. Half of the SIGINT go to the process,
half to its group as from a terminal. Afterwards:

- every output is whole, the earlier one or the new one, and every pair that a later stage reads
  together is refused where it is mixed;
- children are gone within seconds; what is left in the folder or among the temporary files is
  nothing that stays after the next run;
- SIGINT: exit code 130, one line, no traceback;
- the same command then ends with the files of an undisturbed run, byte for byte.

    python benchmarks/interrupts.py [--trials 50] [--stages fit,extract] [--until SECONDS]

can be ended and started again at any time. A trial that failed is made again by the next start;
that it failed is kept and shown.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import STATE, machine, write_result
from benchmarks.interrupts_stages import QUICKLY, REMEMBERED, STAGES, StageCase
from benchmarks.interrupts_watch import Events, Tree
from formats.atomic import write_text
from formats.provenance import source_digest
from formats.seeds import generator

FOLDER = STATE / "interrupts"
SIGNALS = {"SIGINT": signal.SIGINT, "SIGKILL": signal.SIGKILL}
OURS = ("formats", "devices", "circuits", "characterization", "system", "stochram")
AIMED = 0.25
"""Of the trials, at events of files."""
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


def main() -> None:
    """Make the missing trials, print the table, write the result."""
    chosen = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    chosen.add_argument("--trials", type=int, default=50)
    chosen.add_argument("--stages", default=",".join(STAGES))
    chosen.add_argument("--until", type=float, default=float("inf"))
    given = chosen.parse_args()
    # A shell starts what it puts into the background with SIGINT ignored, for our children too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stages, start = given.stages.split(","), time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    left = [plan for plan in plans(stages, given.trials) if not passed(place(*plan))]
    try:
        for done, (stage, name, number) in enumerate(left):
            gone = time.monotonic() - start
            if gone > given.until:
                break
            rest = f"{gone / done * (len(left) - done) / 3600:.1f} h left" if done else ""
            print(f"{done}/{len(left)} {stage} {name} {number} {rest}", file=sys.stderr, flush=True)
            one(stage, name, number, given.trials)
    finally:
        summary()


def plans(stages: Sequence[str], trials: int) -> Iterator[tuple[str, str, int]]:
    """Stages in turn, so that a campaign that is ended early has looked at each; in an order in
    which the first moments already lie all over the life."""
    order = sorted(range(trials), key=lambda number: number * 0.6180339887 % 1)
    for number in order:
        for stage in stages:
            for name in SIGNALS:
                yield stage, name, number


def place(stage: str, name: str, number: int) -> Path:
    """The file of a trial's outcome."""
    return FOLDER / stage / f"{name}-{number:03d}.json"


def passed(path: Path) -> bool:
    return path.is_file() and not json.loads(path.read_text())["problems"]


def one(stage: str, name: str, number: int, trials: int) -> None:
    """Make a trial and keep its outcome; again at another moment if the process was faster."""
    case = STAGES[stage]
    courses = undisturbed(case)
    path = place(stage, name, number)
    old = json.loads(path.read_text()) if path.is_file() else None
    aimed = number % round(1 / AIMED) == 0
    share = (number + _drawn(stage, name, number)) / trials
    for _ in range(5):
        trial = attempt(case, courses, name, number, aimed, share)
        if trial is not None:
            break
        share *= 0.9
    else:
        raise RuntimeError(f"{stage} {name} {number}: the process is always faster than the signal")
    if old is not None:
        trial.before = [*old["before"], {key: old[key] for key in ("commit", "moment", "problems")}]
    write_text(path, json.dumps(asdict(trial), indent=1))
    for problem in trial.problems:
        print(f"  PROBLEM {stage} {name} {number} ({trial.moment}): {problem}", file=sys.stderr)


def _drawn(*names: Any) -> float:
    return float(generator(1, "interrupts", *map(str, names)).random())


def undisturbed(case: StageCase) -> tuple[Course, Course]:
    """Runs with the earlier and with the new options, made once for this source."""
    path = FOLDER / case.name / "undisturbed.json"
    key = source_digest(OURS)
    if path.is_file():
        known = json.loads(path.read_text())
        if known["source"] == key and (FOLDER / case.name / "old").is_dir():
            return Course(**known["old"]), Course(**known["new"])
    found = {}
    for which in ("old", "new"):
        folder = FOLDER / case.name / which
        case.prepare(folder)
        with tempfile.TemporaryDirectory() as scratch:
            if case.simulates:
                everything = {**os.environ, **QUICKLY, "STOCHRAM_CACHE": str(REMEMBERED)}
                command = [sys.executable, "-m", *case.command(which, folder)]
                subprocess.run(command, env=everything, check=True, capture_output=True)
                case.prepare(folder)
            process = launch(case, which, folder, Path(scratch))
            events, tree = Events(folder), Tree(process.pid)
            seconds = 0.0
            try:
                while process.poll() is None:
                    events.wait(0.02)
                    seconds = max(seconds, tree.seconds())
                _, error = process.communicate()
            finally:
                process.kill()
        if process.returncode != 0:
            raise RuntimeError(f"{case.name}: {error}")
        found[which] = Course(case.outputs(folder), seconds, events.count)
    write_text(path, json.dumps({"source": key, **{k: asdict(v) for k, v in found.items()}}))
    return found["old"], found["new"]


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
        if name in new.files:
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


def summary() -> None:
    """Print the table of all trials there are and write the result."""
    rows, failures = [], []
    commits: Counter[str] = Counter()
    for stage in STAGES:
        for name in SIGNALS:
            found = [json.loads(p.read_text()) for p in sorted((FOLDER / stage).glob(f"{name}-*"))]
            commits.update(trial["commit"] for trial in found)
            bad = [trial for trial in found if trial["problems"]]
            earlier = [trial for trial in found if trial["before"]]
            ends = sorted(trial["seconds_to_end"] for trial in found)
            rows.append(
                {
                    "stage": stage,
                    "signal": name,
                    "trials": len(found),
                    "aimed_at_files": sum("event" in trial["moment"] for trial in found),
                    "with_new_files": sum(bool(trial["new_files"]) for trial in found),
                    "before_our_first_line": sum(
                        "first line" in trial["moment"] for trial in found
                    ),
                    "finished_all_the_same": sum(trial["code"] == 0 for trial in found),
                    "slowest_end_s": ends[-1] if ends else None,
                    "failed": len(bad),
                    "failed_before_a_change": len(earlier),
                }
            )
            failures += [
                {key: trial[key] for key in ("stage", "signal", "number", "moment", "problems")}
                for trial in bad
            ]
    heads = ("trials", "aimed", "failed", "mended", "end s")
    print(f"{'stage':<16}{'signal':<9}" + "".join(f"{head:>8}" for head in heads))
    for row in rows:
        print(
            f"{row['stage']:<16}{row['signal']:<9}{row['trials']:>8}{row['aimed_at_files']:>8}"
            f"{row['failed']:>8}{row['failed_before_a_change']:>8}{row['slowest_end_s'] or 0:>8.1f}"
        )
    content = {"commits": dict(commits), "rows": rows, "failures": failures}
    print(f"wrote {write_result('interrupts', content)}")


if __name__ == "__main__":
    main()
