"""What the training's calibration against device spread leaves in hardware, from its conditions."""

from __future__ import annotations

from typing import Any

from formats.errors import InputError
from formats.training import Training


def trim_bits(training: Training) -> int:
    """Bits of an SNG's trim registers: an offset word, and where ``gain_step`` stands a gain word.

    0 without calibration. Raises :class:`InputError`.
    """
    words = 1 if _entry(training, "gain_step", None) is None else 2
    return words * _whole(training, "trim_bits")


def readbacks(training: Training) -> int:
    """Bits that every SNG was read for its calibration; 0 without. Raises :class:`InputError`."""
    return _whole(training, "readbacks")


def errors(training: Training, key: str) -> tuple[float, float]:
    """A calibration's rms error before and after: of ``rms_ln_tau``, or of ``rms_probability``.

    Raises :class:`InputError`.
    """
    found = _entry(training, key, [0.0, 0.0])
    if not (
        isinstance(found, list)
        and len(found) == 2
        and all(isinstance(x, int | float) and not isinstance(x, bool) and x >= 0 for x in found)
    ):
        raise InputError(
            f"{training.path}, attribute conditions",
            f"{key} of calibration is {found!r}, expected two numbers from 0 on: before, after",
        )
    return float(found[0]), float(found[1])


def _entry(training: Training, key: str, absent: Any) -> Any:
    calibration = training.conditions.get("calibration")
    if calibration is None:
        return absent
    if not isinstance(calibration, dict) or key not in calibration:
        raise InputError(
            f"{training.path}, attribute conditions",
            f"calibration is {calibration!r}, expected an object with {key}",
        )
    return calibration[key]


def _whole(training: Training, key: str) -> int:
    value = _entry(training, key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        value = -1
    if value < 0:
        raise InputError(
            f"{training.path}, attribute conditions",
            f"{key} of calibration is no whole number from 0 on",
        )
    return int(value)
