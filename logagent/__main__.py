"""`logagent` and `python -m logagent`. Knows nothing: cli/main.py finds the command."""

from __future__ import annotations

import sys

from logagent.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
