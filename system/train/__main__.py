"""``python -m system.train cells.nc``."""

import sys

from system.train.cli import main

if __name__ == "__main__":
    sys.exit(main())
