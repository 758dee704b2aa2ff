"""The ngspice subcircuits of a CBRAM, written from the same law object as likelihood and sampler.

``NAME te be yset yreset``: active electrode, inert electrode, and the thresholds now in force as
voltages (1 V = exposure 1), drawn in Python. ``NAME_auto te be`` draws them itself from its
parameter ``seed``, one after another as the device renews. Inside, with 1 V = 1: ``s`` the state
(1 LRS, 0 HRS), ``was`` the state some ``CLEARING_TIME`` ago, ``us`` and ``ur`` the SET and RESET
exposures on capacitors, ``near`` a mere marker. Whether the rules of LRS or of HRS hold is told by
``was``: told by ``s``, a state that one iteration of the simulator gets wrong would confirm itself
and stay, as in ngspice 44 and 47 at steep edges.
The same rules as ``CBRAM.simulate``: exposure accrues in the starting state and at its own
polarity only, and is cleared outside the starting state and by an opposite excursion beyond
``RENEWAL_VOLTAGE``. Excursions shorter than some ``CLEARING_TIME`` are not resolved. On a ramp the
largest time step h sets the accuracy of the exposure: the trapezoidal rule makes it too large by
(h/T)^2/12, T being the time in which the rate grows e-fold (V0 over the slope): 2e-4 with h = T/20.
Gear's rule is four times less accurate. Decks start with ``uic``; a DC solution is that of a device
left at its bias for ever.
"""

from __future__ import annotations

from devices.cbram import CBRAM, RENEWAL_VOLTAGE
from devices.drawn import OWN, drawing_lines
from devices.expressions import spice
from devices.instance import (
    CAPACITANCE,
    CLEARING_TIME,
    LATCH_TIME,
    instance_parameters,
    rate_text,
)
from devices.law import SwitchingLaw
from devices.renewal_netlist import generator_lines, generator_parameters

APPROACH = 0.05
"""Share of a threshold over which the node ``near`` grows e-fold on the way to it. It does nothing
but move: so the simulator's own error control takes short steps where a switch is due. Without it
a step that was tried, found a switch and was cut short can leave the switch behind, early."""

LAG = 1e-11
"""F; numerical scale of ``was``, small beside ``CAPACITANCE``, so that it does not load ``s``."""


def subcircuit(device: CBRAM, name: str = "cbram", near: bool = True) -> str:
    """Netlist text of ``.subckt NAME te be yset yreset``, one instance one device.

    Each instance can override ``tau_set``, ``v0_set``, ``r_lrs``, ``r_hrs`` (SI), ``state0``
    (0 HRS, 1 LRS), the like of a RESET law, and where a law has an activation energy ``t_kelvin``
    (K; 0, the default, is each law's own reference temperature). The family's shape is not among
    them: the thresholds carry it. Without the node ``near``, which takes about half of the time, a
    switch is exact only where no time step is given up, that is, in decks whose largest step rules
    (``trtol`` large), and where the exposures rather than the states are read.
    """
    return (
        f"* CBRAM {device.name}: {_laws(device)}\n"
        "* thresholds yset, yreset come from outside; equal ones give equal bits in Python\n"
        f".subckt {name} te be yset yreset params: {_assignments(instance_parameters(device))}\n"
        f"{_body(device, near=near)}"
        f".ends {name}\n"
    )


def self_contained(device: CBRAM, name: str = "cbram") -> str:
    """Netlist text of ``.subckt NAME_auto te be``, which draws its thresholds itself.

    Parameters as for :func:`subcircuit`, further ``seed`` (a whole number from 0 to 2^25 - 1) and,
    where the family's inverse is a closed expression, ``shape_set`` (``shape_reset``). With
    ``d2d=1`` the seed also draws the device from the population, as
    ``devices.drawn.generated_device(device, seed)`` does, about the values given. Spread (C2C) and
    memory are those of the law. The thresholds are
    ``devices.thresholds.generated_thresholds(law, seed, count, direction)``, whatever the waveform
    and the simulator's time steps.
    """
    parameters = instance_parameters(device) | generator_parameters(device)
    return (
        f"* CBRAM {device.name}: {_laws(device)}\n"
        "* draws its own thresholds: give each instance its own seed, 0 to 33554431\n"
        f".subckt {name}_auto te be params: seed=1 d2d=0 {_assignments(parameters)}\n"
        f"{drawing_lines(device)}"
        f"{_body(device, OWN)}"
        f"{generator_lines(device)}"
        f".ends {name}_auto\n"
    )


