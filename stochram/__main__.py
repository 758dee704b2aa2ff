"""``python -m stochram``."""

import sys

from stochram.cli import main

if __name__ == "__main__":
    sys.exit(main())
