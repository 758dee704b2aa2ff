"""The budget: cells.nc x training.nc x architecture -> a bill of materials with its totals.

``pair`` refuses files that do not belong together, ``workload`` reads the events, ``sng`` and
``mac`` price a bit, ``published`` holds the figures of others, ``bill`` writes the lines,
``lines`` adds them up, ``wear`` and ``compare`` ask what they mean.
"""

from system.budget.bill import BudgetOptions, budget
from system.budget.lines import Budget, Line, Total

__all__ = ["Budget", "BudgetOptions", "Line", "Total", "budget"]
