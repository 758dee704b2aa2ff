"""What a stream stands for: unipolar, bipolar, sign-magnitude (Gaines 1967; recalled).

- unipolar: x in [0, 1] is P(1);
- bipolar: x in [-1, 1] is 2 P(1) - 1;
- sign-magnitude (two lines): x in [-1, 1] has |x| = P(1) on the magnitude's line and its sign,
  constant over the stream, on the other.

The names are those of the MAC groups in cells.nc.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Encoded(NamedTuple):
    """P(1) of each stream, and its sign (+1 or -1; 1 where the encoding has no sign's line)."""

    probability: np.ndarray
    sign: np.ndarray


@dataclass(frozen=True)
class Encoding:
    """One encoding; ``lowest`` is the least value it holds, 1 the greatest."""

    name: str
    lowest: float

    def encode(self, value: np.ndarray) -> Encoded:
        """Probabilities of values; raises ValueError for values outside the range."""
        x = np.asarray(value, float)
        if not np.all((x >= self.lowest) & (x <= 1)):
            outside = x[~((x >= self.lowest) & (x <= 1))].flat[0]
            raise ValueError(
                f"{outside:g} cannot be {self.name}: expected values from {self.lowest:g} to 1"
            )
        if self.name == "bipolar":
            return Encoded((1 + x) / 2, np.ones_like(x))
        if self.name == "sign-magnitude":
            return Encoded(np.abs(x), np.where(x < 0, -1.0, 1.0))
        return Encoded(x, np.ones_like(x))

    def decode(self, share: np.ndarray, sign: np.ndarray | float = 1.0) -> np.ndarray:
        """Values of the share of ones in streams, with their signs."""
        share = np.asarray(share, float)
        return 2 * share - 1 if self.name == "bipolar" else share * np.asarray(sign)


UNIPOLAR = Encoding("unipolar", 0.0)
BIPOLAR = Encoding("bipolar", -1.0)
SIGN_MAGNITUDE = Encoding("sign-magnitude", -1.0)
ENCODINGS = {e.name: e for e in (UNIPOLAR, BIPOLAR, SIGN_MAGNITUDE)}
