"""Device physics only: switching laws, CBRAM, spread, subcircuit text. No files, no simulator."""
