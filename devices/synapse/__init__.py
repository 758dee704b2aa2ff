"""A conductance synapse: a memristor whose conductance moves a step with each programming pulse.

``branch`` is the law of the steps in one direction, ``law`` the synapse made of two of them,
``population`` devices drawn from it, ``likelihood`` the density of pulse data under the same law.
"""

from devices.synapse.branch import Branch
from devices.synapse.law import Synapse
from devices.synapse.likelihood import log_density
from devices.synapse.population import Drawn, draw, initial, train_of_pulses
from devices.synapse.presets import PRESETS

__all__ = [
    "PRESETS",
    "Branch",
    "Drawn",
    "Synapse",
    "draw",
    "initial",
    "log_density",
    "train_of_pulses",
]
