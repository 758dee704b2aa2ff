"""The Verilog-A module of a CBRAM, written from the same law object as likelihood and sampler.

Terminals ``te be yset yreset state``: active electrode, inert electrode, the thresholds now in
force (1 V = exposure 1; drawn in Python), and the state (1 V LRS, 0 V HRS), which is an output. The
same rules as ``CBRAM.simulate`` and ``devices/subcircuit.py``. All memory is in node voltages, so
that rejected time steps leave no trace; there is no ``$random`` and no ``@(cross)``, which OpenVAF
rejects. Steps shorten as a threshold comes near (``$bound_step``). On ramps the largest step sets
the accuracy as told in ``devices/subcircuit.py``, if VACASK runs with ``options nr_conviter=2``: by
default it may accept a rate linearised about the step before. Its first steps after a corner of a
waveform are Euler's: a peak costs another (h/T)^2/2. At the operating point the device is in its
initial state with clear exposures.
"""

from __future__ import annotations

from devices.cbram import CBRAM, RENEWAL_VOLTAGE
from devices.expressions import veriloga as printed
from devices.instance import (
    CAPACITANCE,
    CLEARING_TIME,
    LATCH_TIME,
    instance_parameters,
    rate_text,
)

RESOLUTION = 1e-4
"""Share of a threshold within which the switch is placed."""
_ANY_SIGN = ("state0", "ea_set", "ea_reset")
_MEANING = {
    "tau": ("s", "time constant at vref"),
    "v0": ("V", "voltage for a factor e in the time constant, at vref"),
    "vref": ("V", "reference voltage magnitude"),
    "ea": ("eV", "activation energy"),
    "r_lrs": ("Ohm", "resistance of the LRS"),
    "r_hrs": ("Ohm", "resistance of the HRS"),
    "state0": ("", "initial state, 0 HRS or 1 LRS"),
    "t_reset": ("s", "time an ideal RESET takes"),
    "t_kelvin": ("K", "temperature of the device; 0: each law at its reference"),
}


def veriloga(device: CBRAM, name: str = "cbram") -> str:
    """Verilog-A text of ``module NAME(te, be, yset, yreset, state)``.

    Compiled by ``openvaf-r`` and run by VACASK. Every parameter can be set per instance (those of
    ``devices.instance.instance_parameters``, SI).
    """
    parameters = "\n".join(
        _parameter(key, value) for key, value in instance_parameters(device).items()
    )
    laws = device.set.family.name, device.set.acceleration.name
    if device.reset is None:
        reset_rate = f"(m > {RENEWAL_VOLTAGE:g}) ? 1.0/t_reset : 0.0"
    else:
        reset_rate = f"(m > 0.0) ? {rate_text(device.reset, 'm', 'reset', printed)} : 0.0"
    opposite, set_rate = RENEWAL_VOLTAGE, rate_text(device.set, "m", "set", printed)
    c, clear, latch = CAPACITANCE, CAPACITANCE / CLEARING_TIME, CAPACITANCE / LATCH_TIME
    return f"""\
// CBRAM {device.name}: {laws[0]} family, {laws[1]}
// thresholds yset, yreset come from outside; equal ones give equal bits in Python
//
// openvaf-r device.va, then in VACASK, with SET at v(a) > v(b):
//   load "device.osdi"
//   model {name} {name}
//   x1 (a b ys yr s) {name} r_hrs=5e6       parameters can be given per instance
//   options nr_conviter=2                  and on ramps maxstep at most V0/slope/20
`include "constants.vams"
`include "disciplines.vams"

module {name}(te, be, yset, yreset, state);
  inout te, be, yset, yreset, state;
  electrical te, be, yset, yreset, state, us, ur;
{parameters}
  real v, m, rate_set, rate_reset, clear_set, clear_reset, target, gain;
  analog begin
    v = V(te, be);
    rate_set = 0.0;
    rate_reset = 0.0;
    clear_set = {clear:.1f};
    clear_reset = {clear:.1f};
    gain = 0.0;
    if (analysis("static"))
      target = state0;
    else if (V(state) < 0.5) begin
      // HRS: SET exposure accrues at its polarity, RESET's is clear.
      m = v;
      rate_set = (m > 0.0) ? {set_rate} : 0.0;
      clear_set = (m < -{opposite:g}) ? {clear:.1f} : 0.0;
      target = (V(us) >= max(V(yset), 1e-12) && m >= -{opposite:g}) ? 1.0 : 0.0;
      gain = {_step("V(us)", "V(yset)")};
    end else begin
      // LRS: the same with the directions exchanged.
      m = -v;
      rate_reset = {reset_rate};
      clear_reset = (m < -{opposite:g}) ? {clear:.1f} : 0.0;
      target = (V(ur) >= max(V(yreset), 1e-12) && m >= -{opposite:g}) ? 0.0 : 1.0;
      gain = {_step("V(ur)", "V(yreset)")};
    end
    if (rate_set + rate_reset > 0.0)
      $bound_step(gain/(rate_set + rate_reset));
    I(te, be) <+ v*(1.0/r_hrs + V(state)*(1.0/r_lrs - 1.0/r_hrs));
    I(us) <+ {c:g}*(ddt(V(us)) - rate_set) + clear_set*V(us);
    I(ur) <+ {c:g}*(ddt(V(ur)) - rate_reset) + clear_reset*V(ur);
    I(state) <+ {c:g}*ddt(V(state)) + {latch:.1f}*(V(state) - target);
  end
endmodule
"""


def _step(exposure: str, threshold: str) -> str:
    """Exposure that one time step may add."""
    y = f"max({threshold}, 1e-12)"
    return f"max(0.5*({y} - {exposure}), {RESOLUTION:g}*{y})"


def _parameter(key: str, value: float) -> str:
    unit, meaning = _MEANING.get(key) or _MEANING[key.rsplit("_", 1)[0]]
    allowed = "" if key in _ANY_SIGN else " from [0:inf)" if value == 0 else " from (0:inf)"
    attributes = f'(*type="instance", units="{unit}", desc="{meaning}"*)'
    return f"  {attributes}\n  parameter real {key} = {value:.12g}{allowed};"
