"""The servers are real and behave as the agent will find them; what differs between them is here.

The agent isn't in it. Each figure of a start is printed (`pytest -s`).
"""

from __future__ import annotations

import gzip
import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.servers import (
    Reply,
    Rest,
    SecureServer,
    Server,
    StartError,
    cache,
    elasticsearch,
    opensearch,
)
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.rest import Item

ROOT = Path(__file__).parents[2]
WHEN = "2026-01-02T03:04:05.678Z"
FILTER = {"filter_path": "errors,items.*.status,items.*.error.type"}


def create(rest: Rest, index: str, *documents: dict[str, object], first_id: int = 0) -> Reply:
    """Send documents as operations `create`, with ids that count from `first_id`."""
    rows = [
        ({"create": {"_id": str(number)}}, {"@timestamp": WHEN, **document})
        for number, document in enumerate(documents, first_id)
    ]
    return rest.bulk(index, rows, query=FILTER)


def show(server: Server) -> None:
    """Print what a server costs."""
    print(f"{server.url}: up in {server.start_s:.1f} s, {server.rss_bytes >> 20} MiB")


def test_elasticsearch_says_what_it_is(elasticsearch_server: Server) -> None:
    """`GET /` has the version document and the product header that official clients insist on."""
    show(elasticsearch_server)
    reply = elasticsearch_server.rest.get("/")
    assert reply.status == 200
    assert reply.at("version", "number") == "8.19.0"
    assert reply.at("tagline") == "You Know, for Search"
    assert len(str(reply.at("cluster_uuid"))) == 22
    assert reply.headers["x-elastic-product"] == "Elasticsearch"
    assert elasticsearch_server.rest.ask("HEAD", "/").status == 200


def test_opensearch_says_what_it_is(opensearch_server: Server) -> None:
    """`GET /` names the distribution and the version."""
    show(opensearch_server)
    reply = opensearch_server.rest.get("/")
    assert reply.at("version", "distribution") == "opensearch"
    assert reply.at("version", "number") == "2.19.1"


def test_ids_make_a_second_create_a_conflict(search_server: Server, unused_name: str) -> None:
    """A row with an id is created once; sent again it is 409 and changes nothing."""
    rest = search_server.rest
    rest.create_index(unused_name, {"n": {"type": "long"}})
    assert create(rest, unused_name, {"n": 0}, {"n": 1}).items() == [Item(201, "")] * 2
    again = create(rest, unused_name, {"n": 7}, {"n": 8}, first_id=1)
    assert again.items() == [Item(409, "version_conflict_engine_exception"), Item(201, "")]
    assert rest.count(unused_name) == 3
    found = rest.search(unused_name, {"query": {"ids": {"values": ["1"]}}})
    assert found.at("hits", "hits", 0, "_source", "n") == 1


def test_a_mapping_conflict_is_one_rows_fault(search_server: Server, unused_name: str) -> None:
    """A field of the wrong type is a 400 of its row; the rows beside it are stored."""
    rest = search_server.rest
    rest.create_index(unused_name, {"n": {"type": "long"}})
    reply = create(rest, unused_name, {"n": 1}, {"n": "many"}, {"n": 3})
    assert reply.status == 200
    assert reply.at("errors") is True
    assert [item.status for item in reply.items()] == [201, 400, 201]
    # OpenSearch kept the name from before the fork.
    assert reply.items()[1].error in {"document_parsing_exception", "mapper_parsing_exception"}
    assert rest.count(unused_name) == 2


def test_a_data_stream_is_created_by_the_first_bulk(
    search_server: Server, unused_name: str
) -> None:
    """With a template a bulk makes the stream; without `@timestamp` a row is 400."""
    rest = search_server.rest
    stream = f"logs-{unused_name}-test"
    # The template outlives the test on a server that others use too: for this name alone.
    rest.put_data_stream_template(unused_name, [stream], {"n": {"type": "long"}})
    assert rest.count(stream) == 0
    assert create(rest, stream, {"n": 1}, {"n": 2}).items() == [Item(201, "")] * 2
    late = rest.bulk(stream, [({"create": {}}, {"n": 3})], query=FILTER)
    assert [item.status for item in late.items()] == [400]
    assert rest.count(stream) == 2
    # What is behind the name is a hidden index of a data stream, not an index of that name.
    found = rest.search(stream, {"size": 1})
    assert str(found.at("hits", "hits", 0, "_index")).startswith(f".ds-{stream}-")


def test_gzipped_bodies_are_read(search_server: Server, unused_name: str) -> None:
    """A bulk body may be compressed with gzip."""
    body = b'{"create":{}}\n{"n":1}\n' * 500
    request = urllib.request.Request(
        f"{search_server.url}/{unused_name}/_bulk",
        gzip.compress(body),
        {"content-type": "application/x-ndjson", "content-encoding": "gzip"},
    )
    with urllib.request.urlopen(request) as reply:
        assert json.load(reply)["errors"] is False
    assert search_server.rest.count(unused_name) == 500


