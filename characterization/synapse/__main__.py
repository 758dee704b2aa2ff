"""Entry point of ``python -m characterization.synapse``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("characterization.synapse.cli")
