"""``python -m system.binarized device.json``."""

import sys

from system.binarized.cli import main

if __name__ == "__main__":
    sys.exit(main())
