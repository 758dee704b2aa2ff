"""``python -m system.sweep cells.nc --vary stream_length=16,64``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.sweep.cli")
