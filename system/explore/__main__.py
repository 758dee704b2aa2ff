"""``python -m system.explore cells.nc --stream-lengths 16,64``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.explore.cli")
