"""The state of a training run after each epoch, so that a killed run goes on where it was.

A file is one line of JSON (format, the caller's header, what each leaf is, SHA-256 of the rest) and
the leaves of a PyTree as Equinox writes them, NumPy's format without pickle. Equinox is in the
program already; Orbax would add 12 packages with TensorStore for arrays spread over many hosts,
which a network of a megabyte does not need.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from formats.atomic import replacing
from formats.errors import InputError

AFTER_EPOCHS = "the same command goes on after the last whole epoch"
"""What a user who interrupts a training is told."""
FORMAT, VERSION = "stochram checkpoint", 1
SUFFIX = ".eqx"
_LONGEST_LINE = 2**24


def save(path: Path, header: Mapping[str, Any], state: Any) -> None:
    """Write ``state`` and a ``header`` of what JSON can hold, atomically.

    Leaves may be JAX and NumPy arrays and numbers; functions are not stored and come from ``like``
    when the file is loaded. Raises TypeError for any other leaf or what JSON cannot hold,
    :class:`InputError` where the file cannot be written.
    """
    leaves = _leaves(state)
    body = io.BytesIO()
    eqx.tree_serialise_leaves(body, state)
    content = body.getvalue()
    first = {
        "format": FORMAT,
        "version": VERSION,
        "header": dict(header),
        "leaves": leaves,
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with replacing(path) as temporary, temporary.open("wb") as handle:
        handle.write(json.dumps(first).encode() + b"\n")
        handle.write(content)


def load(path: Path, like: Any) -> tuple[dict[str, Any], Any]:
    """The header and the state of a file, bit for bit, with the structure of ``like``.

    ``like`` has the leaves' types and shapes (or ``jax.ShapeDtypeStruct`` for JAX arrays). Raises
    :class:`InputError` for a file that is missing, foreign, cut off, changed, of another version,
    or of a state with other leaves.
    """
    first, content = _read(Path(path))
    wanted = _leaves(like)
    if first["leaves"] != wanted:
        raise InputError(path, f"holds another state ({_difference(first['leaves'], wanted)})")
    try:
        state = eqx.tree_deserialise_leaves(io.BytesIO(content), like)
    except Exception as error:  # numpy parses headers as Python literals; it raises anything
        raise InputError(path, f"does not hold what its first line says ({error})") from error
    return dict(first["header"]), state


@dataclass(frozen=True)
class Checkpoints:
    """The latest states of the runs of one training, ``folder/<run>.eqx`` for each run.

    ``key`` is that of the provenance record of the whole training: a state of other inputs, options
    or source is not taken up. ``say`` is told what is done with the files found.
    """

    folder: Path
    key: str
    say: Callable[[str], None]

    def path(self, run: str) -> Path:
        """The file of a run, such as ``sc-seed1``."""
        return self.folder / f"{run}{SUFFIX}"

    def save(self, run: str, epochs: int, state: Any) -> None:
        """Keep the state after so many whole epochs in place of the one before."""
        save(self.path(run), {"key": self.key, "run": run, "epochs": epochs}, state)

    def resume(self, run: str, like: Any) -> tuple[int, Any] | None:
        """Epochs done and the state after them; None where the run has to start anew."""
        path = self.path(run)
        if not path.exists():
            return None
        try:
            header = read_header(path)
            if header.get("key") != self.key:
                self.say(f"{path} is of other options, inputs or source: {run} starts anew")
                return None
            header, state = load(path, like)
            epochs = header.get("epochs")
            if header.get("run") != run or type(epochs) is not int or epochs < 1:
                raise InputError(path, "is of another run")
        except InputError as error:
            self.say(f"{path} cannot be used ({error.problem}): {run} starts anew")
            return None
        self.say(f"{run}: goes on after epoch {epochs}, from {path}")
        return epochs, state

    def remove(self) -> None:
        """Delete the files of all runs, also what a kill left half-written, once results stand."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            half_written = path.name.startswith(".") and SUFFIX in path.name
            if (path.name.endswith(SUFFIX) or half_written) and not path.is_dir():
                path.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def read_header(path: Path) -> dict[str, Any]:
    """The header of a whole file, without its state; raises :class:`InputError`."""
    return dict(_read(Path(path))[0]["header"])


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """The first line and the rest, whose hash is right."""
    try:
        with path.open("rb") as handle:
            line = handle.readline(_LONGEST_LINE)
            content = handle.read()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        first = None
    if not isinstance(first, dict) or first.get("format") != FORMAT:
        raise InputError(path, f"is not a {FORMAT} or is cut off")
    if first.get("version") != VERSION:
        raise InputError(
            path, f"has version {first.get('version')!r}, this program reads version {VERSION}"
        )
    if hashlib.sha256(content).hexdigest() != first.get("sha256"):
        raise InputError(path, "is cut off or was changed (its hash is another one)")
    if not isinstance(first.get("header"), dict) or not isinstance(first.get("leaves"), list):
        raise InputError(path, "lacks the header or the list of leaves in its first line")
    return first, content


def _leaves(tree: Any) -> list[list[Any]]:
    """Name, type and shape of every stored leaf; raises TypeError for one that cannot be stored."""
    return [
        [jax.tree_util.keystr(path), *kind]
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
        if (kind := _kind(jax.tree_util.keystr(path), leaf)) is not None
    ]


def _kind(name: str, leaf: Any) -> tuple[str, list[int]] | None:
    if isinstance(leaf, bool | int | float | complex) and not isinstance(leaf, np.generic):
        if type(leaf) is int and not -(2**63) <= leaf < 2**63:
            raise TypeError(f"{name}: {leaf} does not fit into 64 bits")
        return type(leaf).__name__, []
    if isinstance(leaf, jax.Array | jax.ShapeDtypeStruct | np.ndarray | np.generic):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            raise TypeError(f"{name}: store jax.random.key_data of a random key")
        if leaf.dtype.hasobject:
            raise TypeError(f"{name}: an array of objects would need pickle")
        return str(leaf.dtype), list(leaf.shape)
    if callable(leaf):
        return None
    raise TypeError(f"{name}: a {type(leaf).__name__} cannot be stored; put it into the header")


def _difference(found: list[Any], wanted: list[Any]) -> str:
    for there, here in zip(found, wanted, strict=False):
        if there != here:
            return f"{there} where {here} is expected"
    return f"{len(found)} leaves where {len(wanted)} are expected"
