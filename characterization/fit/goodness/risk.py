"""Histories as sequences of outcomes at risk: the form in which grouped outcomes are tested.

Along a chain each segment is a trial of those that were still waiting when it began. Pulses,
trains and staircases are recorded that way. Interval-censored waits are not (each row knows its
own interval only), so they are cut, per voltage and temperature, at the inspection times that no
interval straddles: every switch then lies in one known cell.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from characterization.fit.goodness.settings import grouped
from characterization.fit.observations.base import Observations, merge

_DIGITS = 1e-9
"""Relative rounding within which two inspection times are one."""


def at_risk(data: Observations) -> np.ndarray:
    """Outcomes that began each segment: those that ended in it or after it."""
    return np.asarray(data.history.T @ data.trials) if data.chained else data.trials


def sequential(data: Observations) -> tuple[Observations, float]:
    """The data as trials at risk, and the number of outcomes lost to that.

    Lost are censored waits that ended before the first inspection at which others are cut.
    """
    if data.kind == "waits" and not np.any(data.exact > 0):
        return _inspected(data)
    return (merged(data) if data.chained else data), 0.0


def merged(data: Observations) -> Observations:
    """The same tree with equal histories joined (such as those of pooled devices)."""
    depth = np.diff(data.history.indptr)
    n = data.voltage.size
    new = np.full(n, -1)
    heat = np.zeros(n) if data.temperature is None else data.temperature
    firsts, parents, totals = [], [], []
    made = 0
    for level in range(1, int(depth.max()) + 1):
        here = np.flatnonzero(depth == level)
        above = np.where(data.parent[here] < 0, -1, new[data.parent[here]])
        keys = [above.astype(float), data.device[here], data.voltage[here], data.start[here]]
        keys += [data.duration[here], heat[here]]
        first, sums, index = merge(keys, [data.within[here], data.exact[here], data.waiting[here]])
        new[here] = made + index
        made += first.size
        firsts.append(here[first])
        parents.append(above[first])
        totals.append(sums)
    kept = np.concatenate(firsts)
    within, exact, waiting = (np.concatenate([t[i] for t in totals]) for i in range(3))
    return replace(
        data,
        voltage=data.voltage[kept],
        start=data.start[kept],
        duration=data.duration[kept],
        within=within,
        exact=exact,
        waiting=waiting,
        parent=np.concatenate(parents),
        temperature=None if data.temperature is None else heat[kept],
        device=data.device[kept],
        rows=None,
    )


def spans(data: Observations) -> tuple[np.ndarray, np.ndarray]:
    """When each segment of a chain begins and ends (s), counted from the fresh start."""
    end = np.asarray(data.history @ data.duration)
    return end - data.duration, end


def _inspected(data: Observations) -> tuple[Observations, float]:
    columns = {"device": data.device.astype(float), "voltage_V": data.voltage}
    if data.temperature is not None:
        columns["temperature_K"] = data.temperature
    settings = grouped(columns)
    begin, end = spans(data)
    begin = np.where(data.parent < 0, 0.0, begin)
    parts, lost = [], 0.0
    for setting in range(settings.count):
        here = np.flatnonzero((settings.index == setting) & (data.trials > 0))
        if not here.size:
            continue
        edges, within, waiting = _cells(
            begin[here], end[here], data.within[here], data.waiting[here]
        )
        lost += float(data.trials[here].sum() - within.sum() - waiting.sum())
        parts.append((setting, edges, within, waiting))
    sizes = [edges.size for _, edges, _, _ in parts]
    place = np.repeat([s for s, _, _, _ in parts], sizes)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    total = int(np.sum(sizes))
    parent = np.arange(total) - 1
    parent[first] = -1
    voltage = settings.columns["voltage_V"][place]
    heat = None if data.temperature is None else settings.columns["temperature_K"][place]
    cut = Observations(
        data.kind,
        voltage=voltage,
        start=voltage,
        duration=np.concatenate([np.diff(edges, prepend=0.0) for _, edges, _, _ in parts]),
        within=np.concatenate([within for _, _, within, _ in parts]),
        exact=np.zeros(total),
        waiting=np.concatenate([waiting for _, _, _, waiting in parts]),
        parent=parent,
        temperature=heat,
        device=settings.columns["device"][place].astype(int),
        devices=data.devices,
    )
    return cut, lost


def _cells(
    begin: np.ndarray, end: np.ndarray, within: np.ndarray, waiting: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends of the cells of one setting, and what switched in, or was last seen at, each."""
    times = np.unique(np.concatenate([begin, end]))
    times = times[times > 0]
    cuts = times[np.concatenate([[True], np.diff(times) > _DIGITS * times[1:]])]
    slack = 1 + _DIGITS
    closed = within > 0
    low = np.searchsorted(cuts, begin[closed] * slack, "right")
    high = np.searchsorted(cuts, end[closed] / slack, "left")
    inside = np.zeros(cuts.size + 1)
    np.add.at(inside, low, 1)
    np.add.at(inside, np.maximum(low, high), -1)
    edges = cuts[np.cumsum(inside[:-1]) == 0]  # never empty: nothing straddles the last
    switched = np.bincount(
        np.searchsorted(edges, end[closed] / slack, "left"), within[closed], edges.size
    )
    place = np.searchsorted(edges, end * slack, "right") - 1
    seen = (waiting > 0) & (place >= 0)
    return edges, switched, np.bincount(place[seen], waiting[seen], edges.size)
