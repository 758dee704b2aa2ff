"""Energy of single cycles from the sng group: a function of state and switching time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from characterization.extract.sng.course import course


def cycle_energies(
    sng: xr.Dataset,
    voltage: float,
    started: np.ndarray,
    reset_fraction: np.ndarray,
    set_fraction: np.ndarray,
) -> np.ndarray:
    """Energy (J) of RESET, write and read of each cycle, shape (cycles, 3).

    ``sng`` is the group at one width, temperature and corner, ``voltage`` (V) lies within its
    write voltages. ``started``: the state before the RESET (1 LRS). The fractions are threshold
    over exposure of the RESET and of the write phase; at 1 and beyond the device does not switch.
    """
    at = {
        name: _at_voltage(sng, name, voltage)
        for name in (
            "reset_energy_hrs",
            "reset_energy_failed",
            "reset_energy_switched",
            "write_energy_held",
            "write_energy_lrs",
            "write_energy_switched",
            "read_energy",
        )
    }
    nodes = sng["switch_fraction"].to_numpy()
    started = np.asarray(started) == 1
    reset = started & (np.asarray(reset_fraction) < 1)
    kept = started & ~reset
    switched = ~kept & (np.asarray(set_fraction) < 1)
    ends = kept | switched

    def switched_at(name: str, fraction: np.ndarray) -> np.ndarray:
        return course(nodes, at[name], np.clip(fraction, 0, 1))

    energy = np.empty((started.size, 3))
    energy[:, 0] = np.where(
        reset,
        switched_at("reset_energy_switched", reset_fraction),
        np.where(kept, at["reset_energy_failed"], at["reset_energy_hrs"]),
    )
    energy[:, 1] = np.where(
        switched,
        switched_at("write_energy_switched", set_fraction),
        np.where(kept, at["write_energy_lrs"], at["write_energy_held"]),
    )
    energy[:, 2] = at["read_energy"][ends.astype(int)]
    return energy


def _at_voltage(sng: xr.Dataset, name: str, voltage: float) -> np.ndarray:
    table = sng[name].transpose("write_voltage", ...)
    knots = sng["write_voltage"].to_numpy()
    values = table.to_numpy().reshape(knots.size, -1)
    found = np.array([np.interp(voltage, knots, column) for column in values.T])
    return found if table.ndim > 1 else np.asarray(found[0])
