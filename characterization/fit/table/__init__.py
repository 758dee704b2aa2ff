"""Data in: from a file to checked rows, every excluded one counted."""
