"""``python -m system.synapses``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("system.synapses.cli")
