"""Memory or drift: is the correlation of successive outcomes explained by a slow trend?

White noise and AR(1), each around a mean, a line, a parabola, a bent line or one step over the
cycles, are compared by BIC; memory is then tested around the trend chosen, by restricted
likelihood. It is refused where the trend explains the correlation, where the record cannot be told
from a random walk, where neighbours correlate no more than outcomes far apart, and, for several
devices, where lines of their own explain it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import f as f_distribution

from characterization.fit.dependence.ar1 import (
    Correlation,
    Solution,
    Sums,
    correlation,
    most_likely,
    solve,
    sums,
)
from characterization.fit.dependence.wander import Wander, wander
from characterization.fit.dependence.words import p_value, steps

Verdict = Literal["memory", "drift", "both", "neither", "untested"]
FEWEST_ROWS = 30
_ALPHA = 0.05
_WALK_ALPHA = 0.01
"""Level of the random-walk test; simulated random walks of 1000 pass it in 1 to 3 %."""
_STRICT_ALPHA = 0.01
_SEGMENTS = 4
_STEPS = 19
_ENOUGH_FOR_OWN_LINES = 4


@dataclass(frozen=True)
class Model:
    """One way to describe the record: ``trend``, with or without AR(1); BIC, smaller is better."""

    trend: str
    correlated: bool
    bic: float
    rho: float


@dataclass(frozen=True)
class Drift:
    """What explains the correlation of successive outcomes.

    ``verdict`` "memory", "drift", "both", "neither", or "untested" with fewer than 30 usable rows.
    ``trend`` the best of "none", "line", "parabola", "bent line", "step"; ``before`` the
    correlation around the mean, ``after`` around the trend. ``size`` the change of the values over
    the record in standard deviations of what remains (NaN without a trend); ``at`` the cycle of a
    step, None for others. ``walk`` True where a random walk is not rejected. ``wander`` what is
    left at far lags; ``p_own_lines`` the test that devices drift alike, around common trends (NaN
    for one device or short records), and ``after_own_lines`` the correlation around own lines.
    ``models`` all those compared.
    """

    verdict: Verdict
    trend: str
    before: Correlation | None
    after: Correlation | None
    walk: bool
    wander: Wander | None
    p_own_lines: float
    after_own_lines: Correlation | None
    size: float
    at: int | None
    spacing: int
    models: tuple[Model, ...]
    unused: int

    @property
    def memory(self) -> float:
        """The correlation per ``spacing`` to call memory: 0 where it is refused or not seen.

        Beside a slow wander it is what neighbours share beyond outcomes 15 to 20 apart, of the
        variance that does not wander. NaN where untested.
        """
        if self.after is None:
            return float("nan")
        if self.verdict not in ("memory", "both"):
            return 0.0
        if self.wander is not None and self.wander.found:
            return (self.wander.near - self.wander.far) / (1 - self.wander.far)
        if self.after_own_lines is not None and self.p_own_lines < _STRICT_ALPHA:
            return self.after_own_lines.rho
        return self.after.rho

    @property
    def sentences(self) -> tuple[str, ...]:
        """The verdict with its reasons, in plain words."""
        if self.before is None or self.after is None:
            return (
                f"Drift is not tested: fewer than {FEWEST_ROWS} outcomes in order, or no spread.",
            )
        unit = steps(self.spacing)
        place = "" if self.at is None else f" at cycle {self.at}"
        trend = (
            f"A {self.trend}{place} over the cycles is the best description "
            f"(change {self.size:.2g} standard deviations of the rest)."
            if self.trend != "none"
            else "No trend over the cycles is found."
        )
        rho = (
            f"The correlation per {unit} is {self.before.rho:.3f} around the mean and "
            f"{self.after.rho:.3f} ({self.after.low:.3f} to {self.after.high:.3f}) without trend."
            if self.trend != "none"
            else f"The correlation per {unit} is {self.after.rho:.3f} "
            f"({self.after.low:.3f} to {self.after.high:.3f})."
        )
        left = (
            (f"{self.unused} outcomes of devices with too few are not part of this.",)
            if self.unused
            else ()
        )
        return (trend, rho, self._reason(self.after), *left)

    def _reason(self, after: Correlation) -> str:
        found = p_value(after.p_none)
        apart = (
            f" Devices drift differently, {p_value(self.p_own_lines)}."
            if self.p_own_lines < _STRICT_ALPHA
            else ""
        )
        if self.verdict == "drift":
            return f"Memory refused: {self._refusal(after)}.{apart}"
        if self.verdict == "both":
            slow = (
                f", {self.memory:.3f} beyond a slow wander"
                if self.wander is not None and self.wander.found
                else ""
            )
            return f"Drift and memory: a correlation of neighbours remains ({found}){slow}.{apart}"
        if self.verdict == "memory":
            return f"Memory: significant ({found}), stationary and not explained by a trend."
        return f"Successive outcomes are independent as far as seen, {found}."

    def _refusal(self, after: Correlation) -> str:
        own, slow = self.after_own_lines, self.wander
        if self.walk:
            return (
                "the correlation dies out too slowly for this record to be told from a random "
                f"walk ({p_value(after.p_walk)})"
            )
        if after.p_none >= _ALPHA:
            where = "around the mean" if self.trend == "none" else "without the trend"
            return f"no correlation is left {where} ({p_value(after.p_none)})"
        if slow is not None and slow.explains:
            return (
                f"neighbours correlate by {slow.near:.3f}, outcomes 15 to 20 apart still by "
                f"{slow.far:.3f}: a slow wander, not the cycle before"
            )
        if own is not None and own.p_none >= _ALPHA:
            return "lines of the devices' own explain the correlation"
        return "the trend alone is the better description"


def drift(device: np.ndarray, order: np.ndarray, values: np.ndarray) -> Drift:
    """Compare memory with drift.

    ``values`` (n,), sorted by device (codes) and order (integers): scores, ``expected_scores`` or
    residuals where they are bounded (the Gaussian models are then an approximation), or ln R. A
    trend of ln tau over the cycles is one of the scores, since z is a function of ln u. Trends
    are common to the devices, over the cycle number; each device has its own mean.
    """
    record = _record(device, order, values)
    if record.y.size < FEWEST_ROWS or not np.any(np.ptp(record.y) > 0):
        nan = float("nan")
        unused = record.unused
        return Drift(
            "untested", "none", None, None, False, None, nan, None, nan, None, record.spacing, (),
            unused,
        )  # fmt: skip
    fits = {name: _fit(record, name) for name in _trends(record)}
    models = tuple(
        Model(name, correlated, _bic(fit, correlated), rho)
        for name, fit in fits.items()
        for correlated, rho in ((False, 0.0), (True, fit.free.rho))
    )
    best = min(models, key=lambda model: model.bic)
    chosen = fits[best.trend]
    before, after = correlation(fits["none"].sums), correlation(chosen.sums)
    p_own, own = _own_lines(record, chosen, after.rho)
    correlated = best.correlated and after.p_none < _ALPHA
    walk = correlated and after.rho > 0 and after.p_walk >= _WALK_ALPHA
    slow = _wander(record, chosen, after.rho if correlated else 0.0)
    remains = correlated and not walk and not (slow is not None and slow.explains)
    if own is not None:
        remains = remains and own.p_none < _ALPHA and own.rho * after.rho > 0
    drifts = (
        best.trend != "none"
        or (correlated and not remains)
        or (slow is not None and slow.found)
        or p_own < _STRICT_ALPHA
    )
    verdicts: dict[tuple[bool, bool], Verdict] = {
        (True, True): "both",
        (True, False): "memory",
        (False, True): "drift",
        (False, False): "neither",
    }
    return Drift(
        verdict=verdicts[remains, drifts],
        trend=best.trend,
        before=before,
        after=after,
        walk=walk,
        wander=slow,
        p_own_lines=p_own,
        after_own_lines=own,
        size=_size(chosen, best.correlated),
        at=chosen.at,
        spacing=record.spacing,
        models=models,
        unused=record.unused,
    )


@dataclass(frozen=True)
class _Record:
    """Rows of devices with at least three, renumbered; ``time`` from -1/2 to 1/2."""

    device: np.ndarray
    cycle: np.ndarray
    spacing: int
    time: np.ndarray
    y: np.ndarray
    unused: int

    @property
    def order(self) -> np.ndarray:
        return self.cycle // self.spacing


@dataclass(frozen=True)
class _Fit:
    """A trend's columns and sums, with the solutions at the best rho and at rho = 0."""

    name: str
    common: np.ndarray
    sums: Sums
    free: Solution
    white: Solution
    at: int | None


