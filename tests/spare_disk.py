"""A disk without room: a small tmpfs where it may be mounted, else a limit on the size of files."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A folder in which files can be made, but hold nothing; ``filling`` is in it."""
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    mounted = (
        mount is not None
        and unmount is not None
        and (
            subprocess.run(
                [mount, "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)],
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )
    )
    filling = folder / "filling"
    if mounted:
        try:
            with filling.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1024))
        except OSError:
            pass
        try:
            yield folder
        finally:
            subprocess.run([str(unmount), str(folder)], check=True)
        return
    filling.touch()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # Python ignores the signal
    try:
        yield folder
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
