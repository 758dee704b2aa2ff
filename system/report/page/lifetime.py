"""Lifetime: when devices wear out, what that costs in accuracy, retention and read disturb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from system.report.chart import Axis, Chart, Panel, Series
from system.report.page.section import Given, Section, present
from system.report.table import Table, from_records


def section(given: Given) -> Section:
    report, found = given.report, given.report["wear"]
    return Section(
        "lifetime",
        "Lifetime",
        present(*map(curve, found["curve"]), accuracies(found["accuracy_with_worn_devices"])),
        tuple(tables(report)),
        {"used": report["endurance_used"], "epochs": given.epochs, "wear": found},
    )


def curve(found: Mapping[str, Any]) -> Chart:
    """Share of failed devices against images, for all and by kind of device."""
    images = np.array(found["images"], dtype=float)
    series = [
        Series(name, images, _positive(shares), "line", number)
        for number, (name, shares) in enumerate(found["failed"].items())
    ]
    use = found["use"]
    return Chart(
        f"wear-{use}",
        f"Share of failed devices against images of {use}",
        f"Share of devices failed by {found['stress']} events, against images of {use} "
        f"({found['source']}).",
        (
            Panel(
                tuple(series),
                Axis(f"images ({use})", log=True),
                Axis("share failed", log=True),
            ),
        ),
    )


def accuracies(rows: list[Mapping[str, Any]]) -> Chart | None:
    """Accuracy of the trained network against the share of devices that are stuck."""
    states = list(dict.fromkeys(row["stuck"] for row in rows if row["stuck"]))
    whole = next((row for row in rows if not row["share"]), None)
    series = []
    for number, state in enumerate(states):
        chosen = [row for row in rows if row["stuck"] == state]
        bounds = np.array([row["interval95"] for row in chosen], dtype=float)
        series.append(
            Series(
                f"stuck at {state}",
                np.array([row["share"] for row in chosen], dtype=float),
                np.array([row["accuracy"] for row in chosen], dtype=float),
                "joined",
                number,
                bounds[:, 0],
                bounds[:, 1],
            )
        )
    if not series:
        return None
    before = f" Without a failed device: {100 * whole['accuracy']:.2f} %." if whole else ""
    return Chart(
        "worn",
        f"Accuracy against the share of worn-out devices.{before}",
        "Simulated: accuracy with a share of the devices stuck, with 95 % Wilson intervals."
        f"{before}",
        (
            Panel(
                tuple(series),
                Axis("share of devices stuck", log=True),
                Axis("test accuracy", percent=True),
            ),
        ),
    )


def tables(report: Mapping[str, Any]) -> list[Table]:
    """All tables of the section, in its order."""
    found = report["wear"]
    spent, disturb = found["this_training"], found["read_disturb"]
    named = [
        (
            "wear",
            "Until devices fail, at an endurance that differs from device to device: the first of "
            "all (median), 0.1 % and 1 % (expected). Switching: only a SET with its RESET wears; "
            "every pulse: a 0 wears as much as a 1. A dash: never",
            [_named(row) for row in found["table"]],
        ),
        (
            "this-training",
            "What the recorded training itself cost of devices",
            [spent] if spent else [],
        ),
        ("use", "How devices are used, per image", found["use"]),
        ("shapes", "The same times under other distributions of the endurance", found["shapes"]),
        ("worn", "Accuracy with worn-out devices", found["accuracy_with_worn_devices"]),
        (
            "sharing",
            "What sharing generators and keeping streams does to the lifetime",
            found["sharing_and_life"],
        ),
        ("retention", "Retention of a stored bit", found["retention"]["states"]),
        ("disturb", "Read disturb over a stream", [disturb] if disturb else []),
    ]
    made = (
        from_records(name, caption, rows, without=("own", "by_seed", "meaning"))
        for name, caption, rows in named
    )
    return list(present(*made))


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    """Says which row is the device's own endurance."""
    words = {"endurance": "the device's own" if row["own"] else "for comparison"}
    return words | dict(row)


def _positive(values: list[float]) -> np.ndarray:
    """A logarithmic axis has no zero."""
    shares = np.array(values, dtype=float)
    return np.where(shares > 0, shares, np.nan)
