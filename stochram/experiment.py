"""experiment.toml: one file that says what all stages do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import parse_toml, read_text

DEFAULT_OUTPUT = "out"
SYSTEMS = {
    "stochastic-computing": ("train",),
    "stochastic-synapses": ("synapse_fit", "synapses"),
    "binarized": ("binarized",),
}
"""The tables that only one system reads."""
ARRAY_CELL = "in_memory_column"
"""What the report of a system on arrays needs among the extracted cells: their 1T1R cell."""


@dataclass(frozen=True)
class Experiment:
    """A checked experiment file.

    ``path`` is the file, ``system`` one of ``SYSTEMS``, ``tables`` the keys of every table that it
    reads. Data and images are found from the file's folder, the output from the current one.
    """

    path: Path
    system: str
    seed: int
    output: Path
    tables: dict[str, dict[str, Any]]

    def input_path(self, text: str) -> Path:
        """A path of the file as seen from its folder."""
        return self.path.parent / text

    def network(self, name: str) -> str:
        """A network's name, or FILE.py:NAME with the file seen from the experiment's folder."""
        file, colon, wanted = name.rpartition(":")
        return f"{self.input_path(file)}:{wanted}" if colon and file.endswith(".py") else name


def read_experiment(path: Path, output: Path | None = None) -> Experiment:
    """Read and check an experiment file; raises :class:`InputError` naming the key."""
    content = parse_toml(read_text(path), "experiment", path)
    system = content.get("system", next(iter(SYSTEMS)))
    for other, names in SYSTEMS.items():
        foreign = [name for name in names if other != system and name in content]
        if foreign:
            raise InputError(
                path, f"[{foreign[0]}] is of system {other!r}, but system is {system!r}"
            )
    if "synapse_fit" in content and "synapse" in content.get("synapses", {}):
        raise InputError(
            path, "[synapses] synapse is given, and [synapse_fit] fits one; expected one of both"
        )
    cells = content.get("extract", {}).get("cells")
    if system != next(iter(SYSTEMS)) and cells is not None and ARRAY_CELL not in cells:
        raise InputError(
            path,
            f"[extract] cells lacks {ARRAY_CELL!r}, whose 1T1R cell the report of system "
            f"{system!r} needs; add it, or leave cells out to extract all",
        )
    tables = {name: content[name] for name in SYSTEMS[system] if name in content}
    tables |= {name: content.get(name, {}) for name in ("fit", "extract", "report")}
    chosen = output if output is not None else Path(content.get("output", DEFAULT_OUTPUT))
    return Experiment(Path(path), system, content.get("seed", 1), chosen, tables)
