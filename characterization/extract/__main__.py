"""``python -m characterization.extract``."""

from formats.interrupts import start

if __name__ == "__main__":
    start("characterization.extract.cli")
