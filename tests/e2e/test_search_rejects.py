"""Lines that a real server refuses for its mapping: wrapped, or dead letters; and dated indices.

Both products: they name the same error differently.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_scene import (
    deliver_all,
    documents,
    letters,
    make_target,
    search_config,
    write_lines,
)
from tests.e2e.search_support import run_agent
from tests.e2e.servers import Server

PARSING: Final = {"document_parsing_exception", "mapper_parsing_exception"}
"""Elasticsearch's name, and OpenSearch's from before the fork."""

WHEN: Final = "2026-02-03T04:05:06.789Z"
GOOD: Final = [f'{{"@timestamp":"{WHEN}","n":{n},"status":200}}' for n in range(100)]
BAD: Final = f'{{"@timestamp":"{WHEN}","n":100,"status":"very bad"}}'


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with a hundred good lines around a bad one."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_lines(folder / "a.log", [*GOOD[:50], BAD, *GOOD[50:]])
    return folder


@pytest.mark.parametrize("ids", [False, True], ids=["without ids", "with ids"])
def test_a_refused_line_is_sent_once_more_as_text(
    search_server: Server, logs: Path, tmp_path: Path, unused_name: str, *, ids: bool
) -> None:
    """By default it is stored with its time, our metadata, its text in `message`, and why."""
    rest = search_server.rest
    target = make_target(rest, "data stream", unused_name, {"status": {"type": "short"}})
    output = {**target.options, "ids": ids}
    metadata = {"schema": "none", "fields": {"team": "payments"}}
    config = search_config([f"{logs}/*.log"], [search_server.url], output, metadata=metadata)
    log = deliver_all(config, tmp_path)
    assert rest.count(target.name) == 101
    (wrapped,) = documents(rest, target.name, {"exists": {"field": "logagent.error"}})
    ours = wrapped.pop("logagent")
    assert wrapped == {"@timestamp": WHEN, "team": "payments", "message": with_field(BAD)}
    assert isinstance(ours, dict)
    assert ours["error"] in PARSING
    (event,) = [event for event in log if event["msg"] == "rows were rejected"]
    assert (event["status"], event["rows"], event["wrapped"]) == (400, 1, True)
    assert not letters(tmp_path)


def with_field(line: str) -> str:
    """A line as the document that the agent made of it, metadata first."""
    members: dict[str, object] = json.loads(line)
    return json.dumps({"team": "payments", **members}, separators=(",", ":"))


def test_a_refused_line_becomes_a_dead_letter(
    search_server: Server, logs: Path, tmp_path: Path, unused_name: str
) -> None:
    """With `on_reject: dead_letter` it is in a file with status, reason and text, and the hundred
    lines around it are stored.
    """
    rest = search_server.rest
    target = make_target(rest, "index", unused_name, {"status": {"type": "short"}})
    output = {**target.options, "ids": True, "on_reject": "dead_letter"}
    deliver_all(search_config([f"{logs}/*.log"], [search_server.url], output), tmp_path)
    assert rest.count(target.name) == 100
    (letter,) = letters(tmp_path)
    assert (letter["output"], letter["status"]) == ("search", 400)
    assert letter["kind"] in PARSING
    assert "failed to parse field [status]" in str(letter["reason"])
    document = json.loads(str(letter["document"]))
    assert document == json.loads(BAD)
    assert letter["offset"] == sum(len(line) + 1 for line in GOOD[:50])
    assert rest.get(f"/{unused_name}/_doc/{letter['id']}").status == 404


def test_a_dead_letter_arrives_when_the_index_is_mended(
    search_server: Server, logs: Path, tmp_path: Path, unused_name: str
) -> None:
    """`replay` sends it under its own id to an index that takes it now; with `dead_letter_index`
    letters are documents in any index, without a mapping made for them."""
    rest = search_server.rest
    make_target(rest, "index", unused_name, {"status": {"type": "short"}})
    output = {"index": unused_name, "ids": True, "dead_letter_index": f"{unused_name}-dead"}
    strict = {**output, "on_reject": "dead_letter"}
    config = search_config([f"{logs}/*.log"], [search_server.url], strict)
    deliver_all(config, tmp_path)
    (document,) = documents(rest, f"{unused_name}-dead")
    assert json.loads(str(document["document"])) == json.loads(BAD)
    assert (document["status"], document["length"]) == (400, len(BAD) + 1)
    assert not letters(tmp_path)

    other = search_config(
        [f"{logs}/*.log"], [search_server.url], {**strict, "dead_letter_index": ""}
    )
    again = tmp_path / "again"
    again.mkdir()
    deliver_all(other, again)
    (letter,) = letters(again)
    rest.must("DELETE", f"/{unused_name}")
    make_target(rest, "index", unused_name, {"status": {"type": "keyword"}})
    done = run_agent({**other, "agent": {"admin": ""}}, again, (), verb="replay")
    assert done.stdout == "search: 1 letters delivered, 0 left\n", done.stderr
    (stored,) = documents(rest, unused_name)
    assert stored["status"] == "very bad"
    assert rest.get(f"/{unused_name}/_doc/{letter['id']}").status == 200
    assert not letters(again)


def test_a_wrapped_line_that_is_refused_too_becomes_a_dead_letter(
    search_server: Server, logs: Path, tmp_path: Path, unused_name: str
) -> None:
    """An index that lets no new field in refuses `logagent` as well; nothing is lost."""
    rest = search_server.rest
    known = {"@timestamp": {"type": "date"}, "n": {"type": "long"}, "status": {"type": "short"}}
    rest.must("PUT", f"/{unused_name}", {"mappings": {"dynamic": "strict", "properties": known}})
    output = {"index": unused_name}
    deliver_all(search_config([f"{logs}/*.log"], [search_server.url], output), tmp_path)
    assert rest.count(unused_name) == 100
    (letter,) = letters(tmp_path)
    assert letter["kind"] == "strict_dynamic_mapping_exception"
    assert json.loads(str(letter["document"])) == json.loads(BAD)


def test_a_dated_index_takes_lines_by_their_own_time(
    search_server: Server, tmp_path: Path, unused_name: str
) -> None:
    """`%Y.%m.%d` is the event's day in UTC, also when its time stands in a field of another name
    and in another zone; a line without a time goes where the reading time says.
    """
    logs = tmp_path / "logs"
    logs.mkdir()
    times = {
        "2026.01.01": ["2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999Z"],
        "2026.01.02": ["2026-01-02T00:00:00Z", "2026-01-01T23:30:00-01:00"],
        "2025.12.31": ["2026-01-01T00:30:00+01:00"],
    }
    lines = [json.dumps({"when": when}) for whens in times.values() for when in whens]
    write_lines(logs / "a.log", [*lines, '{"when":"yesterday"}'])
    config = search_config(
        [f"{logs}/*.log"],
        [search_server.url],
        {"index": f"{unused_name}-%Y.%m.%d", "ids": True},
        inputs={"app": {"paths": [f"{logs}/*.log"], "timestamp": {"field": "when"}}},
    )
    deliver_all(config, tmp_path)
    rest = search_server.rest
    for day, whens in times.items():
        found = documents(rest, f"{unused_name}-{day}")
        assert sorted(str(each["@timestamp"]) for each in found) == sorted(whens)
    assert rest.count(f"{unused_name}-*") == len(lines) + 1
    (unreadable,) = documents(rest, f"{unused_name}-*", {"exists": {"field": "logagent.error"}})
    assert unreadable["logagent"] == {"error": "timestamp"}
