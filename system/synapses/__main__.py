"""``python -m system.synapses``."""

import sys

from system.synapses.cli import main

if __name__ == "__main__":
    sys.exit(main())
