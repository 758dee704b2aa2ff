"""The same bill of other cells: same training, architecture and options."""

from __future__ import annotations

from formats.cells import Cells
from formats.training import Training
from system.budget.bill import BudgetOptions, budget
from system.budget.lines import Budget


def repriced(cells: Cells, training: Training, bill: Budget) -> Budget:
    """``bill`` with the numbers of ``cells``, which need not be those of the training."""
    options = BudgetOptions(bill.timing.requested_rate, accept_edited_cells=True)
    return budget(cells, training, bill.layout.architecture, options)
