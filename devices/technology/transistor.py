"""One MOSFET flavour: its card or model name, the voltages it bears, how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scipy.constants import epsilon_0

CARD_VERSION = "4.5"
"""BSIM4 version of our own cards, the one the published predictive cards are written for."""
PAIRS = ("gs", "gd", "ds")
"""Terminal pairs a rating bounds."""


SIO2_PERMITTIVITY = 3.9
"""Relative, textbook value."""


@dataclass(frozen=True)
class Ratings:
    """Largest lasting voltages (V) between gate and source, gate and drain, drain and source.

    They bound the magnitudes; ``source`` says where they come from.
    """

    vgs: float
    vgd: float
    vds: float
    source: str

    def of(self, pair: str) -> float:
        """The rating of a pair of :data:`PAIRS`."""
        return {"gs": self.vgs, "gd": self.vgd, "ds": self.vds}[pair]

    @property
    def lowest(self) -> float:
        """The voltage (V) every pair bears."""
        return min(self.vgs, self.vgd, self.vds)


@dataclass(frozen=True)
class Mismatch:
    """Pelgrom coefficients of two neighbours' difference: sigma = a / sqrt(W L).

    ``a_vt`` in V m (1 mV um = 1e-9 V m), ``a_beta`` in m (1 % um = 1e-8 m). Pelgrom,
    Duinmaijer and Welbers, IEEE JSSC 24, 1433 (1989), recalled.
    """

    a_vt: float
    a_beta: float
    source: str


@dataclass(frozen=True)
class Transistor:
    """One MOSFET flavour at one corner.

    ``length`` (m) is the drawn one and the shortest allowed; ``oxide`` (m) the electrical oxide
    thickness; ``card`` holds BSIM4 (level 54) parameters and is empty where the model comes from a
    file; ``source`` says where the model comes from. ``element`` is the SPICE letter: "M", or "X"
    where the model is a subcircuit of four terminals with parameters ``w`` and ``l``.
    """

    model: str
    polarity: str
    length: float
    oxide: float
    ratings: Ratings
    mismatch: Mismatch
    source: str
    card: Mapping[str, float] = field(default_factory=dict)
    element: str = "M"
    shift_by: str = "delvto"
    """How a threshold shift is placed: "delvto" (BSIM3, BSIM4) or "gate", a source in series."""

    @property
    def oxide_capacitance(self) -> float:
        """F/m2, of the electrical oxide."""
        return SIO2_PERMITTIVITY * epsilon_0 / self.oxide

    def model_text(self) -> str:
        """The ``.model`` statement for ngspice; empty where the model comes from a file."""
        if not self.card:
            return ""
        values = [f"{key}={value:.6g}" for key, value in self.card.items()]
        rows = ["+ " + " ".join(values[i : i + 8]) for i in range(0, len(values), 8)]
        head = f".model {self.model} {self.polarity} level=54 version={CARD_VERSION}"
        return "\n".join([head, *rows])
