"""``python -m system.explore cells.nc --stream-lengths 16,64``."""

import sys

from system.explore.cli import main

if __name__ == "__main__":
    sys.exit(main())
