"""``python -m system.bitstream.report``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.bitstream.report.cli")
