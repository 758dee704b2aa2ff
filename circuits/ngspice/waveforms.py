"""The result of one transient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Waveforms:
    """Time (s) and saved vectors of one transient, by ngspice name ("v(out)", "i(vdd)").

    ``log`` is what ngspice printed. ``rescued`` is empty for a result of the deck as it is, or
    says what went wrong and which options, one of them a capacitance at every node, gave the result
    of a slightly different circuit instead.
    """

    time: np.ndarray
    vectors: dict[str, np.ndarray]
    log: str
    rescued: str = ""

    @property
    def robust(self) -> bool:
        """Whether the result comes from the last attempt, with robust options."""
        return bool(self.rescued)

    def __getitem__(self, name: str) -> np.ndarray:
        """A vector by name; raises KeyError naming what was saved."""
        try:
            return self.vectors[name.lower()]
        except KeyError:
            saved = ", ".join(sorted(self.vectors)[:20])
            raise KeyError(f"{name} was not saved by the deck; it saved {saved}") from None
