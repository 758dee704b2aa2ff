"""The in-memory column: counts and their errors, writing, energy."""
