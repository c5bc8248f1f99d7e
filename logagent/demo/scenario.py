"""What is played in the demo: its options, the agent's configuration, the files, the faults.

Knows the scenario as data. Must not know processes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

CONFIG: Final = """\
# Written by `logagent demo`; yours looks like this, with your paths and servers.
agent:
  state_dir: {directory}/state
  admin: "127.0.0.1:{admin_port}"
metadata:
  fields: {{team: demo}}
inputs:
  app:
    paths: ["{directory}/logs/app.log*"]
    format: json
  web:
    paths: ["{directory}/logs/web.log*"]
    format: text
outputs:
  search:
    type: elasticsearch
    hosts: ["http://127.0.0.1:{port}"]
    index: logs-demo
    ids: true
"""

USAGE: Final = 64
"""Exit status for a command line that can't be understood (EX_USAGE of sysexits.h)."""

FILES: Final = (("app", "json", 0.6), ("web", "text", 0.4))
"""Writer, format and share of the rate of each file."""


@dataclass(frozen=True)
class Options:
    """How long the app writes, and how many lines a second in all its files together."""

    seconds: float = 20.0
    rate: float = 50_000.0


class Parser(argparse.ArgumentParser):
    """argparse that leaves with 64, as every command does when it is typed wrongly."""

    def error(self, message: str) -> NoReturn:
        """See argparse."""
        self.exit(USAGE, f"{self.prog}: {message} ({self.prog} --help explains)\n")


def read_options(arguments: Sequence[str]) -> Options:
    """Options from the command line. Raises SystemExit."""
    parser = Parser(
        prog="logagent demo",
        description="Watch logs travel: an app that writes and rotates its files, the agent, and"
        " a server that is sometimes busy. Everything stays on this machine, in a temporary"
        " directory.",
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the app writes")
    parser.add_argument("--rate", type=float, default=50_000.0, help="lines a second")
    chosen = parser.parse_args(arguments)
    if chosen.seconds <= 0 or chosen.rate < 100:
        parser.error("--seconds must be more than 0 and --rate at least 100")
    return Options(chosen.seconds, chosen.rate)


LINE_BYTES: Final = 215
"""About the length of a line of either format."""

ROTATE_S: Final = 1.0
"""Shortest time between rotations: the agent lists directories once a second, and a file stays for
three rotations, so none can come and go unseen."""


def rotate_bytes(options: Options, share: float) -> int:
    """The size at which a file is rotated: seven times in a demo, or each `ROTATE_S`."""
    return int(max(ROTATE_S, options.seconds / 7) * options.rate * share * LINE_BYTES)


def script(seconds: float) -> list[dict[str, object]]:
    """What goes wrong: a busy second, a broken connection, a lost reply."""
    busy = {"do": "status", "status": 503, "retry_after_s": 1, "times": 0, "for_s": 1.0}
    return [
        {**busy, "at_s": seconds * 0.2},
        {"do": "cut_request", "bytes": 4096, "at_s": seconds * 0.4},
        {"do": "lose_reply", "at_s": seconds * 0.6},
    ]
