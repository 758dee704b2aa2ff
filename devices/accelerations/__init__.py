"""Voltage accelerations, one a file beside base.py; ``ACCELERATIONS`` is the table of contents."""

from devices.accelerations.base import Acceleration
from devices.accelerations.exponential import ExponentialVoltage

ACCELERATIONS: dict[str, Acceleration] = {
    acceleration.name: acceleration for acceleration in (ExponentialVoltage(),)
}

__all__ = ["ACCELERATIONS", "Acceleration"]
