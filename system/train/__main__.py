"""``python -m system.train cells.nc``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.train.cli")
