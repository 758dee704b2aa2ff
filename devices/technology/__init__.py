"""CMOS technologies: cards, ratings, areas, corners, mismatch."""

from devices.technology.base import CORNERS, ROLES, IoClass, Technology
from devices.technology.cmos40lp import CMOS40LP
from devices.technology.transistor import Mismatch, Ratings, Transistor

TECHNOLOGIES: dict[str, Technology] = {CMOS40LP.name: CMOS40LP}
"""Built-in technologies by name; ``circuits.foundry.load_technology`` knows the others."""

__all__ = [
    "CMOS40LP",
    "CORNERS",
    "ROLES",
    "TECHNOLOGIES",
    "IoClass",
    "Mismatch",
    "Ratings",
    "Technology",
    "Transistor",
]
