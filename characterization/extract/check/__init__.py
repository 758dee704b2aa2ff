"""Monte Carlo as the check of what is integrated."""
