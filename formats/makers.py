"""Which command makes which file: what a reader says that is given no file, or another one."""

from __future__ import annotations

MAKERS = {
    "device": "a device.json, which stochram fit or stochram preset makes",
    "fit": "a fit.json, which stochram fit makes",
    "synapse": "a synapse.json, which stochram fit-synapse makes, or one by hand",
    "report": "a report.json, which stochram report makes",
    "stochram cells": "a cells.nc, which stochram extract makes",
    "stochram training": "a training.nc, which stochram train makes",
    "stochram synapse training": "a synapses.nc, which stochram train-synapses makes",
    "stochram binarized": "a binarized.nc, which stochram binarized makes",
}
"""By the name of a file's schema, or by its kind."""
TABLE = "a table of measurements as CSV, TSV or Parquet"


def expected(kind: str) -> str:
    """The end of a sentence that says what is wrong with a file; "" for one nobody makes."""
    return f"; expected {MAKERS[kind]}" if kind in MAKERS else ""
