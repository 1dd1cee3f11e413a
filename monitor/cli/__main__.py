"""`python -m monitor.cli`, where the `becalm` command is not on the path."""

import sys

from monitor.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
