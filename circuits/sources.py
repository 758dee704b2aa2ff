"""Text of voltage sources."""

from __future__ import annotations

from collections.abc import Sequence


def pwl(points: Sequence[tuple[float, float]]) -> str:
    """A PWL source over several lines: one long line would be cut."""
    rows = [points[i : i + 6] for i in range(0, len(points), 6)]
    text = "\n+ ".join(" ".join(f"{t:.12g} {v:.10g}" for t, v in row) for row in rows)
    return f"PWL(\n+ {text})"
