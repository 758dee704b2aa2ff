"""Synapses by name, with the source of their numbers."""

from __future__ import annotations

from devices.defaults import assumed_conduction
from devices.parameter import Parameter
from devices.synapse.law import Steps, Synapse

_PUBLISHED = "dynamic range 15 and 32 levels of arXiv 1711.03640 (ICECS 2017), abstract"
_ASSUMED = "assumed: the abstract does not tell"


def limited_15_32() -> Synapse:
    """Dynamic range 15 and 32 levels, as published; everything else assumed, without variability.

    The steps are equal; Gmax is one over the assumed LRS of the switching devices.
    """
    r_lrs = assumed_conduction().r_lrs
    none = Parameter(0.0, "1", "assumed", f"{_ASSUMED}; taken as none")
    steps = Steps(Parameter(32.0, "1", "taken", _PUBLISHED), none, none)
    g_max = 1 / r_lrs.value
    return Synapse(
        name="limited-15-32",
        g_max=Parameter(g_max, "S", "assumed", "one over the assumed LRS resistance"),
        g_min=Parameter(g_max / 15, "S", "taken", _PUBLISHED),
        sigma_ln_g_max=none,
        sigma_ln_g_min=none,
        stuck_low=none,
        stuck_high=none,
        potentiation=steps,
        depression=steps,
    )


PRESETS = {"limited-15-32": limited_15_32}
