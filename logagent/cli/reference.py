"""`logagent reference`: every option, as a commented configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from logagent.cli.usage import Parser
from logagent.config.reference import reference

ABOUT = """\
Print every option with its meaning, type, bounds and default, as one commented YAML file."""


def main(args: Sequence[str]) -> int:
    """Print the reference."""
    Parser("reference", ABOUT, "logagent reference | less").parse_args(args)
    sys.stdout.write(reference())
    return 0
