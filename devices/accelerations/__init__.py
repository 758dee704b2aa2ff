"""Voltage accelerations, one a file beside base.py; ``ACCELERATIONS`` is the table of contents."""

from devices.accelerations.base import Acceleration, Temperature
from devices.accelerations.exponential import ExponentialVoltage
from devices.accelerations.inverse import InverseVoltage
from devices.accelerations.power import PowerVoltage
from devices.accelerations.sinh import SinhVoltage

ACCELERATIONS: dict[str, Acceleration] = {
    acceleration.name: acceleration
    for acceleration in (ExponentialVoltage(), SinhVoltage(), PowerVoltage(), InverseVoltage())
}

__all__ = ["ACCELERATIONS", "Acceleration", "Temperature"]
