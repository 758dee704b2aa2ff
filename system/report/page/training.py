"""The training: accuracy and loss by epoch, and what one image asks of the hardware."""

from __future__ import annotations

from typing import Any

import numpy as np

from formats.training import ARITHMETICS, Training
from system.budget.accuracy import wilson
from system.budget.reading import whole_attribute
from system.budget.workload import Workload
from system.report.chart import Axis, Chart, Panel, Series
from system.report.page.section import Given, Section
from system.report.table import Column, Table

NAMES = {"float": "floating point", "sc": "stochastic arithmetic"}


def section(given: Given) -> Section:
    work = given.bill.workload
    return Section(
        "training",
        "Training",
        (accuracy(given.training), loss(given.training)),
        (evaluations(given), demands(work)),
        {"workload": work, "training": given.training.attributes},
    )


def accuracy(training: Training) -> Chart:
    """Test accuracy after each epoch with and without SC, with the binomial interval."""
    images = whole_attribute(training, "test_images")
    epochs = _epochs(training)
    series = []
    for number, name in enumerate(ARITHMETICS):
        mean = np.asarray(training.data["accuracy"].sel(arithmetic=name).to_numpy()).mean(axis=0)
        known = np.flatnonzero((mean >= 0) & (mean <= 1))
        bounds = np.array([wilson(float(mean[k]), images) for k in known]).reshape(-1, 2)
        place = epochs[known] + 0.06 * (number - 0.5)
        series.append(
            Series(NAMES[name], place, mean[known], "joined", number, bounds[:, 0], bounds[:, 1])
        )
    return Chart(
        "accuracy",
        "Test accuracy per epoch, floating point and stochastic",
        f"Simulated: accuracy on {images} test images, mean over seeds; the bars are the 95 % "
        "binomial (Wilson) interval of one test set.",
        (Panel(tuple(series), _epoch_axis(epochs), Axis("test accuracy", percent=True)),),
    )


def loss(training: Training) -> Chart:
    """Training loss of each epoch, one line a seed."""
    epochs = _epochs(training)
    largest = float(np.nanmax(np.append(training.data["loss"].to_numpy().ravel(), 0.0)))
    series = [
        Series(NAMES[name], epochs, np.asarray(curve), "joined", number, listed=seed == 0)
        for number, name in enumerate(ARITHMETICS)
        for seed, curve in enumerate(
            np.atleast_2d(training.data["loss"].sel(arithmetic=name).to_numpy())
        )
    ]
    limits = (0.0, 1.08 * largest or 1.0)
    return Chart(
        "loss",
        "Loss per epoch, floating point and stochastic",
        "Simulated: training loss per epoch, one line a seed.",
        (Panel(tuple(series), _epoch_axis(epochs), Axis("loss", limits=limits)),),
    )


def evaluations(given: Given) -> Table:
    """The last networks by how they were trained, in each arithmetic that was done."""
    found = given.report["accuracy"]["evaluated"]
    mapped = given.report["streams"]["mode"] == "float"
    trained = NAMES | ({"sc": "mapped after training in floating point"} if mapped else {})
    ways = {
        "float": "floating point",
        "moments": "streams, by moments",
        "exact": "streams, bit by bit",
    }
    rows = [
        (trained[name], ways[way], one["value"], one["interval95"], one["test_images"])
        for name in ("float", "sc")
        for way in ways
        if (one := found[name].get(way)) is not None
    ]
    return Table(
        "evaluations",
        "The last networks, evaluated in each arithmetic that was done, with 95 % Wilson intervals",
        (
            Column("trained in"),
            Column("evaluated in"),
            Column("accuracy", "percent"),
            Column("95 % interval", "percents"),
            Column("test images", "whole"),
        ),
        tuple(rows),
        origin="simulated",
    )


def demands(work: Workload) -> Table:
    """Products, operands and MACs of one image, by layer."""
    rows: list[tuple[Any, ...]] = [
        (
            product.layer,
            product.name.replace("_", " "),
            product.mac.replace("_", " "),
            product.length,
            product.macs,
            product.fan_in,
            product.outputs,
            *(
                value
                for operand in product.operands
                for value in (operand.kind, operand.met, operand.probability)
            ),
        )
        for product in work.products
    ]
    for product in work.binary:
        operands: list[tuple[Any, ...]] = [
            (kind, met, None) for kind, met in product.numbers.items()
        ]
        operands += [(None, None, None)] * (2 - len(operands))
        rows.append(
            (
                product.layer,
                product.name.replace("_", " "),
                "binary",
                None,
                product.macs,
                None,
                product.outputs,
                *(value for operand in operands[:2] for value in operand),
            )
        )
    return Table(
        "demands",
        "What one image asks of the hardware: operand statistics of training.nc. A binary product "
        "takes numbers in place of streams.",
        (
            Column("layer"),
            Column("product"),
            Column("MAC"),
            Column("bits, mean over epochs", "whole"),
            Column("MACs", "whole"),
            Column("fan-in", "whole"),
            Column("outputs", "whole"),
            *(
                column
                for operand in ("a", "b")
                for column in (
                    Column(f"operand {operand}"),
                    Column(f"streams of {operand}", "whole"),
                    Column(f"mean P(1) of {operand}", "number"),
                )
            ),
        ),
        tuple(rows),
        origin="simulated",
    )


def _epochs(training: Training) -> np.ndarray:
    return np.arange(1.0, training.data.sizes["epoch"] + 1)


def _epoch_axis(epochs: np.ndarray) -> Axis:
    return Axis("epochs trained", whole=True, limits=(0.5, epochs.size + 0.5))
