"""The synapse: end states with their spread, a branch for each direction, and stuck cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from devices.parameter import Parameter
from devices.synapse.branch import Branch

UNITS = {"g_max": "S", "g_min": "S"}
"""Of the parameters with a unit; the others have none, "1"."""
BRANCH = ("levels", "nonlinearity", "sigma_step")
ENDS = ("g_max", "g_min", "sigma_ln_g_max", "sigma_ln_g_min", "stuck_low", "stuck_high")
DIRECTIONS = ("potentiation", "depression")


@dataclass(frozen=True)
class Steps:
    """The parameters of one direction.

    ``levels`` are one more than the mean number of pulses across the range, ``nonlinearity`` and
    ``sigma_step`` those of :class:`Branch`.
    """

    levels: Parameter
    nonlinearity: Parameter
    sigma_step: Parameter

    @property
    def branch(self) -> Branch:
        """Their law."""
        return Branch(self.levels.value - 1, self.nonlinearity.value, self.sigma_step.value)


@dataclass(frozen=True)
class Synapse:
    """A population of conductance synapses.

    ``g_max`` and ``g_min`` (S) are medians of the devices' end states, ``sigma_ln_g_max`` and
    ``sigma_ln_g_min`` the D2D standard deviations of their logarithms, ``stuck_low`` and
    ``stuck_high`` the shares of devices that stay at an end state whatever the pulses.
    """

    name: str
    g_max: Parameter
    g_min: Parameter
    sigma_ln_g_max: Parameter
    sigma_ln_g_min: Parameter
    stuck_low: Parameter
    stuck_high: Parameter
    potentiation: Steps
    depression: Steps

    @property
    def dynamic_range(self) -> float:
        """Gmax / Gmin of the median device."""
        return self.g_max.value / self.g_min.value

    @property
    def branches(self) -> tuple[Branch, Branch]:
        """The laws of potentiation and depression."""
        return self.potentiation.branch, self.depression.branch

    def assuming(
        self,
        dynamic_range: float | None = None,
        levels: float | None = None,
        sigma_step: float | None = None,
        sigma_ends: float | None = None,
        nonlinearity: float | None = None,
        asymmetry: float | None = None,
        stuck: float | None = None,
    ) -> Synapse:
        """The synapse with some properties replaced by what-ifs, marked assumed.

        ``dynamic_range`` moves g_min; ``levels``, ``sigma_step`` and ``nonlinearity`` are those of
        both directions, ``asymmetry`` is what depression's nonlinearity has more than
        potentiation's; ``stuck`` is shared evenly between both ends.
        """

        def what_if(old: Parameter, value: float | None) -> Parameter:
            return old if value is None else Parameter(value, old.unit, "assumed", "what if")

        def steps(old: Steps, more: float) -> Steps:
            base = self.potentiation.nonlinearity.value if nonlinearity is None else nonlinearity
            changed = nonlinearity if asymmetry is None else base + more
            return Steps(
                what_if(old.levels, levels),
                what_if(old.nonlinearity, changed),
                what_if(old.sigma_step, sigma_step),
            )

        g_min = None if dynamic_range is None else self.g_max.value / dynamic_range
        half = None if stuck is None else stuck / 2
        return replace(
            self,
            g_min=what_if(self.g_min, g_min),
            sigma_ln_g_max=what_if(self.sigma_ln_g_max, sigma_ends),
            sigma_ln_g_min=what_if(self.sigma_ln_g_min, sigma_ends),
            stuck_low=what_if(self.stuck_low, half),
            stuck_high=what_if(self.stuck_high, half),
            potentiation=steps(self.potentiation, 0.0),
            depression=steps(self.depression, asymmetry or 0.0),
        )

    def to_dict(self) -> dict[str, Any]:
        """The content of synapse.json without its provenance."""
        ends = {name: getattr(self, name).to_dict() for name in ENDS}
        steps = {
            side: {name: getattr(getattr(self, side), name).to_dict() for name in BRANCH}
            for side in DIRECTIONS
        }
        return {"schema": 1, "name": self.name, **ends, **steps}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Synapse:
        """The inverse of :meth:`to_dict`."""
        ends: dict[str, Any] = {name: Parameter.from_dict(content[name]) for name in ENDS}
        steps: dict[str, Any] = {
            side: Steps(*(Parameter.from_dict(content[side][name]) for name in BRANCH))
            for side in DIRECTIONS
        }
        return cls(name=content["name"], **ends, **steps)
