"""``python -m characterization.extract``."""

import sys

from characterization.extract.cli import main

if __name__ == "__main__":
    sys.exit(main())
