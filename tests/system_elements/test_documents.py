"""The worked design of docs/elements.md runs, and its moments are those of its streams."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from system.bitstream import BIPOLAR

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "elements.md"


def test_the_worked_design_runs_and_its_moments_hold() -> None:
    """The machine's exact mean and variance against 400 repeats: |z| < 4.9."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    found = names["found"]
    repeats = names["Bernoulli"]().stream(np.full(400, names["p"]), 256, seed=9)
    out, _ = names["machine"].run(names["machines"].stanh(8), repeats)
    share = out.share()
    assert abs(share.mean() - found.first) < 4.9 * np.sqrt(found.covariance / 400)
    spread = np.sqrt(np.mean((share - share.mean()) ** 4) - share.var() ** 2)
    assert abs(share.var(ddof=1) - found.covariance) < 4.9 * spread / np.sqrt(400)
    assert abs(BIPOLAR.decode(names["total"].share()) - np.mean(names["a"] * names["b"])) < 0.31
