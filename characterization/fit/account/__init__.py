"""What the user reads: the verdict in plain words, the screen, plots and the report."""
