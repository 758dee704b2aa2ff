"""The wait-time families, one a file beside base.py; ``FAMILIES`` is the table of contents."""

from devices.families.base import Family
from devices.families.exponential import Exponential
from devices.families.gamma import Gamma
from devices.families.lognormal import LogNormal
from devices.families.weibull import Weibull

FAMILIES: dict[str, Family] = {
    family.name: family for family in (Exponential(), Weibull(), LogNormal(), Gamma())
}

__all__ = ["FAMILIES", "Family"]