def _record(device: np.ndarray, order: np.ndarray, values: np.ndarray) -> _Record:
    _, code, counts = np.unique(device, return_inverse=True, return_counts=True)
    keep = counts[code] >= 3
    _, code = np.unique(code[keep], return_inverse=True)
    cycle = np.asarray(order, np.int64)[keep]
    jumps = np.diff(cycle)[code[1:] == code[:-1]]
    spacing = int(np.gcd.reduce(jumps)) if jumps.size else 1
    span = float(np.ptp(cycle)) if cycle.size else 1.0
    time = (cycle - cycle.min(initial=2**62)) / max(span, 1.0) - 0.5
    unused = int(np.count_nonzero(~keep))
    return _Record(code, cycle, spacing, time, np.asarray(values, float)[keep], unused)


def _trends(record: _Record) -> tuple[str, ...]:
    """Trends that the number of different cycles can hold."""
    times = np.unique(record.cycle).size
    needed = {"none": 1, "line": 3, "parabola": 6, "bent line": 12, "step": 6}
    return tuple(name for name, least in needed.items() if times >= least)


def _fit(record: _Record, name: str) -> _Fit:
    t, at = record.time, None
    common = np.zeros((t.size, 0))
    if name == "line":
        common = t[:, None]
    elif name == "parabola":
        common = np.column_stack([t, t * t - 1 / 12])
    elif name == "bent line":
        bends = np.linspace(-0.5, 0.5, _SEGMENTS + 1)[1:-1]
        common = np.column_stack([t, *(np.maximum(t - bend, 0.0) for bend in bends)])
    elif name == "step":
        place = _step_time(record)
        common = (t >= place)[:, None].astype(float)
        at = int(record.cycle[t >= place].min())
    data = _sums(record, common)
    return _Fit(name, common, data, most_likely(data), solve(data, 0.0), at)


