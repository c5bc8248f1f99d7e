"""300,000 lines reach a real Elasticsearch and a real OpenSearch, each once; also through a kill.

Lines are counted by the number inside each document.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from logagent.demo.writer import corpus
from tests.e2e.search_scene import (
    CORPUS,
    Kind,
    deliver_all,
    make_target,
    numbers,
    search_config,
    write_lines,
)
from tests.e2e.search_support import Agent, eventually, start_agent
from tests.e2e.servers import Server
from tests.e2e.servers.ports import free_port

LINES: Final = 300_000
FEWER: Final = 100_000
KINDS: Final[tuple[Kind, ...]] = ("data stream", "index")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one JSON file of LINES lines, numbered from 0 by `seq`: 64 MB."""
    return made(tmp_path_factory.mktemp("lines"), LINES)


@pytest.fixture(scope="module")
def fewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with FEWER lines."""
    return made(tmp_path_factory.mktemp("fewer"), FEWER)


def made(folder: Path, lines: int) -> Path:
    """A folder with a corpus in it."""
    corpus(str(folder / "app.log"), kind="json", lines=lines, seed=3)
    return folder


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
@pytest.mark.parametrize("kind", KINDS)
def test_as_many_documents_as_lines(
    search_server: Server, lines: Path, tmp_path: Path, unused_name: str, *, kind: Kind, ids: bool
) -> None:
    """Every line of a large file is one document, with the line's own time."""
    rest = search_server.rest
    target = make_target(rest, kind, unused_name, CORPUS)
    output = {**target.options, "ids": ids}
    config = search_config([f"{lines}/*.log"], [search_server.url], output)
    began = time.monotonic()
    deliver_all(config, tmp_path)
    print(f"{LINES / (time.monotonic() - began):,.0f} lines/s")
    assert rest.count(target.name) == LINES
    assert numbers(rest, target.name) == Counter(range(LINES))
    found = rest.search(target.name, {"query": {"term": {"seq": 0}}})
    document = found.at("hits", "hits", 0, "_source")
    assert isinstance(document, dict)
    with (lines / "app.log").open() as file:
        assert f'"@timestamp":"{document["@timestamp"]}"' in file.readline()
    behind = str(found.at("hits", "hits", 0, "_index"))
    assert behind.startswith(".ds-" if kind == "data stream" else target.name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_agent_leaves_no_duplicates(
    search_server: Server, kind: Kind, fewer: Path, tmp_path: Path, unused_name: str
) -> None:
    """With ids, what is sent a second time after SIGKILL is there already: 409, counted as a
    duplicate, and the documents are as many as the lines.
    """
    rest = search_server.rest
    target = make_target(rest, kind, unused_name, CORPUS)
    # Small batches, so that some are taken and not yet in the checkpoint when it is killed.
    output = {**target.options, "ids": True, "batch_bytes": 262_144}
    config = search_config([f"{fewer}/*.log"], [search_server.url], output)
    port = free_port()
    with start_agent(config, tmp_path, admin_port=port) as agent:
        eventually("a third to be delivered", at_least(agent, "delivered", FEWER // 3))
        agent.kill()
    before = rest.count(target.name)
    assert FEWER // 3 <= before < FEWER, "it was killed on its way"
    with start_agent(config, tmp_path, admin_port=port) as agent:
        eventually("all to be settled", lambda: is_settled(agent))
        duplicates = outcome(agent, "duplicate")
        assert agent.stop() == 0
    assert duplicates > 0, "nothing was sent twice, so nothing was proven"
    assert rest.count(target.name) == FEWER
    assert numbers(rest, target.name) == Counter(range(FEWER))


def is_settled(agent: Agent) -> bool:
    """Whether it has read something and nothing is left."""
    samples = agent.metrics()
    labels = '{input="app",output="search"}'
    read, lag = (samples.get(f"logagent_{name}{labels}") for name in READ_AND_LAG)
    return bool(read) and lag == 0


READ_AND_LAG: Final = ("read_bytes_total", "lag_bytes")


def outcome(agent: Agent, name: str) -> float:
    """How many rows had this outcome."""
    metric = f'logagent_settled_rows_total{{outcome="{name}",output="search"}}'
    return agent.metrics().get(metric, 0.0)


def at_least(agent: Agent, name: str, rows: int) -> Callable[[], bool]:
    """A condition: so many rows have this outcome."""
    return lambda: outcome(agent, name) >= rows


def test_a_dead_host_is_passed_over(
    elasticsearch_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """With several hosts the first of which is down, all lines go to the other one."""
    rest = elasticsearch_server.rest
    rest.create_index(unused_name, {"n": {"type": "long"}})
    (tmp_path / "logs").mkdir()
    write_lines(tmp_path / "logs" / "a.log", [f'{{"n":{n}}}' for n in range(20_000)])
    hosts = [f"http://127.0.0.1:{free_port()}", elasticsearch_server.url]
    # Small batches: the dead host gets its turn more than once.
    output = {"index": unused_name, "ids": True, "batch_bytes": 262_144}
    log = deliver_all(search_config([f"{tmp_path}/logs/*.log"], hosts, output), tmp_path)
    assert rest.count(unused_name) == 20_000
    assert numbers(rest, unused_name, "n") == Counter(range(20_000))
    (trouble,) = [event for event in log if event["msg"] == "sending will be tried again"]
    assert trouble["why"] == "unreachable"
