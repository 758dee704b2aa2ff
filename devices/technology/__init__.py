"""CMOS technologies: cards, ratings, areas, corners, mismatch."""

from devices.technology.base import CORNERS, Technology, Transistor
from devices.technology.cmos40lp import CMOS40LP

TECHNOLOGIES: dict[str, Technology] = {CMOS40LP.name: CMOS40LP}
"""Built-in technologies by name."""

__all__ = ["CMOS40LP", "CORNERS", "TECHNOLOGIES", "Technology", "Transistor"]
