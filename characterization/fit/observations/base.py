"""What every likelihood takes: voltage histories from a fresh start, and how they ended.

A history is a chain of segments (constant voltages or linear ramps) from the starting state;
exposure adds up along it. Histories that begin alike share their segments, so they form a tree:
``parent`` is the segment before, -1 at a fresh start. Each segment carries the weights of the
outcomes at its end: switched exactly then, switched somewhere within it, not switched by then.
Pulses are histories of one segment; an interval-censored wait has two; a staircase ramp is one
long chain on which every ramp of the same settings ends somewhere.

Equal histories are merged and sorted, so neither the order of the rows nor the way they were
counted can change a fit.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

_SAMPLE = 512
"""Values looked at to see whether a column repeats itself."""
WITHIN, EXACT, WAITING = "within", "exact", "waiting"


@dataclass(frozen=True, eq=False)
class Rows:
    """The single outcomes behind merged observations, in the order of the table.

    ``segment`` is where each row ended, ``outcome`` 0 waiting, 1 within, 2 exact; ``device`` and
    ``order`` (cycle) place it in a sequence; ``line`` is its row of the table.
    """

    segment: np.ndarray
    outcome: np.ndarray
    device: np.ndarray
    order: np.ndarray | None
    line: np.ndarray


@dataclass(frozen=True, eq=False)
class Observations:
    """Segments in magnitudes of one polarity.

    ``voltage`` (V) is the segment's last and ``start`` its first voltage (equal unless it is a
    ramp); ``duration`` (s); ``temperature`` (K) or None; ``device`` an index into ``devices``
    (all 0 where devices are pooled). All arrays have one entry per segment.
    """

    kind: str
    voltage: np.ndarray
    start: np.ndarray
    duration: np.ndarray
    within: np.ndarray
    exact: np.ndarray
    waiting: np.ndarray
    parent: np.ndarray
    temperature: np.ndarray | None
    device: np.ndarray
    devices: tuple[str, ...] = ()
    rows: Rows | None = None

    @property
    def switched(self) -> np.ndarray:
        """Outcomes that switched at each segment."""
        return np.asarray(self.within + self.exact)

    @property
    def trials(self) -> np.ndarray:
        """Outcomes recorded at each segment."""
        return np.asarray(self.within + self.exact + self.waiting)

    @property
    def size(self) -> float:
        """Number of outcomes."""
        return float(self.trials.sum())

    @functools.cached_property
    def chained(self) -> bool:
        """Whether any history has more than one segment."""
        return bool(np.any(self.parent >= 0))

    @functools.cached_property
    def ramped(self) -> np.ndarray:
        """Indices of the segments that are ramps."""
        return np.flatnonzero(self.start != self.voltage)

    @functools.cached_property
    def outcome_parts(self) -> tuple[tuple[Any, Observations], ...]:
        """(index, segments) with exact outcomes, and those with others.

        A slice of everything where one group is all; segments without any outcome are in neither.
        The parts of chained data keep their outcomes only, not their histories.
        """
        exact = self.exact > 0
        other = (self.within > 0) | (self.waiting > 0)
        parts: list[tuple[Any, Observations]] = []
        for mask in (exact, other):
            if np.all(mask):
                parts.append((slice(None), self))
            elif np.any(mask):
                index = np.flatnonzero(mask)
                parts.append((index, self._taken(index)))
        return tuple(parts)

    def _taken(self, index: np.ndarray) -> Observations:
        """Some segments, as if each were a fresh start."""
        names = ("voltage", "start", "duration", WITHIN, EXACT, WAITING, "device")
        return replace(
            self,
            **{name: getattr(self, name)[index] for name in names},
            parent=np.full(index.size, -1),
            temperature=None if self.temperature is None else self.temperature[index],
            rows=None,
        )

    @functools.cached_property
    def root(self) -> np.ndarray:
        """The fresh start each segment descends from."""
        root = np.where(self.parent < 0, np.arange(self.parent.size), -1)
        for i in np.flatnonzero(self.parent >= 0):  # parents come first
            root[i] = root[self.parent[i]]
        return root

    @functools.cached_property
    def history(self) -> csr_matrix:
        """(n, n) of ones where a segment is another's ancestor or itself."""
        lists: list[list[int]] = []
        for i, parent in enumerate(self.parent.tolist()):
            lists.append([*lists[parent], i] if parent >= 0 else [i])
        counts = np.array([len(path) for path in lists])
        columns = np.concatenate([np.array(path) for path in lists])
        indptr = np.concatenate([[0], np.cumsum(counts)])
        n = self.parent.size
        return csr_matrix((np.ones(columns.size), columns, indptr), shape=(n, n))

    def with_weights(
        self, within: np.ndarray, exact: np.ndarray, waiting: np.ndarray
    ) -> Observations:
        """The same histories with other outcomes (simulated ones, or a bootstrap's)."""
        return replace(self, within=within, exact=exact, waiting=waiting, rows=None)

    def select(self, mask: np.ndarray) -> Observations:
        """The segments of a mask that holds whole histories."""
        kept = np.flatnonzero(mask)
        index = np.full(mask.size + 1, -1)
        index[kept] = np.arange(kept.size)
        return replace(
            self,
            **{
                name: getattr(self, name)[kept]
                for name in ("voltage", "start", "duration", WITHIN, EXACT, WAITING, "device")
            },
            parent=index[self.parent[kept]],
            temperature=None if self.temperature is None else self.temperature[kept],
            rows=None,
        )


