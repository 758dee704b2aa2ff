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
        "system/report/page/frame.html",
        "system/report/page/page.js",
        "system/report/page/style.css",
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
    commands = [
        ["-m", "characterization.fit", "--help"],
        ["-m", "characterization.extract", "--help"],
        ["-m", "system.train", "--help"],
        ["-m", "system.sweep", "--help"],
        ["-m", "system.bitstream.report", "--help"],
        ["-m", "system.report", "--help"],
        ["-m", "stochram", "run", "--help"],
        ["-m", "stochram", "engine"],
        ["-c", "import formats; print(formats.__file__)"],
    ]
    for command in commands:
        run = subprocess.run(
            [str(environment / "bin" / "python"), *command],
            cwd=empty,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        if "--help" in command:
            assert "xample:" in run.stdout
    assert str(site) in run.stdout
    assert not list(empty.iterdir())
