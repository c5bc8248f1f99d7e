"""`logagent demo`: a writer, the agent and a receiver on this machine; see logagent/demo/run.py."""

from __future__ import annotations

from collections.abc import Sequence

from logagent.demo.run import main as run


def main(args: Sequence[str]) -> int:
    """Run the demo."""
    return run(args)