def single(
    kind: str,
    voltage: np.ndarray,
    duration: np.ndarray,
    *,
    within: np.ndarray | float = 0.0,
    exact: np.ndarray | float = 0.0,
    waiting: np.ndarray | float = 0.0,
    start: np.ndarray | None = None,
    temperature: np.ndarray | None = None,
    device: np.ndarray | None = None,
    devices: tuple[str, ...] = (),
    rows: Rows | None = None,
) -> Observations:
    """Merge histories of one segment each; ``rows.segment`` is filled in."""
    n = len(voltage)
    start = voltage if start is None else start
    group = np.zeros(n) if device is None else device
    keys = [group, voltage, duration, start]
    if temperature is not None:
        keys.append(temperature)
    # An exact and a censored outcome at the same time stay apart: readers want them so.
    keys.append(np.broadcast_to(np.asarray(exact, float) > 0, n).astype(float))
    sums = [np.broadcast_to(np.asarray(w, float), n) for w in (within, exact, waiting)]
    firsts, totals, index = merge(keys, sums)
    chosen = [np.asarray(key, float)[firsts] for key in keys]
    return Observations(
        kind,
        voltage=chosen[1],
        duration=chosen[2],
        start=chosen[3],
        within=totals[0],
        exact=totals[1],
        waiting=totals[2],
        parent=np.full(firsts.size, -1),
        temperature=None if temperature is None else chosen[4],
        device=chosen[0].astype(int),
        devices=devices,
        rows=None if rows is None else replace(rows, segment=index),
    )


@dataclass(frozen=True, eq=False)
class Step:
    """One segment of a chain, of every row at once: arrays (rows,); ``present`` where it exists."""

    voltage: np.ndarray
    duration: np.ndarray
    present: np.ndarray


def chains(
    kind: str,
    steps: list[Step],
    outcome: np.ndarray,
    *,
    temperature: np.ndarray | None = None,
    device: np.ndarray | None = None,
    devices: tuple[str, ...] = (),
    rows: Rows | None = None,
) -> Observations:
    """Merge chains of constant voltages that begin alike into a tree.

    Each row's outcome (0 waiting, 1 within, 2 exact) belongs to its last present step.
    """
    n = outcome.size
    group = np.zeros(n) if device is None else np.asarray(device, float)
    heat = np.zeros(n) if temperature is None else temperature
    node = np.full(n, -1)
    parts: list[list[np.ndarray]] = []
    parents: list[np.ndarray] = []
    made = 0
    for step in steps:
        here = np.flatnonzero(step.present)
        if not here.size:
            continue
        keys = [group[here], node[here].astype(float), step.voltage[here], step.duration[here]]
        keys.append(heat[here])
        firsts, _, index = merge(keys, [])
        parts.append([key[firsts] for key in keys])
        parents.append(node[here][firsts])
        node[here] = made + index
        made += firsts.size
    columns = [np.concatenate([part[i] for part in parts]) for i in range(5)]
    weights = [np.bincount(node, (outcome == code).astype(float), made) for code in (1, 2, 0)]
    return Observations(
        kind,
        voltage=columns[2],
        start=columns[2],
        duration=columns[3],
        within=weights[0],
        exact=weights[1],
        waiting=weights[2],
        parent=np.concatenate(parents),
        temperature=None if temperature is None else columns[4],
        device=columns[0].astype(int),
        devices=devices,
        rows=None if rows is None else replace(rows, segment=node),
    )


