"""``python -m system.sweep cells.nc --vary stream_length=16,64``."""

import sys

from system.sweep.cli import main

if __name__ == "__main__":
    sys.exit(main())