def _sums(record: _Record, common: np.ndarray, own: np.ndarray | None = None) -> Sums:
    ones = np.ones((record.y.size, 1)) if own is None else own
    return sums(record.device, record.order, ones, common, record.y)


def _own_lines(
    record: _Record, chosen: _Fit, common_rho: float
) -> tuple[float, Correlation | None]:
    """p of the F test that no device has a slope of its own, and the correlation around those.

    At the larger rho of those found around common and around own trends, so that memory does not
    pass for slopes.
    """
    counts = np.bincount(record.device)
    if counts.size < 2 or counts.min() < _ENOUGH_FOR_OWN_LINES:
        return float("nan"), None
    middle = np.bincount(record.device, record.time) / counts
    own = np.column_stack([np.ones(record.y.size), record.time - middle[record.device]])
    # A common line would be the sum of the own ones.
    common = (
        chosen.common[:, 1:]
        if chosen.name in ("line", "parabola", "bent line")
        else (chosen.common)
    )
    around = _sums(record, common, own)
    found = correlation(around)
    rho = max(found.rho, common_rho)
    alike, apart = solve(chosen.sums, rho), solve(around, rho)
    more = around.coefficients - chosen.sums.coefficients
    free = around.size - around.coefficients
    ratio = (alike.squares - apart.squares) / more / (apart.squares / free)
    return float(f_distribution.sf(max(ratio, 0.0), more, free)), found


def _wander(record: _Record, chosen: _Fit, rho: float) -> Wander | None:
    solution = solve(chosen.sums, rho)
    rest = record.y - solution.own[record.device, 0] - chosen.common @ solution.common
    return wander(record.device, record.order, rest, rho)


def _step_time(record: _Record) -> float:
    """The place, of 19 evenly spread, where one step gains most, around AR(1) noise."""
    bare = _sums(record, np.zeros((record.y.size, 0)))
    rho = most_likely(bare).rho
    places = np.linspace(-0.5, 0.5, _STEPS + 2)[1:-1]
    columns = [(record.time >= place)[:, None].astype(float) for place in places]
    gains = [
        solve(_sums(record, column), rho).loglik if np.ptp(column) > 0 else -np.inf
        for column in columns
    ]
    return float(places[int(np.argmax(gains))])


def _bic(fit: _Fit, correlated: bool) -> float:
    own = fit.sums.own * fit.sums.devices
    parameters = fit.sums.coefficients - own + 1 + int(correlated) + int(fit.name == "step")
    loglik = fit.free.loglik if correlated else fit.white.loglik
    return float(parameters * np.log(fit.sums.size - own) - 2 * loglik)


def _size(fit: _Fit, correlated: bool) -> float:
    """Change over the record in standard deviations of the rest."""
    solution = fit.free if correlated else fit.white
    deviation = float(np.sqrt(solution.variance))
    if fit.name == "none":
        return float("nan")
    return float(np.ptp(fit.common @ solution.common)) / deviation
