"""The agent and OTLP: a real Collector, and a receiver that decodes with the protocol's own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.otlp_receiver import Receiver, receiving
from tests.e2e.search_scene import QUIET, write_lines
from tests.e2e.search_support import Agent, eventually, run_agent, start_agent
from tests.e2e.servers.collector import Collector, collector
from tests.fakes.otlp import members, plain

LINES: Final = 10_000
BASE_S: Final = 1_790_000_000
LEVELS: Final = {"debug": 5, "INFO": 9, "warning": 13, "Error": 17, "FATAL": 21}
TRACE: Final = "5b8efff798038103d269b633813fc60c"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """An OpenTelemetry Collector."""
    with collector(tmp_path_factory.mktemp("collector")) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that decodes strictly."""
    with receiving() as running:
        yield running


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with LINES numbered lines of two forms."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_lines(folder / "a.log", [json.dumps(document(n)) for n in range(LINES)])
    return folder


def document(n: int) -> dict[str, object]:
    """What an app writes."""
    found: dict[str, object] = {
        "time": BASE_S + n / 1000,
        "level": list(LEVELS)[n % 5],
        "message": f'took "{n}" %',
        "n": n,
        "ms": n / 4,
        "ok": n % 2 == 0,
        "http": {"request": {"method": "GET"}, "codes": [200, n]},
        "nothing": None,
    }
    if n % 3:
        found |= {"trace_id": TRACE, "span_id": f"{n:016x}"}
    return found


def config(url: str, logs: Path, output: Mapping[str, object] | None = None) -> dict[str, object]:
    """One input to one receiver; small batches, so that there are many."""
    otlp = {
        "type": "otlp_http",
        "hosts": [url],
        "batch_bytes": 262_144,
        "linger_s": 0.2,
        "retry_max_s": 0.5,
        **(output or {}),
    }
    return {
        "metadata": {"schema": "otel", "fields": {"deployment.environment.name": "prod"}},
        "inputs": {
            "web": {"paths": [f"{logs}/*.log"], "chunk_bytes": 131_072, "container": "shop"}
        },
        "outputs": {"otlp": otlp},
        "agent": {"commit_interval_s": 0.1, **QUIET},
    }


def test_each_field_is_where_the_protocol_has_it(
    receiver: Receiver, logs: Path, tmp_path: Path
) -> None:
    """Decoded by opentelemetry-proto: time, severity, body, ids, attributes, resource; nothing
    else, and nothing twice.
    """
    done = run_agent(config(receiver.url, logs, {"ids": True}), tmp_path)
    assert done.returncode == 0, done.stderr
    assert receiver.headers[0]["content-type"] == "application/json"
    found = receiver.records
    assert len(found) == LINES
    uids = set()
    for n, record in enumerate(sorted(found, key=lambda record: record.time_unix_nano)):
        wanted = document(n)
        assert record.time_unix_nano == BASE_S * 10**9 + n * 1_000_000
        assert record.severity_text == wanted["level"]
        assert record.severity_number == LEVELS[record.severity_text]
        assert plain(record.body) == wanted["message"]
        assert record.trace_id.hex() == wanted.get("trace_id", "")
        assert record.span_id.hex() == wanted.get("span_id", "")
        attributes = members(record.attributes)
        uids.add(attributes.pop("log.record.uid"))
        assert attributes.pop("log.file.path") == f"{logs}/a.log"
        for name in ("level", "message", "trace_id", "span_id"):
            wanted.pop(name, None)
        assert attributes == wanted
    assert len(uids) == LINES
    for request in receiver.requests:
        for resource in request.resource_logs:
            assert members(resource.resource.attributes) == {
                "service.name": "shop",
                "k8s.container.name": "shop",
                "deployment.environment.name": "prod",
            }


