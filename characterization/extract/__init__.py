"""Stage 2: from device.json, through ngspice, to the table of the cells (cells.nc)."""
