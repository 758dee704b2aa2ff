"""The totals with their intervals, and what is behind them, as plain types for report.json."""

from __future__ import annotations

from typing import Any

from system.budget.lines import Total
from system.budget.uncertainty import Uncertainty


def total(name: str, one: Total, found: Uncertainty) -> dict[str, Any]:
    """A total of the bill with its 95 % interval."""
    spread = found.totals[name]
    return {
        "value": one.value,
        "unit": one.unit,
        "interval95": list(spread.interval95),
        "reason": spread.reason,
        "meaning": one.meaning,
    }


def behind(found: Uncertainty) -> dict[str, Any]:
    """Inputs, intervals and tornado."""
    return {
        "method": found.method,
        "samples": found.samples,
        "seed": found.seed,
        "inputs": [
            {
                "input": one.name,
                "kind": one.kind,
                "distribution": one.distribution,
                "sigma": one.sigma,
                "source": one.source,
                "moves": list(found.moves[one.name]),
            }
            for one in found.inputs
        ],
        "totals": {
            name: {
                "value": spread.value,
                "median": spread.median,
                "interval95": list(spread.interval95),
            }
            for name, spread in found.totals.items()
        },
        "tornado": {
            name: [{"input": bar.input, "low": bar.low, "high": bar.high} for bar in bars]
            for name, bars in found.tornado.items()
        },
    }
