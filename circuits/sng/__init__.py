"""The stochastic number generator at transistor level."""