def test_a_real_collector_understands_it(real: Collector, logs: Path, tmp_path: Path) -> None:
    """The Collector gives back what it decoded: all records with severity, resource and ids."""
    before = len(real.requests())
    done = run_agent(config(real.url, logs), tmp_path)
    assert done.returncode == 0, done.stderr
    found: dict[int, dict[str, object]] = {}
    for request in real.requests()[before:]:
        text = json.dumps(request)
        assert '"key": "service.name", "value": {"stringValue": "shop"}' in text
        for record in collected(request):
            given = record["attributes"]
            assert isinstance(given, list)
            attributes = {each["key"]: each["value"] for each in given}
            found[int(attributes["n"]["intValue"])] = record
    assert found.keys() == set(range(LINES))
    for n, record in found.items():
        wanted = document(n)
        assert record["severityText"] == wanted["level"]
        assert record["severityNumber"] == LEVELS[str(wanted["level"])]
        assert record["timeUnixNano"] == str(BASE_S * 10**9 + n * 1_000_000)
        assert record.get("traceId", "") == wanted.get("trace_id", "")
        assert record.get("spanId", "") == wanted.get("span_id", "")
        assert record["body"] == {"stringValue": wanted["message"]}


def collected(request: dict[str, object]) -> Iterator[dict[str, object]]:
    """The records of a request that the Collector wrote."""
    resources = request["resourceLogs"]
    assert isinstance(resources, list)
    for resource in resources:
        for scope in resource["scopeLogs"]:
            yield from scope["logRecords"]


def test_refusals_lose_nothing(receiver: Receiver, logs: Path, tmp_path: Path) -> None:
    """Throttled, unavailable, refused whole: the agent waits, then sends all; what a 400 was for
    is found by halves.
    """
    receiver.answers = [
        (429, b'{"message":"slow down"}'),
        (503, b"{}"),
        (502, b"<html>"),
        (413, b"{}"),
        (400, b'{"code":3,"message":"bad"}'),
    ]
    done = run_agent(config(receiver.url, logs), tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(receiver) == Counter(range(LINES))


def test_a_partial_success_is_kept_as_dead_letters(
    receiver: Receiver, logs: Path, tmp_path: Path
) -> None:
    """Which records were refused isn't said: the request isn't sent again, and all its rows are
    dead letters that say so.
    """
    partial = {"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "too old"}}
    receiver.answers = [(200, json.dumps(partial).encode())]
    done = run_agent(config(receiver.url, logs, {"slots": 1}), tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(receiver) == Counter(range(LINES))
    letters = [
        line
        for file in sorted((tmp_path / "state" / "dead").rglob("*"))
        if file.is_file()
        for line in file.read_bytes().splitlines()
    ]
    assert len(letters) == len(receiver.requests[0].resource_logs[0].scope_logs[0].log_records)
    assert b"3 of " in letters[0]
    assert b"too old" in letters[0]


def numbers(receiver: Receiver) -> Counter[int]:
    """How often each line was taken."""
    found = (members(record.attributes)["n"] for record in receiver.records)
    return Counter(n for n in found if isinstance(n, int))


def test_a_killed_agent_loses_nothing(receiver: Receiver, logs: Path, tmp_path: Path) -> None:
    """After SIGKILL in mid-run the next one goes on: each line was taken at least once."""
    settings = config(receiver.url, logs, {"slots": 1})

    def midway(agent: Agent) -> bool:
        assert agent.status is None, agent.log_text()
        return len(receiver.requests) > 1

    with start_agent(settings, tmp_path) as agent:
        eventually("the first lines", lambda: midway(agent))
        agent.kill()
    more = [json.dumps(document(n)) for n in range(LINES, LINES + 50)]
    write_lines(logs / "b.log", more)
    done = run_agent(settings, tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(receiver).keys() == set(range(LINES + 50))


def test_check_connect_asks_without_writing(real: Collector, logs: Path, tmp_path: Path) -> None:
    """A Collector takes a request without records; a wrong path is a sentence about `path`."""
    before = len(real.requests())
    good = run_agent(config(real.url, logs), tmp_path, ["--connect"], verb="check")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "takes logs" in good.stdout
    wrong = config(real.url, logs, {"path": "/v2/logs"})
    bad = run_agent(wrong, tmp_path, ["--connect"], verb="check")
    assert bad.returncode != 0
    assert "see path" in bad.stdout
    assert len(real.requests()) == before
