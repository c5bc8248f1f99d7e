"""The agent and an HTTP Event Collector: one written from the documentation, and VictoriaLogs'.

Lines are counted by the number inside each document.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.search_scene import UNUSABLE, write_lines
from tests.e2e.search_support import eventually, run_agent, start_agent
from tests.e2e.servers.hec import Collector, collecting
from tests.e2e.servers.hec_rules import Token
from tests.e2e.servers.victorialogs import victorialogs
from tests.e2e.splunk_scene import (
    LINES,
    TROUBLE,
    all_once,
    all_there,
    config,
    letters,
    numbers,
    troubles,
)

GOOD: Final = "b0221cd8-c4b4-465a-9a3c-273e3a75aa29"
BASE_S: Final = 1_790_000_000


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with LINES numbered lines, two of each millisecond."""
    folder = tmp_path / "logs"
    folder.mkdir()
    write_lines(
        folder / "a.log",
        [
            json.dumps({"time": BASE_S + n // 2 / 1000, "n": n, "pad": "x" * (n % 97)})
            for n in range(LINES)
        ],
    )
    (tmp_path / "token").write_text(f"{GOOD}\n")
    return folder


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A strict collector with one token that has acknowledgements."""
    with collecting({GOOD: Token(acks=True)}) as running:
        yield running


def test_every_line_is_an_event_with_its_time(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Once, acknowledged, with the members that the options say."""
    output = {
        "ids": True,
        "fields": {"cluster": "prod-1"},
        "sourcetype": "app:json",
        "host": "{pod|bare}",
    }
    done = run_agent(config(collector.url, logs, output), tmp_path)
    assert done.returncode == 0, done.stderr
    assert all_once(collector)
    assert collector.questions > 0
    assert 1 <= len(collector.channels) <= 8, "as many channels as requests at once"
    fields = [event["fields"] for event in collector.indexed]
    ids = {field["logagent_id"] for field in fields if isinstance(field, dict)}
    assert len(ids) == LINES
    for event in collector.indexed[:: LINES // 10]:
        inner = event["event"]
        assert isinstance(inner, dict)
        assert event["time"] == pytest.approx(BASE_S + inner["n"] // 2 / 1000, abs=1e-4)
        assert (event["host"], event["sourcetype"]) == ("bare", "app:json")
        assert event["source"] == f"{logs}/a.log"


def test_a_wrong_token_holds_until_the_file_is_right(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Nothing is lost and nothing restarted: it says 403, and goes on with the new token."""
    (tmp_path / "token").write_text("wrong-token")
    with start_agent(config(collector.url, logs), tmp_path) as agent:
        eventually("the refusal to be told", lambda: TROUBLE in agent.log_text())
        assert '"why":"credentials","status":403' in troubles(agent)
        assert '"detail":"code_4"' in troubles(agent)
        assert collector.indexed == []
        (tmp_path / "token").write_text(f"{GOOD}\n")
        eventually("all lines to be there", lambda: all_once(collector))
        assert agent.stop() == 0
        assert GOOD not in agent.log_text()
        assert "wrong-token" not in agent.log_text()


def test_a_token_that_changes_while_acks_are_open(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Rotated on the server, then in the file: what was sent with the old one goes again."""
    collector.indexing = "late"
    with start_agent(config(collector.url, logs, {"ack_timeout_s": 2}), tmp_path) as agent:
        eventually("events to wait", lambda: collector.open() > 0)
        collector.tokens = {"another": Token(acks=True)}
        collector.indexing = "prompt"
        eventually("the refusal to be told", lambda: '"status":403' in troubles(agent))
        (tmp_path / "token").write_text("another\n")
        eventually("all lines to be there", lambda: all_there(collector))
        assert agent.stop() == 0


def test_a_receipt_alone_settles_nothing(collector: Collector, logs: Path, tmp_path: Path) -> None:
    """Killed while all was received and nothing indexed: everything comes again."""
    collector.indexing = "late"
    with start_agent(config(collector.url, logs), tmp_path) as agent:
        eventually("all slots to wait", lambda: collector.open() == 8)
        time.sleep(1)
        assert collector.open() == 8, "memory is bounded by the slots"
        agent.kill()
    collector.channels.clear()  # the collector restarts: its receipts are gone
    collector.indexing = "prompt"
    done = run_agent(config(collector.url, logs), tmp_path)
    assert done.returncode == 0, done.stderr
    assert all_once(collector)


def test_late_acknowledgements_are_waited_for(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Indexed in bursts: every line once."""
    collector.indexing = "late"
    with start_agent(config(collector.url, logs), tmp_path, ["--once"]) as agent:
        deadline = time.monotonic() + 60
        while agent.status is None and time.monotonic() < deadline:
            time.sleep(0.4)
            collector.index()
        assert agent.wait() == 0, agent.log_text()
    assert all_once(collector)


def test_lost_events_are_sent_again(collector: Collector, logs: Path, tmp_path: Path) -> None:
    """The indexer crashes after its receipts: no acknowledgement comes, so they go again."""
    collector.indexing = "lost"
    with start_agent(config(collector.url, logs, {"ack_timeout_s": 1}), tmp_path) as agent:
        eventually("receipts", lambda: collector.codes.count(0) >= 8)
        collector.indexing = "prompt"
        eventually("all lines to be there", lambda: all_there(collector))
        assert agent.stop() == 0
        assert '"why":"unavailable"' in troubles(agent)
        assert "ack time-out" in troubles(agent)
    assert all_once(collector), "what was lost was never indexed"


def test_a_busy_server_is_waited_for(collector: Collector, logs: Path, tmp_path: Path) -> None:
    """503 and code 9, then back: all there once."""
    collector.busy = True
    with start_agent(config(collector.url, logs), tmp_path) as agent:
        eventually("the refusal to be told", lambda: '"why":"busy"' in troubles(agent))
        collector.busy = False
        eventually("all lines to be there", lambda: all_once(collector))
        assert agent.stop() == 0


def test_a_body_that_is_too_large_is_halved(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Also a batch of one size and a limit far below it."""
    collector.bytes_max = 100_000
    done = run_agent(config(collector.url, logs, {"compression": "none"}), tmp_path)
    assert done.returncode == 0, done.stderr
    assert all_once(collector)


def test_killed_again_and_again_nothing_is_lost(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """kill -9 in the middle, three times, with acknowledgements that come late."""
    collector.indexing = "late"
    for wait_s in (0.0, 0.15, 0.3):
        with start_agent(config(collector.url, logs, {"slots": 2}), tmp_path) as agent:
            eventually("events to wait", lambda: collector.open() > 0)
            collector.index()
            time.sleep(wait_s)
            agent.kill()
    assert not all_there(collector), "killed before the end, each time"
    collector.indexing = "prompt"
    done = run_agent(config(collector.url, logs), tmp_path)
    assert done.returncode == 0, done.stderr
    assert all_there(collector)


def test_an_invalid_event_is_a_dead_letter(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Exactly those that the collector names; all others arrive, some twice."""
    collector.poison = "poisonous"
    write_lines(logs / "b.log", ['{"n":-1}', '{"n":-2,"x":"poisonous"}', '{"n":-3}'])
    done = run_agent(config(collector.url, logs), tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(collector).keys() == {*range(LINES), -1, -3}
    (letter,) = letters(tmp_path)
    assert (letter["kind"], letter["status"]) == ("code_6", 400)
    assert json.loads(str(letter["document"]))["x"] == "poisonous"


def test_a_wrong_index_holds_until_it_is_allowed(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """Nobody's line is to blame: they wait, and go when the token may write there."""
    collector.tokens[GOOD] = Token(acks=True, indexes=frozenset({"main"}))
    with start_agent(config(collector.url, logs, {"index": "app"}), tmp_path) as agent:
        eventually("the refusal to be told", lambda: '"detail":"code_7"' in troubles(agent))
        collector.tokens[GOOD] = Token(acks=True, indexes=frozenset({"main", "app"}))
        eventually("all lines to be there", lambda: all_once(collector))
        assert agent.stop() == 0
    assert {event["index"] for event in collector.indexed} == {"app"}
    assert letters(tmp_path) == []


def test_nothing_is_sent_without_acknowledgements_that_are_required(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """A token without them gets no line; when an administrator has turned them on, all go once."""
    collector.tokens[GOOD] = Token(acks=False)
    with start_agent(config(collector.url, logs, {"acks": "required"}), tmp_path) as agent:
        eventually("the reason to be told", lambda: '"detail":"no_ack"' in troubles(agent))
        assert collector.codes == []
        collector.tokens[GOOD] = Token(acks=True)
        eventually("all lines to be there", lambda: all_once(collector))
        assert agent.stop() == 0


def test_without_acknowledgements_the_receipt_settles(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """A token that has none: all once, and no question is asked."""
    collector.tokens[GOOD] = Token(acks=False)
    done = run_agent(config(collector.url, logs), tmp_path)
    assert done.returncode == 0, done.stderr
    assert all_once(collector)
    assert (collector.questions, collector.channels) == (0, {})


def test_check_says_what_stands_in_the_way(
    collector: Collector, logs: Path, tmp_path: Path
) -> None:
    """`check --connect` against a good token, and a bad one; nothing is written."""
    good = run_agent(config(collector.url, logs), tmp_path, ["--connect"], verb="check")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "lines are done when they are indexed" in good.stdout
    (tmp_path / "token").write_text("wrong")
    bad = run_agent(config(collector.url, logs), tmp_path, ["--connect"], verb="check")
    assert bad.returncode == UNUSABLE
    assert "refuses the token: Invalid token (403, code 4); see token_file" in bad.stdout
    assert collector.indexed == []


def test_victorialogs_takes_the_events(logs: Path, tmp_path: Path) -> None:
    """A real server's end point for HEC: as many rows as lines, with their times and fields."""
    with victorialogs(tmp_path / "victorialogs") as server:
        output = {"fields": {"cluster": "prod-1"}, "ids": True}
        done = run_agent(config(server.url, logs, output), tmp_path)
        assert done.returncode == 0, done.stderr
        eventually("all rows", lambda: server.count() == LINES)
        rows = server.query("*")
    assert {int(str(row["event.n"])) for row in rows} == set(range(LINES))
    assert len({row["fields.logagent_id"] for row in rows}) == LINES
    first = next(row for row in rows if row["event.n"] == "2468")
    assert str(first["_time"]).startswith("2026-09-21T14:13:21.234")
    assert (first["source"], first["fields.cluster"]) == (f"{logs}/a.log", "prod-1")