@pytest.mark.parametrize("name", ["elasticsearch", "opensearch"])
def test_what_was_acknowledged_survives_a_kill(name: str, tmp_path: Path, unused_name: str) -> None:
    """After SIGKILL a server comes back on the same port with every row that it had answered."""
    start = elasticsearch if name == "elasticsearch" else opensearch
    with start(tmp_path / "home") as server:
        rows: list[dict[str, object]] = [{"n": n} for n in range(1000)]
        assert create(server.rest, unused_name, *rows).at("errors") is False
        first, url = server.pid, server.url
        server.kill()
        assert not server.is_running
        with pytest.raises(OSError, match="refused"):
            server.rest.get("/")
        server.restart()
        show(server)
        assert server.pid != first
        assert server.url == url
        assert server.rest.count(unused_name) == 1000
        last = server.pid
    assert not Path(f"/proc/{last}").exists()


@pytest.mark.parametrize("name", ["elasticsearch", "opensearch"])
def test_settings_reach_the_node(name: str, tmp_path: Path, unused_name: str) -> None:
    """A node that may hold little refuses: 413 for a long body, 429 for a whole request."""
    start = elasticsearch if name == "elasticsearch" else opensearch
    settings = {"http.max_content_length": "64kb", "indexing_pressure.memory.limit": "8kb"}
    with start(tmp_path / "home", settings, heap_mib=256) as server:
        show(server)
        assert create(server.rest, unused_name, {"m": "x"}).status == 200
        assert create(server.rest, unused_name, {"m": "x" * 20_000}).status == 429
        assert create(server.rest, unused_name, {"m": "x" * 80_000}).status == 413


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A failed start raises with the end of the log, and leaves no process behind."""
    with (
        pytest.raises(StartError, match="unknown setting"),
        elasticsearch(tmp_path / "home", {"no.such": "setting"}),
    ):
        raise AssertionError("it started with a setting that doesn't exist")


def test_a_missing_tool_skips_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java the tests are skipped with the reason, but CI never skips."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool isn't installed"):
        cache.need("no-such-tool")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool isn't installed"):
        cache.need("no-such-tool")


def test_ports_are_not_those_of_clients() -> None:
    """A port for a server is outside the range that the kernel takes clients' ports from."""
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    if low < 12_000:
        pytest.skip(f"the kernel gives ports from {low} on to clients")
    assert not any(low <= free_port() <= high for _ in range(200))


def test_security_wants_a_user(secure_elasticsearch: SecureServer, unused_name: str) -> None:
    """Nobody and a wrong password are 401; the agent's user may write to its streams alone."""
    show(secure_elasticsearch)
    server = secure_elasticsearch
    assert server.client().get("/").status == 401
    assert server.client(user=server.user, password="wrong").get("/").status == 401
    agent = server.client(user=server.user, password=server.password)
    assert agent.get("/").at("version", "number") == "8.19.21"
    stream = f"logs-app-{unused_name}"
    server.rest.put_data_stream_template(unused_name, [stream])
    assert create(agent, stream, {"n": 1}).items() == [Item(201, "")]
    assert create(agent, unused_name, {"n": 1}).items() == [Item(403, "security_exception")]
    assert agent.get(f"/{stream}/_count").status == 403
    assert server.rest.count(stream) == 1


def test_security_wants_tls(secure_elasticsearch: SecureServer) -> None:
    """Its certificate holds for those who trust its authority, and plain HTTP gets nothing."""
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        Rest(secure_elasticsearch.url, tls=ssl.create_default_context()).get("/")
    with pytest.raises(OSError):  # noqa: PT011 (a reset or an end, as the kernel has it)
        Rest(secure_elasticsearch.url.replace("https", "http")).get("/")
    named = secure_elasticsearch.url.replace("127.0.0.1", "localhost")
    tls = ssl.create_default_context(cafile=str(secure_elasticsearch.ca_file))
    assert Rest(named, tls=tls).get("/").status == 401


def test_no_certificate_no_answer(mutual_elasticsearch: SecureServer) -> None:
    """Where client certificates are wanted, TLS ends for whoever shows none; who shows one needs a
    user all the same.
    """
    server = mutual_elasticsearch
    assert server.client(user=server.user, password=server.password).get("/").status == 200
    assert server.client().get("/").status == 401
    bare = server.client(user=server.user, password=server.password, shows_certificate=False)
    with pytest.raises(OSError):  # noqa: PT011 (an alert or an end, as TLS has it)
        bare.get("/")


def test_the_secure_server_is_killed_whole(secure_elasticsearch: SecureServer) -> None:
    """Its two processes, launcher and server, end together and come back together."""
    pids = secure_elasticsearch.pids
    secure_elasticsearch.kill()
    all_ended = end(pids)
    secure_elasticsearch.restart()
    assert len(pids) >= 2
    assert all_ended
    assert secure_elasticsearch.rest.get("/").status == 200


ORPHAN = """
import sys, pathlib, time
from tests.e2e import servers
with getattr(servers, sys.argv[1])(*map(pathlib.Path, sys.argv[2:])) as server:
    print(*server.pids, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("name", ["elasticsearch", "opensearch"])
def test_no_server_outlives_its_tests(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """When whoever started a server is killed, the server ends by itself."""
    request.getfixturevalue(f"{name}_server")  # skips where there is no Java
    command = [sys.executable, "-c", ORPHAN, name, str(tmp_path / "home")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        starter.kill()
    assert pids
    assert end(pids)


def end(pids: list[int]) -> bool:
    """Wait, 20 s at most, until none of the processes runs any more."""
    deadline = time.monotonic() + 20
    while any(runs(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def runs(pid: int) -> bool:
    """Whether a process is there and isn't merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
