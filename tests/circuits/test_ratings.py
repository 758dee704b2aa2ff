"""Ratings over waveforms: three pairs, each with its own rating, wherever the transistor stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.ratings import all_stresses, stresses, violations
from circuits.simulator import Simulator, Waveforms
from circuits.transistors import add_mosfet, placed_transistors
from devices.technology import CMOS40LP, Ratings, Technology

TIME = np.linspace(0.0, 1e-6, 1001)


def held(**levels: float) -> Waveforms:
    """Waveforms of constant node voltages; ``__`` in a name stands for a dot."""
    return Waveforms(
        TIME,
        {f"v({n.replace('__', '.')})": np.full_like(TIME, v) for n, v in levels.items()},
        "",
    )


def single(role: str = "nmos") -> Circuit:
    circuit = Circuit("one")
    add_mosfet(circuit, CMOS40LP, role, "1", ("d", "g", "s", "0"))
    return circuit


def rated(vgs: float, vgd: float, vds: float) -> Technology:
    """cmos40lp with the core NMOS rated so."""
    library = {
        corner: {
            **flavours,
            "nmos": replace(flavours["nmos"], ratings=Ratings(vgs, vgd, vds, "test")),
        }
        for corner, flavours in CMOS40LP.library.items()
    }
    return replace(CMOS40LP, library=library)


def test_each_pair_is_held_against_its_own_rating() -> None:
    waveforms = held(d=2.0, g=1.5, s=0.0)  # gs 1.5, gd 0.5, ds 2.0
    for limits, expected in (
        ((1.6, 0.6, 2.1), set()),
        ((1.4, 0.6, 2.1), {"gs"}),
        ((1.6, 0.4, 2.1), {"gd"}),
        ((1.6, 0.6, 1.9), {"ds"}),
        ((1.4, 0.4, 1.9), {"gs", "gd", "ds"}),
    ):
        found = violations(single(), waveforms, rated(*limits))
        assert {s.pair for s in found} == expected
        assert all(s.rating == dict(zip(("gs", "gd", "ds"), limits, strict=True))[s.pair]
                   for s in found)  # fmt: skip


def test_all_violations_are_listed_worst_first_and_stresses_give_the_worst_pair() -> None:
    technology = rated(1.4, 0.4, 1.9)
    found = violations(single(), held(d=2.0, g=1.5, s=0.0), technology)
    ratios = [s.voltage / s.rating for s in found]
    assert ratios == sorted(ratios, reverse=True)
    (worst,) = stresses(single(), held(d=2.0, g=1.5, s=0.0), technology)
    assert worst == found[0]
    assert (worst.pair, worst.violated) == ("gd", True)
    assert str(worst) == "m1 (nlp): |Vgd| reaches 0.5 V, rated 0.4 V"


def test_signs_do_not_matter_and_short_spikes_are_no_violation() -> None:
    assert violations(single("pmos"), held(d=-1.5, g=0.0, s=0.0), CMOS40LP)
    time = np.linspace(0.0, 1e-7, 1001)  # 0.1 ns a sample
    spike, long, quiet = (np.zeros_like(time) for _ in range(3))
    spike[500:508] = 2.0
    long[500:515] = 2.0

    def waveforms(drain: np.ndarray) -> Waveforms:
        return Waveforms(time, {"v(d)": drain, "v(g)": quiet, "v(s)": quiet}, "")

    assert not violations(single(), waveforms(spike), CMOS40LP)
    assert violations(single(), waveforms(long), CMOS40LP)


def nested() -> Circuit:
    """A transistor two subcircuits deep, one beside it as a raw line, one at the top."""
    inner = SubCircuit("inner", "a", "y")
    add_mosfet(inner, CMOS40LP, "nmos", "deep", ("y", "a", "mid", "0"))
    outer = SubCircuit("outer", "in", "out")
    outer.subcircuit(inner)
    outer.X("low", "inner", "in", "out")
    circuit = Circuit("nested")
    circuit.raw_spice = (
        "Mraw out in 0 0 nlp w=1u\n+ l=40n $ a comment\n* Mnot out in 0 0 nlp w=1u l=40n\n"
    )
    circuit.subcircuit(outer)
    circuit.X("top", "outer", "g", "d")
    add_mosfet(circuit, CMOS40LP, "pmos_io", "io", ("d", "g", "vdd", "vdd"))
    return circuit


def test_nested_and_raw_transistors_are_found_with_the_nodes_ngspice_gives_them() -> None:
    models = {t.model for t in CMOS40LP.transistors.values()}
    found = {p.name: p for p in placed_transistors(str(nested()), models)}
    assert set(found) == {"mraw", "mio", "xtop.xlow.mdeep"}
    deep = found["xtop.xlow.mdeep"]
    assert (deep.drain, deep.gate, deep.source, deep.bulk) == ("d", "g", "xtop.xlow.mid", "0")
    assert (found["mraw"].drain, found["mraw"].source) == ("out", "0")
    assert found["mio"].model == "p33"
    waveforms = held(d=0.5, g=0.5, vdd=0.5, out=0.5, **{"in": 0.5}, xtop__xlow__mid=3.0)
    (first, *_) = violations(nested(), waveforms, CMOS40LP)
    assert first.transistor == "xtop.xlow.mdeep"
    assert first.voltage == pytest.approx(2.5)


def test_a_technology_whose_transistors_are_subcircuits_is_seen_too() -> None:
    library = {
        corner: {
            **flavours,
            "nmos": replace(flavours["nmos"], element="X", model="nwrap", shift_by="gate", card={}),
        }
        for corner, flavours in CMOS40LP.library.items()
    }
    wrap = (
        ".subckt nwrap d g s b w=1u l=40n\n"
        f"{CMOS40LP.transistors['nmos'].model_text()}\nm1 d g s b nlp w={{w}} l={{l}}\n.ends"
    )
    wrapped = replace(CMOS40LP, library=library, model_texts=dict.fromkeys(library, wrap))
    circuit = Circuit("wrapped")
    circuit.raw_spice = wrapped.models_text() + "\n"
    circuit.V("d", "d", circuit.gnd, 1.6)
    circuit.V("g", "g", circuit.gnd, 0.8)
    add_mosfet(circuit, wrapped, "nmos", "1", ("d", "g", "0", "0"), 1e-6, vt_shift=0.05)
    add_mosfet(circuit, CMOS40LP, "pmos", "2", ("d", "g", "d", "d"))
    with Simulator() as simulator:
        waveforms = simulator.run(f"{circuit}\n.save all\n.tran 1n 10n\n.end\n")
    found = {(s.transistor, s.pair): s for s in all_stresses(circuit, waveforms, wrapped)}
    assert found["x1", "ds"].voltage == pytest.approx(1.6)
    assert found["x1", "ds"].violated
    # The shift stands between the node and the gate proper.
    assert found["x1", "gs"].voltage == pytest.approx(0.75)
    assert ("m2", "ds") in found
