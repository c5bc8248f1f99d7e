"""The agent and a Loki that refuses, limits and drops as the real one does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.loki_receiver import Loki, loki
from tests.e2e.search_scene import QUIET, write_lines
from tests.e2e.search_support import run_agent

LINES: Final = 10_000
BASE_S: Final = 1_790_000_000
LEVEL: Final = {"level": {"field": "level", "allow": ["error"], "fallback": "other"}}


@pytest.fixture
def server() -> Iterator[Loki]:
    """A strict Loki."""
    with loki() as running:
        yield running


def config(server: Loki, folder: Path, output: Mapping[str, object]) -> dict[str, object]:
    """One input to one server; small batches, so that there are many."""
    options = {
        "type": "loki",
        "hosts": [server.url],
        "labels": {"app": "{input}"},
        "tenant": "team-a",
        "batch_bytes": 262_144,
        "linger_s": 0.2,
        "retry_max_s": 0.3,
        **output,
    }
    return {
        "metadata": {"schema": "none"},
        "inputs": {"web": {"paths": [f"{folder}/*.log"], "chunk_bytes": 131_072}},
        "outputs": {"loki": options},
        "agent": {"commit_interval_s": 0.1, **QUIET},
    }


def write(tmp_path: Path, old: range) -> Path:
    """Numbered lines, every tenth an error; those of `old` are a day older."""
    folder = tmp_path / "logs"
    folder.mkdir()
    lines = [
        {
            "time": BASE_S + n // 4 / 1000 - (86_400 if n in old else 0),
            "n": n,
            "level": "info" if n % 10 else "error",
        }
        for n in range(LINES)
    ]
    write_lines(folder / "a.log", [json.dumps(line) for line in lines])
    return folder


def numbers(lines: list[str]) -> Counter[int]:
    """How often each line is there."""
    return Counter(int(json.loads(line)["n"]) for line in lines)


def letters(tmp_path: Path) -> Counter[int]:
    """How often each line is a dead letter."""
    files = [each for each in (tmp_path / "state" / "dead").rglob("*") if each.is_file()]
    found: Counter[int] = Counter()
    for line in (line for file in files for line in file.read_text().splitlines()):
        assert "too_far_behind" in line
        found[n_of(json.loads(line))] += 1
    return found


def n_of(value: object) -> int:
    """The number of the document inside a dead letter, wherever it stands."""
    match value:
        case {"n": int(n)}:
            return n
        case dict():
            return next((n for inner in value.values() if (n := n_of(inner)) >= 0), -1)
        case str() if value.startswith("{"):
            return n_of(json.loads(value))
    return -1


@pytest.mark.parametrize("output", [{}, {"labels": {"level": "{level}"}, "choose": LEVEL}])
def test_only_what_is_refused_is_a_dead_letter(
    server: Loki, tmp_path: Path, output: Mapping[str, object]
) -> None:
    """Old lines among others: found by halves, also where the last stream of a batch was fine; the
    others are stored once, however often they were sent.
    """
    old = range(3000, LINES, 997)
    folder = write(tmp_path, old)
    server.oldest_ns = (BASE_S - 3600) * 10**9
    done = run_agent(config(server, folder, output), tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(server.lines()) == Counter(set(range(LINES)) - set(old))
    assert letters(tmp_path) == Counter(old)
    assert server.tenants == {"team-a"}


def test_a_file_that_is_too_old_costs_a_request_a_batch(server: Loki, tmp_path: Path) -> None:
    """When Loki says that it ignored all lines of a request, they aren't tried one by one."""
    folder = write(tmp_path, range(LINES))
    server.oldest_ns = (BASE_S - 3600) * 10**9
    done = run_agent(config(server, folder, {}), tmp_path)
    assert done.returncode == 0, done.stderr
    assert server.lines() == []
    assert letters(tmp_path) == Counter(range(LINES))
    assert server.requests < 50


@pytest.mark.parametrize("output", [{}, {"labels": {"level": "{level}"}, "choose": LEVEL}])
def test_a_rate_limit_loses_and_doubles_nothing(
    server: Loki, tmp_path: Path, output: Mapping[str, object]
) -> None:
    """Parts of requests were stored when the rest was refused: sent again, each line is there
    once.
    """
    server.limited = 7
    folder = write(tmp_path, range(0))
    done = run_agent(config(server, folder, output), tmp_path)
    assert done.returncode == 0, done.stderr
    assert server.limited == 0
    assert numbers(server.lines()) == Counter(range(LINES))
