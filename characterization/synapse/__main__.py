"""Entry point of ``python -m characterization.synapse``."""

import sys

from characterization.synapse.cli import main

if __name__ == "__main__":
    sys.exit(main())
