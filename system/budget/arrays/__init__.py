"""The bill of networks on arrays of 1T1R devices: of synapses.nc and of binarized.nc.

``lines`` are what is counted, ``units`` what one of them costs by cells.nc, ``inputs`` what is
uncertain about it; ``synapses`` and ``binarized`` count, ``bill`` totals, ``lifetime`` is how often
devices are written.
"""

from system.budget.arrays.bill import ArrayBill
from system.budget.arrays.binarized import binarized_bill
from system.budget.arrays.lifetime import Use, use_of_programming, use_of_training
from system.budget.arrays.synapses import synapses_bill
from system.budget.arrays.units import Converter, Units, units

__all__ = [
    "ArrayBill",
    "Converter",
    "Units",
    "Use",
    "binarized_bill",
    "synapses_bill",
    "units",
    "use_of_programming",
    "use_of_training",
]
