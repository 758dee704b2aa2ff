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
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common import write_result
from benchmarks.interrupts_stages import QUICKLY, REMEMBERED, STAGES, StageCase
from benchmarks.interrupts_trial import FOLDER, SIGNALS, Course, attempt, launch
from benchmarks.interrupts_watch import Events, Tree
from formats.atomic import write_text
from formats.provenance import source_digest
from formats.seeds import generator

OURS = ("formats", "devices", "circuits", "characterization", "system", "stochram")
AIMED = 0.25
"""Of the trials, at events of files."""


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
    except KeyboardInterrupt:
        print("interrupted: the next start goes on", file=sys.stderr)
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
