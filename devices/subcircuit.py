"""The ngspice subcircuit of a CBRAM, written from the same law object as likelihood and sampler.

Terminals ``te be yset yreset``: active electrode, inert electrode, and the thresholds now in force
as voltages (1 V = exposure 1), drawn in Python. Inside, with 1 V = 1: ``s`` the state (1 LRS,
0 HRS), ``us`` and ``ur`` the SET and RESET exposures on capacitors, ``near`` a mere marker. The
same rules as ``CBRAM.simulate``: exposure accrues in the starting state and at its own polarity
only, and is cleared outside the starting state and by an opposite excursion beyond
``RENEWAL_VOLTAGE``. Decks start with ``uic``; a DC solution is that of a device left at its bias
for ever.
"""

from __future__ import annotations

from devices.cbram import CBRAM, RENEWAL_VOLTAGE
from devices.law import SwitchingLaw

CLEARING_TIME = 10e-9
"""s; time constant with which an exposure is cleared."""
LATCH_TIME = 1e-9
"""s; time constant of the state's change once a threshold is reached."""
APPROACH = 0.05
"""Share of a threshold over which the node ``near`` grows e-fold on the way to it. It does nothing
but move: so the simulator's own error control takes short steps where a switch is due. Without it
a step that was tried, found a switch and was cut short can leave the switch behind, early."""
_CAPACITANCE = 1e-6
"""F; numerical scale of the integrators, of no effect on u."""


def subcircuit(device: CBRAM, name: str = "cbram") -> str:
    """Netlist text of ``.subckt NAME te be yset yreset``, one instance one device.

    Each instance can override ``tau_set``, ``v0_set``, ``r_lrs``, ``r_hrs`` (SI) and ``state0``
    (0 HRS, 1 LRS). The family's shape is not among them: the thresholds carry it.
    """
    parameters = {
        "tau_set": device.set.tau_ref.value,
        "v0_set": device.set.v0.value,
        "vref_set": device.set.reference_voltage,
        "r_lrs": device.conduction.r_lrs.value,
        "r_hrs": device.conduction.r_hrs.value,
        "state0": 0,
    }
    if device.reset is None:
        parameters["t_reset"] = device.ideal_reset_time.value
        reset_rate = f"((v(be,te) > {RENEWAL_VOLTAGE:g}) ? 1/t_reset : 0)"
    else:
        parameters |= {
            "tau_reset": device.reset.tau_ref.value,
            "v0_reset": device.reset.v0.value,
            "vref_reset": device.reset.reference_voltage,
        }
        reset_rate = _rate(device.reset, "v(be,te)", "reset")
    assignments = " ".join(f"{key}={value:.12g}" for key, value in parameters.items())
    set_rate = _rate(device.set, "v(te,be)", "set")
    c, clear, latch = _CAPACITANCE, _CAPACITANCE / CLEARING_TIME, _CAPACITANCE / LATCH_TIME
    # With uic every node starts at 0, the thresholds too: 0 must not count as one that is met.
    y_set, y_reset = "max(v(yset),1e-12)", "max(v(yreset),1e-12)"
    reached = f"min(1.2,(v(s) < 0.5) ? v(us)/{y_set} : v(ur)/{y_reset})"
    opposite_set = f"(v(be,te) > {RENEWAL_VOLTAGE:g})"
    opposite_reset = f"(v(te,be) > {RENEWAL_VOLTAGE:g})"
    return f"""\
* CBRAM {device.name}: {device.set.family.name} family, {device.set.acceleration.name}
* thresholds yset, yreset come from outside; the same values give the same bits in Python
.subckt {name} te be yset yreset params: {assignments}
bdev te be i = v(te,be)*(1/r_hrs + v(s)*(1/r_lrs - 1/r_hrs))
bus 0 us i = (v(s) < 0.5) ? {c:g}*{set_rate}
+ - ({opposite_set} ? {clear:g}*v(us) : 0) : -{clear:g}*v(us)
bur 0 ur i = (v(s) > 0.5) ? {c:g}*{reset_rate}
+ - ({opposite_reset} ? {clear:g}*v(ur) : 0) : -{clear:g}*v(ur)
bs 0 s i = {latch:g}*(((v(s) < 0.5) ? (v(us) >= {y_set}) : (v(ur) < {y_reset})) - v(s))
cus us 0 {c:g} ic=0
cur ur 0 {c:g} ic=0
cs s 0 {c:g} ic={{state0}}
bnear 0 near i = {latch:g}*(exp(({reached} - 1)/{APPROACH:g}) - v(near))
cnear near 0 {c:g} ic=0
rus us 0 1e15
rur ur 0 1e15
.ends {name}
"""


def _rate(law: SwitchingLaw, voltage: str, suffix: str) -> str:
    rate = law.acceleration.rate_spice(voltage, f"vref_{suffix}", f"tau_{suffix}", f"v0_{suffix}")
    return f"(({voltage} > 0) ? {rate} : 0)"
