"""The stochastic computer as a system: arithmetic, networks, training, and what they cost.

Reads cells.nc and never starts ngspice. ``images`` gives the characters, ``arithmetic`` the
products as the hardware would make them, ``networks`` the layers, ``train`` the command that
writes training.nc, ``report`` the command that totals area, power, energy and accuracy.
"""
