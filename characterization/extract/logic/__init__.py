"""Logic: energy by input transition, leakage, delay; MACs composed from gates."""
