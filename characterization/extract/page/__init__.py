"""cells.html: what the cells do, on one self-contained page."""
