"""From the characters of the cells to the groups of cells.nc, each number with unit and source."""