def merge(
    keys: list[np.ndarray], sums: list[np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Group rows of equal keys: the first row of each group, summed columns, each row's group."""
    keys = [key for key in keys if np.any(key != key[0])] or keys[:1]
    order = _lexicographic(keys)
    new = np.zeros(len(order), bool)
    new[0] = True
    for key in keys:
        ordered = np.asarray(key, float)[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    index = np.empty(len(order), int)
    index[order] = np.cumsum(new) - 1
    totals = [np.add.reduceat(np.asarray(total, float)[order], starts) for total in sums]
    return order[starts], totals, index


def _lexicographic(keys: list[np.ndarray]) -> np.ndarray:
    """np.lexsort of the keys, the first leading; columns of few values sort as small integers."""
    order = np.arange(len(keys[0]))
    for key in reversed(keys):
        column = np.asarray(key, float)[order]
        sample = column[:: max(1, column.size // _SAMPLE)]
        if np.unique(sample).size < _SAMPLE // 4:
            codes, values = pd.factorize(column)
            if values.size < np.iinfo(np.int16).max:
                rank = np.empty(values.size, np.int16)
                rank[np.argsort(values)] = np.arange(values.size, dtype=np.int16)
                order = order[np.argsort(rank[codes], kind="stable")]
                continue
        order = order[np.argsort(column, kind="stable")]
    return order


def condensed(data: Observations, width: float) -> Observations:
    """Fewer segments: exact and censored times at one voltage joined in cells of ``width`` in ln t.

    Each cell stands at its mean ln t; the log-likelihood of a row moves by its curvature times
    width^2/24. Chains, ramps and pulses stay as they are. Relies on the segments being sorted.
    """
    if data.chained or data.ramped.size or data.kind != "waits":
        return data
    ln_t = np.log(data.duration)
    keys = np.array([data.device, data.voltage, np.floor(ln_t / width)])
    if data.temperature is not None:
        keys = np.concatenate([keys, data.temperature[None]])
    firsts, sums = [], []
    columns = np.array([data.within, data.exact, data.waiting, data.trials * ln_t, data.trials])
    for index in (np.flatnonzero(data.exact > 0), np.flatnonzero(data.exact == 0)):
        if index.size:
            ordered = keys[:, index]
            new = np.concatenate([[True], np.any(ordered[:, 1:] != ordered[:, :-1], axis=0)])
            starts = np.flatnonzero(new)
            firsts.append(index[starts])
            sums.append(np.add.reduceat(columns[:, index], starts, axis=1))
    first, total = np.concatenate(firsts), np.concatenate(sums, axis=1)
    return replace(
        data,
        voltage=data.voltage[first],
        start=data.start[first],
        duration=np.exp(total[3] / total[4]),
        within=total[0],
        exact=total[1],
        waiting=total[2],
        parent=np.full(first.size, -1),
        temperature=None if data.temperature is None else data.temperature[first],
        device=data.device[first],
        rows=None,
    )


def pooled(data: Observations) -> Observations:
    """The same outcomes with the devices forgotten and equal histories merged."""
    if not np.any(data.device):
        return data
    if data.chained:
        return replace(data, device=np.zeros(data.device.size, int), devices=())
    rows = data.rows
    joined = single(
        data.kind,
        data.voltage,
        data.duration,
        within=data.within,
        exact=data.exact,
        waiting=data.waiting,
        start=data.start,
        temperature=data.temperature,
        rows=None
        if rows is None
        else Rows(np.arange(data.voltage.size), *(np.empty(0),) * 2, None, np.empty(0)),
    )
    if rows is None:
        return joined
    assert joined.rows is not None
    return replace(joined, rows=replace(rows, segment=joined.rows.segment[rows.segment]))


def count_summary(data: Observations) -> dict[str, Any]:
    """The counts shown to the user."""
    counts: dict[str, Any] = {
        "outcomes": int(data.size),
        "switched": int(data.switched.sum()),
        "not_switched": int(data.waiting.sum()),
        "groups": int(data.voltage.size),
        "voltages": int(np.unique(data.voltage[data.trials > 0]).size),
    }
    if data.kind == "pulses":
        counts["widths"] = int(np.unique(data.duration).size)
    if data.chained and data.kind == "pulses":
        counts["longest_train"] = int(np.max(np.diff(data.history.indptr)))
    return counts
