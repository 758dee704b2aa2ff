"""Entry point of ``python -m characterization.fit``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("characterization.fit.cli")
