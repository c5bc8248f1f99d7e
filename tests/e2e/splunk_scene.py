"""What the tests with an HTTP Event Collector share: a configuration, and what has arrived."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.e2e.search_scene import QUIET
from tests.e2e.search_support import Agent
from tests.e2e.servers.hec import Collector

LINES: Final = 20_000
TROUBLE: Final = "sending will be tried again"


def config(url: str, logs: Path, output: Mapping[str, object] | None = None) -> dict[str, object]:
    """One input to one collector; small batches and short pauses, so that much happens."""
    hec = {
        "type": "splunk_hec",
        "hosts": [url],
        "token_file": f"{logs.parent}/token",
        "batch_bytes": 262_144,
        "linger_s": 0.2,
        "retry_max_s": 0.5,
        "ack_poll_s": 0.1,
        **(output or {}),
    }
    return {
        "metadata": {"schema": "none"},
        "inputs": {"app": {"paths": [f"{logs}/*.log"], "chunk_bytes": 131_072}},
        "outputs": {"hec": hec},
        "agent": {"commit_interval_s": 0.1, **QUIET},
    }


def numbers(collector: Collector) -> Counter[int]:
    """How often each line is indexed."""
    events = [event["event"] for event in list(collector.indexed)]
    return Counter(int(event["n"]) for event in events if isinstance(event, dict))


def all_once(collector: Collector) -> bool:
    """Whether each line is indexed once."""
    return numbers(collector) == Counter(range(LINES))


def all_there(collector: Collector) -> bool:
    """Whether each line is indexed."""
    return len(numbers(collector)) == LINES


def letters(folder: Path) -> list[dict[str, object]]:
    """The output's dead letters."""
    files = sorted((folder / "state" / "dead" / "hec").rglob("*.ndjson"))
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def troubles(agent: Agent) -> str:
    """The lines of the agent's log that say why nothing is taken."""
    return "\n".join(line for line in agent.log_text().splitlines() if TROUBLE in line)
