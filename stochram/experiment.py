"""experiment.toml: one file that says what all four stages do."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import check, read_text

DEFAULT_OUTPUT = "out"


@dataclass(frozen=True)
class Experiment:
    """A checked experiment file.

    ``path`` is the file, ``tables`` its [fit], [extract], [train] and [report] keys. Data and
    images are found from the file's folder, the output from the current one.
    """

    path: Path
    seed: int
    output: Path
    tables: dict[str, dict[str, Any]]

    def input_path(self, text: str) -> Path:
        """A path of the file as seen from its folder."""
        return self.path.parent / text


def read_experiment(path: Path, output: Path | None = None) -> Experiment:
    """Read and check an experiment file; raises :class:`InputError` naming the key."""
    text = read_text(path)
    try:
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(path, f"is not valid TOML ({error})") from error
    check(content, "experiment", path)
    tables = {name: content.get(name, {}) for name in ("fit", "extract", "train", "report")}
    chosen = output if output is not None else Path(content.get("output", DEFAULT_OUTPUT))
    return Experiment(Path(path), content.get("seed", 1), chosen, tables)
