"""Baselines by the same code: binary MAC arrays, a CMOS stochastic computer, the orders table.

``figures`` holds published units, ``own`` those in our cells, ``synthesised`` what Yosys mapped;
``arrays`` lets them do the bill's work, ``lfsr`` replaces the memristive SNG, ``precision`` says
how long streams must be, ``stochastic`` and ``orders`` make the table, ``verdict`` its sentences.
"""

from system.budget.baselines.compare import Baselines, baselines

__all__ = ["Baselines", "baselines"]
