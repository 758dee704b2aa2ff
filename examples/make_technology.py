"""Write examples/technology_models.lib: the cards of cmos40lp as a foundry would ship them.

    python examples/make_technology.py

``examples/technology.toml`` names this library; copy both and put your own models in its place.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from devices.technology import CMOS40LP  # noqa: E402

FLAVOURS = ("nmos", "pmos", "nmos_3.3", "pmos_3.3")


def library_text() -> str:
    """One section per corner, each with the core and the 3.3-V transistors."""
    rows = ["* Cards of cmos40lp, one section per corner; written by make_technology.py"]
    for corner in CMOS40LP.corners:
        cards = [CMOS40LP.library[corner][flavour].model_text() for flavour in FLAVOURS]
        rows += [f".lib {corner}", *cards, ".endl"]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    (HERE / "technology_models.lib").write_text(library_text())
