"""``python -m system.report cells.nc training.nc``."""

import sys

from system.report.cli import main

if __name__ == "__main__":
    sys.exit(main())
