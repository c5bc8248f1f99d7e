"""The agent and the Loki endpoint of VictoriaLogs, read back by query.

Lines are counted by the number inside each.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_scene import QUIET, write_lines
from tests.e2e.search_support import Agent, eventually, run_agent, start_agent
from tests.e2e.servers.victorialogs import VictoriaLogs, victorialogs

LINES: Final = 20_000
BASE_NS: Final = 1_790_000_000_000_000_000
PUSH: Final = "/insert/loki/api/v1/push?disable_message_parsing=1"
"""Else a line that is JSON is taken apart, and `_msg` is its message."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaLogs]:
    """A VictoriaLogs; each test writes to an app of its own."""
    with victorialogs(tmp_path_factory.mktemp("victorialogs")) as running:
        yield running


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with LINES numbered lines, two of each millisecond, every tenth an error."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_lines(folder / "a.log", [json.dumps(document(n)) for n in range(LINES)])
    return folder


def document(n: int) -> dict[str, object]:
    """What an app writes."""
    level = "info" if n % 10 else "error"
    text = f'said "{n}" of 100 % \\ back'
    return {"time": BASE_NS // 10**9 + n // 2 / 1000, "level": level, "n": n, "message": text}


def config(
    server: VictoriaLogs, logs: Path, app: str, output: Mapping[str, object] | None = None
) -> dict[str, object]:
    """One input to one server; small batches, so that there are many."""
    loki = {
        "type": "loki",
        "hosts": [server.url],
        "path": PUSH,
        "labels": {"app": app, "input": "{input}"},
        "batch_bytes": 262_144,
        "linger_s": 0.2,
        "retry_max_s": 0.5,
        **(output or {}),
    }
    return {
        "metadata": {"schema": "ecs", "fields": {"team": "payments"}},
        "inputs": {"web": {"paths": [f"{logs}/*.log"], "chunk_bytes": 131_072}},
        "outputs": {"loki": loki},
        "agent": {"commit_interval_s": 0.1, **QUIET},
    }


def found(server: VictoriaLogs, app: str) -> list[dict[str, object]]:
    """All rows of an app."""
    return server.query(f'{{app="{app}"}}')


def numbers(rows: list[dict[str, object]]) -> Counter[int]:
    """How often each line is there."""
    return Counter(int(json.loads(str(row["_msg"]))["n"]) for row in rows)


def ns_of(row: Mapping[str, object]) -> int:
    """A row's time in nanoseconds since BASE_NS, below a minute."""
    seconds, _, digits = str(row["_time"]).removesuffix("Z").rpartition(":")[2].partition(".")
    minutes = int(str(row["_time"])[14:16])
    base_s = BASE_NS // 10**9 % 3600
    return (minutes * 60 + int(seconds) - base_s) * 10**9 + int(digits.ljust(9, "0") or "0")


def test_all_lines_arrive_with_labels_and_times(
    server: VictoriaLogs, logs: Path, tmp_path: Path
) -> None:
    """Each line is there once: the document as the render made it, its own time, the labels."""
    done = run_agent(config(server, logs, "once"), tmp_path)
    assert done.returncode == 0, done.stderr
    eventually("all lines", lambda: len(found(server, "once")) >= LINES, within_s=30)
    rows = found(server, "once")
    assert numbers(rows) == Counter(range(LINES))
    for row in rows[:200]:
        parsed = json.loads(str(row["_msg"]))
        wanted = document(parsed["n"])
        assert {key: parsed[key] for key in wanted} == wanted
        assert parsed["team"] == "payments"
        assert row["_stream"] == '{app="once",input="web"}'
        assert ns_of(row) == parsed["n"] // 2 * 1_000_000


def test_lines_choose_among_the_streams_that_are_allowed(
    server: VictoriaLogs, logs: Path, tmp_path: Path
) -> None:
    """A label by a field of the line has the values of the list and the fallback, and with `ids`
    each line has an id of its own.
    """
    output = {
        "labels": {"app": "chosen", "level": "{level}"},
        "choose": {"level": {"field": "level", "allow": ["error"], "fallback": "other"}},
        "line": "message",
        "ids": True,
    }
    done = run_agent(config(server, logs, "chosen", output), tmp_path)
    assert done.returncode == 0, done.stderr
    eventually("all lines", lambda: len(found(server, "chosen")) >= LINES, within_s=30)
    rows = found(server, "chosen")
    assert Counter(row["level"] for row in rows) == {"error": LINES // 10, "other": LINES * 9 // 10}
    assert sorted(str(row["_msg"]) for row in rows) == sorted(
        str(document(n)["message"]) for n in range(LINES)
    )
    assert len({row["logagent_id"] for row in rows}) == LINES


def test_equal_lines_of_one_moment_are_kept_apart(server: VictoriaLogs, tmp_path: Path) -> None:
    """Text without a time of its own: each line gets a later nanosecond, in the file's order."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_lines(folder / "a.log", ["tick"] * 5000)
    settings = config(server, folder, "equal")
    done = run_agent(settings, tmp_path)
    assert done.returncode == 0, done.stderr

    def times() -> set[str]:
        return {str(row["_time"]) for row in found(server, "equal")}

    # Asked again and again: one answer may have fewer rows than the one before.
    eventually("5,000 lines, each with its own time", lambda: len(times()) == 5000, within_s=30)


def test_a_killed_agent_loses_nothing(server: VictoriaLogs, logs: Path, tmp_path: Path) -> None:
    """After SIGKILL in mid-run the next one goes on: each line is there at least once."""
    settings = config(server, logs, "killed", {"slots": 1})

    def midway(agent: Agent) -> bool:
        assert agent.status is None, agent.log_text()
        return server.count('{app="killed"}') > 0

    with start_agent(settings, tmp_path) as agent:
        eventually("the first lines", lambda: midway(agent))
        agent.kill()
    write_lines(logs / "b.log", [json.dumps(document(n)) for n in range(LINES, LINES + 100)])
    done = run_agent(settings, tmp_path)
    assert done.returncode == 0, done.stderr

    def complete() -> bool:
        return numbers(found(server, "killed")).keys() == set(range(LINES + 100))

    eventually("all lines", complete, within_s=30)


def test_check_connect_asks_for_the_push_api(
    server: VictoriaLogs, logs: Path, tmp_path: Path
) -> None:
    """The right path takes pushes; a wrong one is a sentence about `path`."""
    arguments = ["--connect"]
    good = run_agent(config(server, logs, "check"), tmp_path, arguments, verb="check")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "takes pushes" in good.stdout
    wrong = config(server, logs, "check", {"path": "/nowhere"})
    bad = run_agent(wrong, tmp_path, arguments, verb="check")
    assert bad.returncode != 0
    assert "see path" in bad.stdout + bad.stderr
