"""The cards meet their targets, corners and temperature order as they must, shifts shift."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest
from PySpice.Spice.Netlist import Circuit

from circuits.foundry.figures import TransistorFigures, fo4_delay, transistor_figures
from circuits.simulator import Simulator
from circuits.transistors import add_mosfet
from devices.technology import CMOS40LP, Technology
from devices.technology.targets import TARGETS, Target

SIGN = {"nmos": 1, "pmos": -1, "nmos_io": 1, "pmos_io": -1}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def core(simulator: Simulator) -> dict[str, TransistorFigures]:
    """Core transistors, typical, at 300 K."""
    return {role: transistor_figures(simulator, CMOS40LP, role) for role in ("nmos", "pmos")}


@pytest.mark.parametrize(
    "target", TARGETS["cmos40lp"], ids=lambda t: f"{t.figure}-{t.role or 'inverter'}"
)
def test_cmos40lp_meets_its_targets(
    target: Target, simulator: Simulator, core: dict[str, TransistorFigures]
) -> None:
    if target.role is None:
        found = fo4_delay(simulator, CMOS40LP)
    else:
        found = asdict(core[target.role])[target.figure]
    assert target.met_by(found), f"{found:.4g}, expected {target.low:.4g} to {target.high:.4g}"


@pytest.mark.parametrize("role", ["nmos", "pmos", "nmos_io", "pmos_io"])
def test_fast_conducts_and_leaks_more_than_typical_and_slow_less(
    role: str, simulator: Simulator
) -> None:
    ss, tt, ff = (transistor_figures(simulator, CMOS40LP.at(c), role) for c in ("ss", "tt", "ff"))
    assert ss.ion < tt.ion < ff.ion
    assert 1.04 < ff.ion / tt.ion < 1.25
    assert 1.04 < tt.ion / ss.ion < 1.25
    assert ss.vt_linear > tt.vt_linear > ff.vt_linear
    if not role.endswith("_io"):  # there leakage is below what ngspice resolves
        assert 1.3 < ff.ioff / tt.ioff < 5
        assert 1.3 < tt.ioff / ss.ioff < 5


@pytest.mark.parametrize("role", ["nmos", "pmos"])
def test_at_358_K_leakage_rises_the_threshold_falls_and_mobility_falls(
    role: str, simulator: Simulator, core: dict[str, TransistorFigures]
) -> None:
    cold, hot = core[role], transistor_figures(simulator, CMOS40LP.at(temperature=358.0), role)
    # Subthreshold swing is proportional to T; leakage of bulk CMOS rises 5 to 30 times by 85 C.
    assert hot.swing / cold.swing == pytest.approx(358 / 300, rel=0.01)
    assert 5 < hot.ioff / cold.ioff < 30
    # -0.5 to -1 mV/K (recalled).
    assert -1.0e-3 < (hot.vt_linear - cold.vt_linear) / 58 < -0.5e-3
    # The threshold gives back part of what the mobility takes.
    assert 0.9 < hot.ion / cold.ion < 1.0
    # In the linear region at a fixed overdrive of 0.5 V mobility shows: (358/300)^-1.5 = 0.77.
    currents = [
        linear_current(simulator, CMOS40LP.at(temperature=t), role, f.vt_linear + 0.5)
        for t, f in ((300.0, cold), (358.0, hot))
    ]
    assert 0.7 < currents[1] / currents[0] < 0.95


def linear_current(simulator: Simulator, technology: Technology, role: str, gate: float) -> float:
    """Current (A) at 50 mV from drain to source."""
    return currents(simulator, technology, role, [{}], drain=0.05, gate=gate)[0]


def currents(
    simulator: Simulator,
    technology: Technology,
    role: str,
    variants: list[dict[str, float]],
    drain: float,
    gate: float,
) -> list[float]:
    """Drain current (A) of transistors placed with different keywords, in one run."""
    sign = SIGN[role]
    circuit = Circuit("shifts")
    circuit.raw_spice = technology.models_text() + "\n"
    circuit.V("g", "g", circuit.gnd, sign * gate)
    for i, keywords in enumerate(variants):
        circuit.V(f"d{i}", f"d{i}", circuit.gnd, sign * drain)
        add_mosfet(circuit, technology, role, f"t{i}", (f"d{i}", "g", "0", "0"), 1e-6, **keywords)
    found = simulator.run(
        f"{circuit}\n.options gmin=1e-18 abstol=1e-18 reltol=1e-6\n.tran 1n 2n\n.end\n"
    )
    return [abs(found[f"i(vd{i})"][-1]) for i in range(len(variants))]


def edited(technology: Technology, role: str, **change: float) -> Technology:
    """The technology with parameters of one card set."""
    library = {
        corner: {
            flavour: replace(t, card={**t.card, **change}) if flavour == role else t
            for flavour, t in flavours.items()
        }
        for corner, flavours in technology.library.items()
    }
    return replace(technology, library=library)


@pytest.mark.parametrize("role", ["nmos", "pmos"])
@pytest.mark.parametrize("gate", [0.3, 0.6, 1.1])
def test_vt_shift_does_what_the_cards_threshold_does(
    role: str, gate: float, simulator: Simulator
) -> None:
    """+10 mV by ``delvto`` equals vth0 and vfb moved by 10 mV, and weakens n and p alike."""
    card, sign = CMOS40LP.transistors[role].card, SIGN[role]
    both = edited(CMOS40LP, role, vth0=card["vth0"] + sign * 0.01, vfb=card["vfb"] + sign * 0.01)
    only = edited(CMOS40LP, role, vth0=card["vth0"] + sign * 0.01)
    plain, shifted, wider = currents(
        simulator, CMOS40LP, role, [{}, {"vt_shift": 0.01}, {"beta_shift": 0.01}], 1.1, gate
    )
    by_card, by_vth0 = (currents(simulator, t, role, [{}], 1.1, gate)[0] for t in (both, only))
    assert shifted < plain < wider
    assert shifted == pytest.approx(by_card, rel=1e-5)
    # vth0 alone leaves the flat band, which mobility depends on: within a tenth of the effect.
    assert plain - shifted == pytest.approx(plain - by_vth0, rel=0.12)


@pytest.mark.parametrize("role", ["nmos", "pmos"])
def test_vt_shift_by_a_source_in_series_with_the_gate_is_nearly_the_same(
    role: str, simulator: Simulator
) -> None:
    library = {
        corner: {f: replace(t, shift_by="gate") for f, t in flavours.items()}
        for corner, flavours in CMOS40LP.library.items()
    }
    series = replace(CMOS40LP, library=library)
    variants = [{}, {"vt_shift": 0.01}, {"beta_shift": 0.01}]
    # delvto moves the flat band too; in weak inversion the two agree best.
    for gate, close in ((0.3, 0.06), (0.7, 0.2)):
        a = currents(simulator, CMOS40LP, role, variants, 1.1, gate)
        b = currents(simulator, series, role, variants, 1.1, gate)
        assert a[0] == b[0]
        assert math.log(a[1] / a[0]) == pytest.approx(math.log(b[1] / b[0]), rel=close)
        assert b[2] > b[0]


def test_io_classes_conduct_more_at_their_supply_than_the_core_bears(
    simulator: Simulator,
) -> None:
    for name in CMOS40LP.io_classes:
        chosen = CMOS40LP.with_io(name)
        n, p = (transistor_figures(simulator, chosen, f"{k}_io") for k in ("nmos", "pmos"))
        assert 300 < n.ion < 900
        assert 0.25 < p.ion / n.ion < 0.7
        assert 0.4 < n.vt_linear < 1.2
