"""Rows that are not independent: autocorrelation, drift, memory, and errors that allow for them."""
