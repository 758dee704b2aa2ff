"""Transistors of a technology placed into a circuit, and found again in its netlist."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from PySpice.Spice.Netlist import Circuit, SubCircuit

from devices.technology import Technology

DIFFUSION = 70e-9
"""m; length of a source or drain region for junction area and perimeter; assumed."""


def add_mosfet(
    circuit: SubCircuit | Circuit,
    technology: Technology,
    role: str,
    name: str,
    nodes: tuple[str, str, str, str],
    width: float | None = None,
    length: float | None = None,
    vt_shift: float = 0.0,
    beta_shift: float = 0.0,
) -> None:
    """One transistor; ``nodes`` are drain, gate, source, bulk; ``role`` a key of the technology.

    ``width`` and ``length`` in m, the technology's own where None. ``vt_shift`` (V) is added to
    the magnitude of the threshold, so that a positive one weakens n and p alike; ``beta_shift`` is
    the relative change of the current factor. BSIM3 and BSIM4 take both as the instance parameters
    ``delvto`` and ``mulu0``; a model that does not (``shift_by = "gate"``) gets a voltage source in
    series with its gate, called ``Vshift<name>``, and a changed width.
    """
    transistor = technology.transistors[role]
    if width is None:
        width = technology.nmos_width if transistor.polarity == "nmos" else technology.pmos_width
    sign = 1.0 if transistor.polarity == "nmos" else -1.0
    drain, gate, source, bulk = nodes
    raw = ""
    if transistor.shift_by == "delvto":
        raw += f" delvto={sign * vt_shift:.9g}" if vt_shift else ""
        raw += f" mulu0={1 + beta_shift:.9g}" if beta_shift else ""
    else:
        width *= 1 + beta_shift
        if vt_shift:
            inner = f"{name}_gate"
            circuit.V(f"shift{name}", gate, inner, sign * vt_shift)
            gate = inner
    length = length or transistor.length
    if transistor.element == "X":
        circuit.X(name, transistor.model, drain, gate, source, bulk, w=width, l=length)
        return
    area, perimeter = width * DIFFUSION, 2 * (width + DIFFUSION)
    circuit.MOSFET(
        name,
        drain,
        gate,
        source,
        bulk,
        model=transistor.model,
        width=width,
        length=length,
        drain_area=area,
        source_area=area,
        drain_perimeter=perimeter,
        source_perimeter=perimeter,
        raw_spice=raw.strip(),
    )


@dataclass(frozen=True)
class Placed:
    """A transistor of a flattened netlist: its path ("xdut.m1") and nodes by ngspice's names."""

    name: str
    model: str
    drain: str
    gate: str
    source: str
    bulk: str


@dataclass
class _Block:
    """Elements of one level: (name, nodes, model or subcircuit)."""

    ports: list[str]
    elements: list[tuple[str, list[str], str]] = field(default_factory=list)


def placed_transistors(netlist: str, models: Collection[str]) -> list[Placed]:
    """Every transistor of a netlist whose model (or wrapping subcircuit) is one of ``models``.

    Reads the text, so that nested subcircuits and elements given as raw lines are seen alike.
    """
    known = {model.lower(): model for model in models}
    blocks, globals_ = _blocks(netlist)
    return list(_walk(blocks, "", "", {}, known, globals_))


def _lines(netlist: str) -> Iterator[str]:
    """Logical lines in lower case: comments dropped, continuations joined."""
    pending = ""
    for number, raw in enumerate(netlist.splitlines()):
        if number == 0 and not raw.startswith("."):
            continue  # the title
        line = raw.split("$ ")[0].split(";")[0].strip().lower()
        if not line or line.startswith("*"):
            continue
        if line.startswith("+"):
            pending += " " + line[1:]
            continue
        if pending:
            yield pending
        pending = line
    if pending:
        yield pending


def _blocks(netlist: str) -> tuple[dict[str, _Block], set[str]]:
    """Elements by subcircuit ("" is the top), and the global nodes."""
    blocks = {"": _Block([])}
    globals_ = {"0", "gnd"}
    path = [""]
    for line in _lines(netlist):
        words = line.replace("=", " = ").split()
        plain = words[: words.index("=") - 1] if "=" in words else words
        plain = [word for word in plain if word != "params:"]
        if words[0] == ".subckt":
            path.append(plain[1])
            blocks[plain[1]] = _Block(plain[2:])
        elif words[0] == ".ends" and len(path) > 1:
            path.pop()
        elif words[0] == ".global":
            globals_ |= set(plain[1:])
        elif words[0][0] == "m" and len(plain) >= 6:
            blocks[path[-1]].elements.append((plain[0], plain[1:5], plain[5]))
        elif words[0][0] == "x" and len(plain) >= 2:
            blocks[path[-1]].elements.append((plain[0], plain[1:-1], plain[-1]))
    return blocks, globals_


def _walk(
    blocks: dict[str, _Block],
    name: str,
    prefix: str,
    outer: dict[str, str],
    known: dict[str, str],
    globals_: set[str],
) -> Iterator[Placed]:
    def resolve(node: str) -> str:
        if node in outer:
            return outer[node]
        return ("0" if node == "gnd" else node) if node in globals_ else prefix + node

    for element, nodes, kind in blocks[name].elements:
        resolved = [resolve(node) for node in nodes]
        if kind in known:
            yield Placed(prefix + element, known[kind], *resolved[:4])
        elif element[0] == "x" and kind in blocks:
            ports = dict(zip(blocks[kind].ports, resolved, strict=True))
            yield from _walk(blocks, kind, f"{prefix}{element}.", ports, known, globals_)
