"""``python -m system.binarized device.json``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.binarized.cli")
