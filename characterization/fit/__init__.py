"""Stage 1, from a table of switching data to device.json: the table of contents.

``fit_table`` fits a data frame, ``run`` reads a file and writes the files of the stage.
"""

from typing import TYPE_CHECKING

from formats.lazy import names_from

if TYPE_CHECKING:
    from characterization.fit.analysis import FitResult, fit_table
    from characterization.fit.stage import FitFiles, FitOptions, run, stage_provenance

__all__ = ["FitFiles", "FitOptions", "FitResult", "fit_table", "run", "stage_provenance"]

_PLACES = {
    "analysis": ("FitResult", "fit_table"),
    "stage": ("FitFiles", "FitOptions", "run", "stage_provenance"),
}
__getattr__ = names_from(__name__, _PLACES)
