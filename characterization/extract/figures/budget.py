"""How far a bit probability is off, by origin, over the probabilities the SNG can make."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from characterization.extract.figures.picture import Picture
from characterization.extract.figures.probability import nominal_condition
from characterization.extract.figures.style import COLUMN, INK, KINDS, between

_PREFIX = "code_error_"
_LABELS = {
    "dac": "DAC, half a step",
    "supply": "supply noise, rms",
    "d2d": "devices and cells, rms",
    "fit": "fit, standard error",
}


def budget_picture(sng: xr.Dataset) -> Picture | None:
    """The errors of P by DAC code; None where the group holds none."""
    names = [
        str(name).removeprefix(_PREFIX)
        for name, data in sng.data_vars.items()
        if str(name).startswith(_PREFIX) and data.dims == ("code",)
    ]
    if not names:
        return None
    here = sng.isel(nominal_condition(sng))
    code_voltage = sng["code_voltage"].to_numpy()
    used = code_voltage > 0
    p = between(here["write_voltage"].to_numpy(), here["Ps"].to_numpy(), code_voltage[used])
    errors = {name: sng[f"{_PREFIX}{name}"].to_numpy()[used] for name in names}
    shown = {name: e for name, e in errors.items() if np.all(np.isfinite(e)) and np.any(e > 0)}
    unknown = [_LABELS.get(name, name) for name in names if name not in shown]
    bits, noise = sng.attrs.get("dac_bits"), sng.attrs.get("supply_noise_V")
    told = []
    if bits is not None:
        told.append(f"DAC of {int(bits)} bits")
    if noise is not None:
        told.append(f"supply noise {float(noise) * 1e3:.3g} mV rms")
    missing = f" None or unknown: {', '.join(unknown)}." if unknown else ""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (name, error), colour in zip(shown.items(), KINDS, strict=False):
            axes.plot(p, np.where(error > 0, error, np.nan), color=colour, label=_LABELS.get(name))
        sensing = float(max(sng["e01"].max(), sng["e10"].max()))
        if sensing > 1e-9:
            axes.axhline(sensing, color=INK, linestyle=":", label="sense errors, largest")
        axes.set(yscale="log", xlabel="bit probability", ylabel="error of the probability")
        top = max(float(error.max()) for error in shown.values())
        axes.set(xlim=(0, 1), ylim=(top * 1e-4, top * 2))
        figure.legend(loc="outside upper center", ncols=2)

    return Picture(
        "error_budget",
        "Error of the bit probability by origin",
        f"At every code of the DAC, nominal condition ({'; '.join(told)}). DAC and supply move "
        "the write voltage; devices and cells differ by D2D and mismatch, which a calibration of "
        f"each cell would take out; the fit is uncertain for all alike.{missing}",
        COLUMN,
        2.9,
        draw,
    )
