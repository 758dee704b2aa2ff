"""Pulses: 0/1 rows or counts; the pulses of one device and cycle are a train and add exposure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from characterization.fit.observations.base import Observations, Rows, Step, chains, single
from characterization.fit.observations.columns import (
    cycle_order,
    device_index,
    temperatures,
    zero_or_one,
)
from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers, refuse_row
from formats.errors import InputError


def observe_pulses(table: Table) -> Observations:
    """Pulses in magnitudes; raises :class:`InputError`."""
    voltage = numbers(table, "voltage_V", above=0.0)
    width = numbers(table, "pulse_width_s", above=0.0)
    device, devices = device_index(table)
    heat = temperatures(table)
    if "trials" in table.frame:
        trials, switched = _counts(table)
        return single(
            "pulses",
            voltage,
            width,
            within=switched,
            waiting=trials - switched,
            temperature=heat,
            device=device,
            devices=devices,
        )
    switched = zero_or_one(table)
    order = cycle_order(table)
    if order is not None:
        place = train_positions(device, order)
        if np.any(place > 0):
            return _trains(table, voltage, width, switched, place)
    rows = Rows(np.empty(0, int), switched.astype(int), device, order, table.lines)
    return single(
        "pulses",
        voltage,
        width,
        within=switched,
        waiting=1 - switched,
        temperature=heat,
        device=device,
        devices=devices,
        rows=rows,
    )


def train_positions(device: np.ndarray, order: np.ndarray) -> np.ndarray:
    """How many rows of the same device and cycle come before each row."""
    frame = pd.DataFrame({"device": device, "cycle": order})
    return frame.groupby(["device", "cycle"]).cumcount().to_numpy()


def after_the_switch(table: Table) -> np.ndarray:
    """Rows of a train that follow its switch: they did not start in the starting state."""
    if "cycle" not in table.frame or "trials" in table.frame or "switched" not in table.frame:
        return np.zeros(len(table.frame), bool)
    device, _ = device_index(table)
    frame = pd.DataFrame(
        {"device": device, "cycle": cycle_order(table), "switched": zero_or_one(table)}
    )
    before = frame.groupby(["device", "cycle"])["switched"].cumsum() - frame["switched"]
    return np.asarray(before.to_numpy() > 0)


def _trains(
    table: Table,
    voltage: np.ndarray,
    width: np.ndarray,
    switched: np.ndarray,
    place: np.ndarray,
) -> Observations:
    device, devices = device_index(table)
    order = cycle_order(table)
    heat = temperatures(table)
    starts = np.flatnonzero(place == 0)
    key = pd.DataFrame({"device": device, "cycle": order})
    train = key.groupby(["device", "cycle"], sort=False).ngroup().to_numpy()
    count = starts.size
    if heat is not None:
        refuse_row(
            table,
            heat != heat[starts][train],
            "temperature_K",
            "found {found}, another temperature than at the start of this train of pulses",
        )
    steps = []
    outcome = np.zeros(count, int)
    last = np.zeros(count, int)
    for position in range(int(place.max()) + 1):
        here = place == position
        v, t, present = np.zeros(count), np.zeros(count), np.zeros(count, bool)
        v[train[here]], t[train[here]], present[train[here]] = voltage[here], width[here], True
        outcome[train[here]] = switched[here].astype(int)
        last[train[here]] = np.flatnonzero(here)
        steps.append(Step(v, t, present))
    assert order is not None
    rows = Rows(np.empty(0, int), outcome, device[starts], order[starts], table.lines[last])
    return chains(
        "pulses",
        steps,
        outcome,
        temperature=None if heat is None else heat[starts],
        device=device[starts],
        devices=devices,
        rows=rows,
    )


def _counts(table: Table) -> tuple[np.ndarray, np.ndarray]:
    if "cycle" in table.frame:
        raise InputError(
            f"{table.where}, column cycle",
            "stands beside counts (trials): counts have no cycle; drop one of the two columns",
        )
    trials = numbers(table, "trials", above=0.0, integer=True)
    switched = numbers(table, "switched", integer=True)
    refuse_row(table, switched < 0, "switched", "found {found}, expected a count of at least 0")
    above = switched > trials
    if np.any(above):
        limit = trials[int(np.argmax(above))]
        refuse_row(table, above, "switched", f"found {{found}}, more than the {limit:g} trials")
    return trials, switched
