"""How long a fit takes beside surpyval and lifelines, in one run on the same censored set.

The joint model is a Weibull accelerated life: ln t = ln tau_ref - (V - V_ref)/V0 + (1/k) ln E.
lifelines' WeibullAFTFitter is that model as it stands. surpyval fits a Weibull at each voltage
with its accelerated-life (parametric regression) fitter where it can.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import STATE
from benchmarks.fit_recovery import E_MODEL, V0, tau
from characterization.fit.inference.candidate import Candidate, fit_candidate
from characterization.fit.observations.base import Observations, single
from characterization.fit.observations.kinds import observe
from characterization.fit.table.readers import read_table
from devices.families import FAMILIES

SHAPE = 0.8
LIMIT = 2e-3
"""s; censors about a third of the waits."""
REPEATS = 7


def frame(rows: int, seed: int) -> pd.DataFrame:
    """``rows`` waits at three voltages, right-censored."""
    random = np.random.default_rng([11, seed])
    voltage = np.resize([2.8, 3.0, 3.2], rows)
    wait = tau(voltage) * random.weibull(SHAPE, rows)
    return pd.DataFrame(
        {
            "voltage_V": voltage,
            "wait_time_s": np.minimum(wait, LIMIT),
            "switched": (wait < LIMIT).astype(int),
        }
    )


def observed(table: pd.DataFrame) -> Observations:
    """The frame as observations."""
    switched = table["switched"].to_numpy(float)
    return single(
        "waits",
        table["voltage_V"].to_numpy(),
        table["wait_time_s"].to_numpy(),
        exact=switched,
        waiting=1 - switched,
    )


def ours(table: pd.DataFrame) -> Candidate:
    """Grouping and fit with standard errors, without profile intervals (nobody else has them)."""
    return fit_candidate(observed(table), FAMILIES["weibull"], E_MODEL, where="x", intervals=False)


def beside_peers() -> dict[str, Any]:
    """Median time and log-likelihood of each on the same 10,000 rows."""
    table = frame(10_000, 0)
    runs: dict[str, Callable[[], float]] = {"stochram": lambda: ours(table).loglik}
    runs |= _peers(table)
    times: dict[str, list[float]] = {name: [] for name in runs}
    loglik: dict[str, float] = {}
    for name, run in runs.items():
        loglik[name] = run()  # imports and compilation are not timed
    for _ in range(REPEATS):
        for name, run in runs.items():
            begin = time.perf_counter()
            loglik[name] = run()
            times[name].append(time.perf_counter() - begin)
    median = {name: float(np.median(values)) for name, values in times.items()}
    for name in runs:
        ratio = median[name] / median["stochram"]
        shown = f"{1e3 * median[name]:8.1f} ms   log L {loglik[name]:.6f}   x {ratio:.1f}"
        print(f"  {name:10s} {shown}")
    censored = 1 - float(table["switched"].mean())
    others = [name for name in runs if name != "stochram"]
    gaps = {n: abs(loglik[n] / loglik["stochram"] - 1) for n in others}
    return {
        "rows": len(table),
        "censored": censored,
        "median_s": median,
        "loglik": loglik,
        "relative_loglik_difference": gaps,
        "times_faster": {n: median[n] / median["stochram"] for n in others},
    }


def _peers(table: pd.DataFrame) -> dict[str, Callable[[], float]]:
    runs: dict[str, Callable[[], float]] = {}
    try:
        from lifelines import WeibullAFTFitter
    except ImportError:
        print("  lifelines is not installed (pip install lifelines)")
    else:
        columns = table.rename(columns={"wait_time_s": "T", "switched": "E"})

        def run_lifelines() -> float:
            fitter = WeibullAFTFitter()
            fitter.fit(columns, duration_col="T", event_col="E")
            return float(fitter.log_likelihood_)

        runs["lifelines"] = run_lifelines
    try:
        import surpyval
    except ImportError:
        print("  surpyval is not installed (pip install surpyval)")
    else:
        x = table["wait_time_s"].to_numpy()
        c = 1 - table["switched"].to_numpy()
        z = table["voltage_V"].to_numpy()[:, None]

        def run_surpyval() -> float:
            model = surpyval.WeibullPH.fit(x=x, Z=z, c=c)
            return -float(model.neg_ll())

        runs["surpyval"] = run_surpyval
    return runs


def million_rows() -> dict[str, Any]:
    """Reading and fitting 1,000,000 rows of CSV."""
    path = STATE / "million.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame(1_000_000, 1).to_csv(path, index=False)
    begin = time.perf_counter()
    table = read_table(Path(path))
    read = time.perf_counter() - begin
    begin = time.perf_counter()
    data = observe(table, "waits")
    grouped = time.perf_counter() - begin
    begin = time.perf_counter()
    fitted = fit_candidate(data, FAMILIES["weibull"], E_MODEL, where="x")
    fit = time.perf_counter() - begin
    begin = time.perf_counter()
    for family in FAMILIES.values():
        fit_candidate(data, family, E_MODEL, where="x")
    four = time.perf_counter() - begin
    path.unlink()
    print(
        f"  1,000,000 rows: read {read:.2f} s, checked and grouped {grouped:.2f} s, "
        f"Weibull fit with profile intervals {fit:.2f} s, all four families {four:.2f} s; "
        f"V0 {fitted.value('V0'):.5f} (truth {V0})"
    )
    return {
        "read_s": read,
        "grouped_s": grouped,
        "fit_with_intervals_s": fit,
        "four_families_with_intervals_s": four,
    }
