"""Thresholds of successive renewals from a seed alone, the same in numpy and in a netlist.

E = -ln U with U of :mod:`devices.generator`, then Y = F^-1(1 - exp(-E)); with memory the score
z_k = rho z_(k-1) + sqrt(1 - rho^2) eps_k takes the place of E, as in
``SwitchingLaw.sample_thresholds``; the C2C spread multiplies Y by exp(sigma N).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_ndtr

from devices.expressions import spice
from devices.families.base import ENERGY, LN_SHAPE
from devices.generator import Text, normal_parts, uniform, words
from devices.law import SwitchingLaw
from devices.threshold_table import broken_line

_LN_ENERGY_RANGE = (-21.0, 3.6)
"""ln E of the broken line: beyond its upper end nothing is drawn, below its lower end once in
1e9 draws, and then the threshold is that at the end."""
_SCORE_RANGE = (-6.0, 6.0)
"""Normal scores the generator can give: sqrt(2 * 26 ln 2) at most, and less with memory."""


def generated_thresholds(
    law: SwitchingLaw, seed: int, count: int, direction: int = 0
) -> np.ndarray:
    """Thresholds (exposures) of the renewals 0 to ``count`` - 1; direction 0 SET, 1 RESET.

    What the self-contained subcircuit with this seed takes; feed them to ``CBRAM.simulate``.
    Raises ValueError for seeds outside 0 to 2^25 - 1.
    """
    last, before = words(seed, direction, count, "threshold")
    rho = law.spread.memory.value
    if rho:
        scores = _normal(last, before)
        for k in range(1, count):
            scores[k] = rho * scores[k - 1] + math.sqrt(1 - rho * rho) * scores[k]
        energy = -log_ndtr(-scores)
    else:
        energy = -np.log(uniform(last, before))
    thresholds = law.family.threshold(energy, law.shape_value)
    sigma = law.spread.sigma_ln_tau_c2c.value
    if sigma:
        thresholds = thresholds * np.exp(sigma * _normal(*words(seed, direction, count, "cycle")))
    return thresholds


def threshold_text(law: SwitchingLaw, suffix: str, last: Text, before: Text) -> str:
    """Y in ngspice syntax, of the last two words of a renewal; without memory and C2C.

    The family's own expression of E and the parameter ``shape_SUFFIX``, or, where it has no closed
    one, a broken line of ln Y against ln E.
    """
    energy = f"(-ln({uniform(last, before)}))"
    expression = law.family.threshold_expression()
    if expression is not None:
        return spice(expression, {ENERGY: energy, LN_SHAPE: f"ln(shape_{suffix})"})
    shape = law.shape_value
    knots = broken_line(lambda x: np.log(law.family.threshold(np.exp(x), shape)), *_LN_ENERGY_RANGE)
    return f"exp({pwl_text(f'ln{energy}', *knots)})"


def score_threshold_text(law: SwitchingLaw, score: str) -> str:
    """Y in ngspice syntax, of the normal score of a renewal (with memory), as a broken line."""
    shape = law.shape_value
    knots = broken_line(lambda z: np.log(law.family.threshold(-log_ndtr(-z), shape)), *_SCORE_RANGE)
    return f"exp({pwl_text(score, *knots)})"


def normal_text(last: Text, before: Text) -> str:
    """A standard normal variate in ngspice syntax, of the last two words of a renewal."""
    variate, angle = normal_parts(last, before)
    return f"(sqrt(-2*ln({variate}))*cos({angle}))"


def pwl_text(variable: str, x: np.ndarray, y: np.ndarray) -> str:
    """A broken line in ngspice syntax, over several lines."""
    points = [f"{a:.12g},{b:.12g}" for a, b in zip(x, y, strict=True)]
    rows = [",".join(points[i : i + 4]) for i in range(0, len(points), 4)]
    return f"pwl({variable},\n+ " + ",\n+ ".join(rows) + ")"


def _normal(last: np.ndarray, before: np.ndarray) -> np.ndarray:
    variate, angle = normal_parts(last, before)
    return np.asarray(np.sqrt(-2 * np.log(variate)) * np.cos(angle))
