"""Where ngspice and libngspice are, and which version."""

from __future__ import annotations

import ctypes.util
import functools
import hashlib
import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

from circuits.ngspice.failures import EngineMissing
from formats.errors import Remark

TESTED_VERSIONS = ("39", "44")
"""With which all tests pass: those of Debian 12 and 13. With 47 those of the cells do, but a device
that draws its own thresholds may count a renewal twice (tests/circuits/test_generator.py)."""


def library_path() -> str:
    """Path or soname of libngspice; Debian's package has no plain ``libngspice.so``.

    Raises :class:`EngineMissing`.
    """
    given = os.environ.get("NGSPICE_LIBRARY_PATH")
    if given:
        if os.sep in given and not Path(given).is_file():
            raise EngineMissing(
                f"NGSPICE_LIBRARY_PATH is {given}, which is no file; unset it, or set it to the "
                "file libngspice.so.0"
            )
        return given
    found = ctypes.util.find_library("ngspice")
    if found is None:
        raise EngineMissing(
            "libngspice is not installed (Debian, Ubuntu: apt-get install libngspice0), or set "
            "NGSPICE_LIBRARY_PATH to the file libngspice.so.0"
        )
    return found


@functools.cache
def library_identity(path: str) -> str:
    """SHA-256 of the library's file; where a soname's file is not found, its name and version."""
    file = Path(path) if Path(path).is_file() else _file_of(path)
    if file is not None:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    return f"{path} {executable_version()}"


def _file_of(soname: str) -> Path | None:
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"):
        try:
            known = subprocess.run(
                [program, "-p"], capture_output=True, text=True, timeout=20, check=False
            ).stdout
        except OSError:
            continue
        match = re.search(rf"^\s*{re.escape(soname)} .*=> (\S+)$", known, re.MULTILINE)
        return Path(match[1]) if match else None
    return None


def executable_path() -> str:
    """Path of the ngspice program; raises :class:`EngineMissing`."""
    found = shutil.which("ngspice")
    if found is None:
        raise EngineMissing("ngspice is not installed (Debian, Ubuntu: apt-get install ngspice)")
    return found


def executable_version() -> str:
    """Version of the ngspice program, for example "39"; raises :class:`EngineMissing`."""
    path = executable_path()
    try:
        run = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineMissing(
            f"{path} --version does not answer ({error}); is it ngspice? (Debian, Ubuntu: "
            "apt-get install ngspice)"
        ) from error
    match = re.search(r"ngspice-(\S+)", run.stdout)
    return match[1] if match else "unknown"


def warn_of_other_version(version: str) -> None:
    """Warn, once in a process, that results were checked with other ngspice."""
    if version.split(".", maxsplit=1)[0] not in TESTED_VERSIONS:
        tested = " and ".join(TESTED_VERSIONS)
        warnings.warn(
            f"ngspice {version} found; this project is tested with ngspice {tested}: run "
            "`stochram engine`, and compare a few cells before you rely on others",
            Remark,
            stacklevel=2,
        )
