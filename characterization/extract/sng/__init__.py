"""The SNG: bit probability, energies, sense errors."""
