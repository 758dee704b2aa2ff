"""All pictures of a cells.nc, in the order in which they are shown; written as stand-alone SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from characterization.extract.figures.budget import budget_picture
from characterization.extract.figures.energy import energy_pictures
from characterization.extract.figures.picture import Picture
from characterization.extract.figures.probability import probability_pictures
from characterization.extract.figures.waveforms import waveform_picture
from formats.atomic import write_text
from formats.cells import Cells


def pictures(groups: Mapping[str, xr.Dataset]) -> list[Picture]:
    """What the groups of a cells.nc can show; a picture whose data are absent is left out."""
    sng = groups["sng"]
    found = [
        waveform_picture(sng),
        *probability_pictures(sng),
        budget_picture(sng),
        *energy_pictures(groups),
    ]
    return [picture for picture in found if picture is not None]


def write_figures(cells: Cells, folder: Path) -> list[Path]:
    """Write ``<name>.svg`` of each picture into ``folder``; returns the paths."""
    paths = []
    for picture in pictures(cells.groups):
        path = Path(folder) / f"{picture.name}.svg"
        write_text(path, picture.svg())
        paths.append(path)
    return paths
