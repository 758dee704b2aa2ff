"""Charts described once and drawn twice: as an SVG that stands in the page, and for Plotly.

``base`` is the description. ``static`` draws it for print and for readers without JavaScript
(``scale``: places and names of numbers; ``marks``: curves and bars; ``svg``: elements as text);
``interactive`` writes what Plotly draws.
"""

from system.report.chart.base import Axis, Chart, Panel, Series
from system.report.chart.interactive import figure
from system.report.chart.static import drawing

__all__ = ["Axis", "Chart", "Panel", "Series", "drawing", "figure"]
