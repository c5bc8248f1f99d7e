"""What the commands share: how arguments are parsed, and how a configuration is found and loaded.

Knows argparse, the terminal and the environment. Must not know any command.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from logagent.config import Config, ConfigError, load

USAGE: Final = 64
CONFIG: Final = 78
DEFAULT_CONFIG: Final = "/etc/logagent"


class Parser(argparse.ArgumentParser):
    """argparse with our exit status, and help that keeps its line breaks."""

    def __init__(self, command: str, about: str, example: str) -> None:
        super().__init__(
            prog=f"logagent {command}",
            description=about,
            epilog=f"Example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the usage and leave with 64."""
        print(f"{self.prog}: {message} ({self.prog} --help explains)", file=sys.stderr)
        sys.exit(USAGE)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`, repeatable."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        metavar="PATH",
        help="file or directory with the configuration; several are merged "
        f"(default: $LOGAGENT_CONFIG, else {DEFAULT_CONFIG})",
    )


def config_paths(given: Sequence[str] | None) -> list[str]:
    """Where the configuration is: as given, else $LOGAGENT_CONFIG, else /etc/logagent."""
    return list(given or [os.environ.get("LOGAGENT_CONFIG") or DEFAULT_CONFIG])


def load_or_complain(paths: Sequence[str]) -> Config | None:
    """The configuration; None when it has problems, which are then on stderr, one line each."""
    try:
        return load(paths, os.environ)
    except ConfigError as error:
        complain(map(str, error.problems))
        return None


def complain(lines: Sequence[str] | map[str]) -> None:
    """Print lines to stderr."""
    for line in lines:
        print(line, file=sys.stderr)
