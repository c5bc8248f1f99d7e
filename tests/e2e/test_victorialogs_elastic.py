"""VictoriaLogs takes what is made for Elasticsearch: a path below the host, headers, `/_bulk`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_scene import connect, deliver_all, search_config, write_lines
from tests.e2e.search_support import eventually, start_agent
from tests.e2e.servers.victorialogs import VictoriaLogs, victorialogs

LINES: Final = 2000
FIELDS: Final = {
    "VL-Stream-Fields": "log.file.path",
    "VL-Time-Field": "@timestamp",
    "VL-Msg-Field": "message",
}
"""What VictoriaLogs is told by a query elsewhere; it takes headers as well."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaLogs]:
    """A running VictoriaLogs."""
    with victorialogs(tmp_path_factory.mktemp("victorialogs")) as running:
        yield running


def output(index: str, **more: object) -> dict[str, object]:
    """What an output says beside its hosts."""
    return {"index": index, "headers": FIELDS, **more}


@pytest.mark.parametrize(
    "more",
    [
        {"target_in_path": False, "compression": "gzip"},
        {"target_in_path": False, "compression": "none", "ids": True},
    ],
)
def test_each_line_is_there_once_with_time_text_and_stream(
    server: VictoriaLogs, tmp_path: Path, unused_name: str, more: dict[str, object]
) -> None:
    """All that was sent is read back by query, under its own time, in the stream of its file."""
    logs = tmp_path / "logs"
    logs.mkdir()
    write_lines(
        logs / "a.log",
        (
            f'{{"@timestamp":"2026-11-24T10:00:00.{n:06}Z","message":"m{n}","run":"{unused_name}"}}'
            for n in range(LINES)
        ),
    )
    config = search_config(
        [f"{logs}/*.log"], [f"{server.url}/insert/elasticsearch"], output("app", **more)
    )
    deliver_all({**config, "metadata": {"schema": "ecs"}}, tmp_path)
    query = f"run:={unused_name}"
    eventually("all lines to be found", lambda: len(server.query(query)) == LINES)
    rows = server.query(query)
    assert Counter(str(row["_msg"]) for row in rows) == Counter(f"m{n}" for n in range(LINES))
    by_text = {str(row["_msg"]): row for row in rows}
    assert by_text["m7"]["_time"] == "2026-11-24T10:00:00.000007Z"
    assert by_text["m7"]["_stream"] == f'{{log.file.path="{logs}/a.log"}}'


def test_a_path_that_it_does_not_know_holds_all_lines(
    server: VictoriaLogs, tmp_path: Path, unused_name: str
) -> None:
    """With the index in the path it answers 400, in words: no line becomes a dead letter for it."""
    logs = tmp_path / "logs"
    logs.mkdir()
    write_lines(logs / "a.log", [f"{unused_name}"])
    hosts = [f"{server.url}/insert/elasticsearch"]
    config = search_config([f"{logs}/*.log"], hosts, output("app"))
    with start_agent(config, tmp_path) as agent:
        eventually("the refusal to be told", lambda: '"why":"configuration"' in agent.log_text())
        assert "rows were rejected" not in agent.log_text()


def test_a_check_says_what_can_be_said(server: VictoriaLogs, tmp_path: Path) -> None:
    """It calls itself an Elasticsearch, and knows no indices."""
    hosts = [f"{server.url}/insert/elasticsearch"]
    found = connect(tmp_path, hosts, output("app", target_in_path=False), status=0)
    assert found[0].startswith(f"{hosts[0]}: Elasticsearch ")
    assert found[1] == "index app: this server isn't able to say (400)"
