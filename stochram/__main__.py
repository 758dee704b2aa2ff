"""``python -m stochram``."""

from typing import NoReturn

from formats.interrupts import start


def main() -> NoReturn:
    """The command ``stochram``: ends the process."""
    start("stochram.cli")


if __name__ == "__main__":
    main()
