"""``python -m system.bitstream.report``."""

import sys

from system.bitstream.report.cli import main

if __name__ == "__main__":
    sys.exit(main())
