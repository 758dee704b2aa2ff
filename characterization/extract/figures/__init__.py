"""Pictures of the cells, drawn from cells.nc alone, one kind a file."""
