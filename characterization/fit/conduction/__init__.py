"""Resistances: the two states, what sets them, and what reading does to them."""
