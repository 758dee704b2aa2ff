"""How a stochastic computer is laid out: architecture files, their presets, and what they mean."""

from system.architecture.base import UNROLLED, Architecture, Columns, Dac, Overhead, Trained
from system.architecture.figures import Figure, Figures
from system.architecture.file import architecture, preset_text, presets, read_architecture
from system.architecture.sentences import choices, stream_choices

__all__ = [
    "UNROLLED",
    "Architecture",
    "Columns",
    "Dac",
    "Figure",
    "Figures",
    "Overhead",
    "Trained",
    "architecture",
    "choices",
    "preset_text",
    "presets",
    "read_architecture",
    "stream_choices",
]
