"""The cells of a stochastic computer as PySpice circuits, and the one module that runs ngspice."""
