"""Conventional binary CMOS from the same gates: what the stochastic cells are compared with."""
