"""The tables of the report of an array, from report.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from system.report.table import Column, Table, from_records

_ENERGIES = {
    "energy_per_inference_J": "energy per inference",
    "energy_per_training_image_J": "energy per training image",
    "programming_energy_J": "energy of programming",
}


def bill(report: Mapping[str, Any]) -> Table:
    """The lines and their sums."""
    sums = report["totals"]
    energies = {key: title for key, title in _ENERGIES.items() if key in sums}
    rows = [
        (
            line["item"],
            line["group"],
            line["count"] or None,
            1e-12 * line["unit_area_um2"] or None,
            1e-6 * line["area_mm2"],
            line["unit_energy_J"],
            line["events_per_inference"],
            *(line[key] for key in energies),
            line["leakage_W"],
        )
        for line in report["lines"]
    ]
    rows.append(
        (
            *("Total", None, None, None),
            1e-6 * sums["area_mm2"]["value"],
            *(None, None),
            *(sums[key]["value"] for key in energies),
            1e-6 * sums["leakage_uW"]["value"],
        )
    )
    return Table(
        "bill",
        "Bill of materials",
        (
            Column("item"),
            Column("part"),
            Column("count", "whole"),
            Column("unit area", "number", "m2"),
            Column("area", "number", "m2"),
            Column("energy of an event", "number", "J"),
            Column("events per inference", "whole"),
            *(Column(title, "number", "J") for title in energies.values()),
            Column("leakage", "number", "W"),
        ),
        tuple(rows),
        origin="derived",
        total=True,
    )


def accuracies(found: Mapping[str, Any]) -> Table | None:
    """Every network, with the states and treatment of chips where it is on some."""
    runs = "seed" if found["runs"] == "seeds" else "chip"
    mapped = found["runs"] == "chips"
    states = ("treatment", "ratio", "spread_on", "spread_off")
    rows = [
        (
            row["network"],
            *((row[key] for key in states) if mapped else ()),
            row["value"],
            row["interval95"],
            (min(row["by_run"]), max(row["by_run"])),
            len(row["by_run"]) if row["treatment"] or not mapped else None,
            row["test_images"],
        )
        for row in found["networks"]
    ]
    of_states = (
        Column("treatment"),
        Column("R_OFF/R_ON", "number"),
        Column("spread of R_ON", "percent"),
        Column("spread of R_OFF", "percent"),
    )
    return Table(
        "accuracies",
        "Test accuracy with the 95 % Wilson interval of one test set"
        + ("; a dash: without devices" if mapped else ""),
        (
            Column("network"),
            *(of_states if mapped else ()),
            Column("accuracy", "percent"),
            Column("95 % interval", "percents"),
            Column(f"least … largest of a {runs}", "percents"),
            Column(f"{runs}s", "whole"),
            Column("test images", "whole"),
        ),
        tuple(rows),
        origin="simulated",
    )


def corrupted(rows: list[Mapping[str, Any]]) -> Table | None:
    """Accuracy on spoilt images, and what of the clean one is lost."""
    if not rows:
        return None
    return Table(
        "corrupted",
        "Test accuracy on spoilt images; relative degradation: the share lost of the same "
        "network's accuracy on clean ones",
        (
            Column("corruption"),
            Column("strength", "number"),
            Column("network"),
            Column("accuracy", "percent"),
            Column("95 % interval", "percents"),
            Column("relative degradation", "percent"),
        ),
        tuple(
            (
                row["corruption"].replace("_", " "),
                row["strength"],
                row["network"],
                row["value"],
                row["interval95"],
                row["relative_degradation"],
            )
            for row in sorted(rows, key=lambda row: (row["corruption"], row["strength"]))
        ),
        origin="simulated",
    )


def lifetimes(found: Mapping[str, Any]) -> Table:
    """Units and epochs until devices fail, at each endurance."""
    unit = f"{found['unit']}s"
    epochs = any(row["epochs_to_first"] is not None for row in found["table"])
    keys = [
        (f"{name}_to_{end}", f"{title} to {words}")
        for end, words in (("first", "the first"), ("per_mille", "0.1 %"), ("percent", "1 %"))
        for name, title in (("units", unit), *((("epochs", "epochs"),) if epochs else ()))
    ]
    return Table(
        "wear",
        f"{unit.capitalize()} until devices fail, at an endurance that differs from device to "
        "device: the first of all (median), 0.1 % and 1 % (expected)",
        (
            Column("endurance"),
            Column("cycles", "number"),
            *(Column(title, "number") for _, title in keys),
            Column("source", "source", wide=True),
        ),
        tuple(
            (
                "the device's own" if row["own"] else "for comparison",
                row["endurance_cycles"],
                *(row[key] for key, _ in keys),
                row["source"],
            )
            for row in found["table"]
        ),
    )


def uses(found: Mapping[str, Any]) -> Table:
    """Pulses on the devices of each array."""
    rows = [{"array": row["array"], **row} for row in found["use"]]
    table = from_records(
        "uses", f"Programming pulses of devices; a unit is a {found['unit']}", rows
    )
    assert table is not None  # there is an array
    return table
