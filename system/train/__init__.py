"""Stage 3: cells.nc and images to training.nc and weights.npz.

``stage`` is the function and its options, ``learning`` the loop, ``optimiser`` the update,
``record`` the content of training.nc, ``cli`` the command.
"""

from typing import TYPE_CHECKING

from formats.lazy import names_from

if TYPE_CHECKING:
    from system.train.options import TrainOptions, stage_provenance
    from system.train.stage import run

__all__ = ["TrainOptions", "run", "stage_provenance"]

_PLACES = {"options": ("TrainOptions", "stage_provenance"), "stage": ("run",)}
__getattr__ = names_from(__name__, _PLACES)
