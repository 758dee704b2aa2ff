"""``python -m system.report cells.nc training.nc``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.report.cli")
