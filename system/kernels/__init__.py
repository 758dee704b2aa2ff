"""The inner loops on packed bits, in Numba; each beside a plain numpy definition it must equal."""
