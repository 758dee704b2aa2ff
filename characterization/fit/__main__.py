"""Entry point of ``python -m characterization.fit``."""

import sys

from characterization.fit.cli import main

if __name__ == "__main__":
    sys.exit(main())