def library(device: CBRAM, name: str = "cbram") -> str:
    """The content of device.lib: how to use it, and both subcircuits."""
    return f"""\
* {device.name}: stochastic CBRAM for ngspice; exposures and renewals as in StochRAM.
*
*   .include device.lib
*   x1 a b {name}_auto seed=1                  its own thresholds, from the seed
*   x2 a b {name}_auto seed=2 r_hrs=5e6        another; parameters can be overridden
*   x4 a b {name}_auto seed=3 d2d=1            a device of the population, drawn by the seed
*   x3 a b ys yr {name}                        thresholds from outside, 1 V = exposure 1
*   .tran 100n 1m 0 1u uic                    "uic" is needed; 1u the largest step
*   .options method=gear                      or ngspice 44 may count a renewal twice (47 with any)
*
* On ramps the largest step should be at most V0/slope/20: 2e-4 of the exposure.
* SET at v(a) > v(b). v(x1.s) is the state (1 LRS, 0 HRS), v(x1.us) and v(x1.ur) the exposures.
{subcircuit(device, name)}{self_contained(device, name)}"""


def _body(device: CBRAM, own: str = "", near: bool = True) -> str:
    """The device between ``te`` and ``be`` with thresholds on the nodes ``yset`` and ``yreset``.

    The parameters' names end in ``own``.
    """
    set_rate = _rate(device.set, "v(te,be)", f"set{own}")
    if device.reset is None:
        reset_rate = f"((v(be,te) > {RENEWAL_VOLTAGE:g}) ? 1/t_reset : 0)"
    else:
        reset_rate = _rate(device.reset, "v(be,te)", f"reset{own}")
    c, clear, latch = CAPACITANCE, CAPACITANCE / CLEARING_TIME, CAPACITANCE / LATCH_TIME
    # With uic every node starts at 0, the thresholds too: 0 must not count as one that is met.
    y_set, y_reset = "max(v(yset),1e-12)", "max(v(yreset),1e-12)"
    reached = f"min(1.2,(v(was) < 0.5) ? v(us)/{y_set} : v(ur)/{y_reset})"
    opposite_set = f"(v(be,te) > {RENEWAL_VOLTAGE:g})"
    opposite_reset = f"(v(te,be) > {RENEWAL_VOLTAGE:g})"
    # While an exposure is being cleared its threshold may change: nothing switches then.
    sets = f"((v(us) >= {y_set}) && (v(be,te) <= {RENEWAL_VOLTAGE:g}))"
    stays = f"((v(ur) < {y_reset}) || (v(te,be) > {RENEWAL_VOLTAGE:g}))"
    marker = f"""\
bnear 0 near i = {latch:g}*(exp(({reached} - 1)/{APPROACH:g}) - v(near))
cnear near 0 {c:g} ic=0
"""
    return f"""\
bdev te be i = v(te,be)*(1/r_hrs{own} + v(s)*(1/r_lrs{own} - 1/r_hrs{own}))
bus 0 us i = (v(was) < 0.5) ? {c:g}*{set_rate}
+ - ({opposite_set} ? {clear:g}*v(us) : 0) : -{clear:g}*v(us)
bur 0 ur i = (v(was) > 0.5) ? {c:g}*{reset_rate}
+ - ({opposite_reset} ? {clear:g}*v(ur) : 0) : -{clear:g}*v(ur)
bs 0 s i = {latch:g}*(((v(was) < 0.5) ? {sets} : {stays}) - v(s))
cus us 0 {c:g} ic=0
cur ur 0 {c:g} ic=0
cs s 0 {c:g} ic={{state0}}
rwas s was {CLEARING_TIME / LAG:g}
cwas was 0 {LAG:g} ic={{state0}}
{marker if near else ""}rus us 0 1e15
rur ur 0 1e15
"""


def _rate(law: SwitchingLaw, voltage: str, suffix: str) -> str:
    return f"(({voltage} > 0) ? {rate_text(law, voltage, suffix, spice)} : 0)"


def _laws(device: CBRAM) -> str:
    texts = [f"SET {device.set.family.name} {device.set.acceleration.name}"]
    if device.reset is None:
        texts.append("ideal RESET")
    else:
        texts.append(f"RESET {device.reset.family.name} {device.reset.acceleration.name}")
    return ", ".join(texts)


def _assignments(parameters: dict[str, float]) -> str:
    return " ".join(f"{key}={value:.12g}" for key, value in parameters.items())
