"""``python -m pairvote`` is the command ``pairvote``."""

import sys

from pairvote.cli._main import main

if __name__ == "__main__":
    sys.exit(main())
