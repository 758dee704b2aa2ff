"""The built wheel works from an empty folder, away from the clone."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HELPED = (
    "characterization.fit",
    "characterization.extract",
    "system.train",
    "system.sweep",
    "system.explore",
    "system.binarized",
    "system.bitstream.report",
    "system.report",
    "stochram run",
)
"""What is asked for its --help, which ends in an example."""
PROGRAM = """
import contextlib, io, runpy, sys
import formats
print(formats.__file__)

def start(command, *options):
    sys.argv[:] = [*command.split(), *options]
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code or 0, shown.getvalue()
    return 0, shown.getvalue()

for command in sys.argv[1:]:
    code, shown = start(command, "--help")
    print(command, code, "xample:" in shown)
code, shown = start("stochram engine")
print("stochram engine", code, bool(shown))
"""
"""All commands in one interpreter, as by ``python -m``: most of a start is the same imports."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source with a space"
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:  # an untouched copy: building leaves files behind
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(folder)]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_wheel_holds_the_packages_and_their_data_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"formats", "devices", "circuits", "characterization", "system", "stochram"}
    for needed in (
        "formats/schemas/device.schema.json",
        "formats/py.typed",
        "system/architecture/presets/unrolled-lenet5.toml",
        "system/report/page/frame.html",
        "system/report/page/page.js",
        "system/report/page/style.css",
        "system/synthesis/mapped.json",
        "system/synthesis/verilog/floating_point.v",
        "characterization/fit/__main__.py",
    ):
        assert needed in names


def test_every_command_starts_from_the_wheel_in_an_empty_folder(
    wheel: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    site = next((environment / "lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # Its dependencies come from this environment; the packages from the wheel alone.
    ours = Path(sys.prefix) / "lib" / site.parent.name / "site-packages"
    dependencies = tmp_path / "dependencies"
    dependencies.mkdir()
    for entry in ours.iterdir():
        if "stochram" not in entry.name.lower():
            (dependencies / entry.name).symlink_to(entry)
    empty = tmp_path / "empty"
    empty.mkdir()
    variables = {**os.environ, "PYTHONPATH": str(dependencies)}
    run = subprocess.run(
        [str(environment / "bin" / "python"), "-c", PROGRAM, *HELPED],
        cwd=empty,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    folder, *found = run.stdout.splitlines()
    assert str(site) in folder
    assert found == [f"{command} 0 True" for command in (*HELPED, "stochram engine")]
    assert not list(empty.iterdir())
