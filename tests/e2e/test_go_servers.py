"""The servers built from Go modules are real, and behave as the agent will find them.

The agent isn't in it. Each figure of a start is printed (`pytest -s`).
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.search_support import eventually
from tests.e2e.servers.collector import collector
from tests.e2e.servers.process import Server
from tests.e2e.servers.victorialogs import victorialogs

JSON = {"content-type": "application/json"}


def show(server: Server) -> None:
    """Print what a server costs."""
    print(f"{server.url}: up in {server.start_s:.2f} s, {server.rss_bytes >> 20} MiB")


def test_victorialogs_gives_back_what_it_took(tmp_path: Path) -> None:
    """Its endpoints for bulks, JSON lines, Loki and Splunk store rows, found by query."""
    now = time.time()
    bulk: tuple[dict[str, object], ...] = (
        {"create": {}},
        {"@timestamp": int(now * 1000), "message": "bulk", "from": "es"},
    )
    line = {"_time": int(now * 1e9), "_msg": "line", "from": "lines"}
    entry = {"stream": {"from": "loki"}, "values": [[str(int(now * 1e9)), "push"]]}
    event = {"time": now, "event": "event"}
    es = "?_time_field=@timestamp&_msg_field=message"
    bodies = {
        f"/insert/elasticsearch/_bulk{es}": "".join(json.dumps(each) + "\n" for each in bulk),
        "/insert/jsonline": json.dumps(line),
        "/insert/loki/api/v1/push": json.dumps({"streams": [entry]}),
        "/services/collector/event": json.dumps(event),
    }
    with victorialogs(tmp_path) as server:
        show(server)
        assert server.count() == 0
        for path, body in bodies.items():
            request = urllib.request.Request(server.url + path, body.encode(), JSON)
            with urllib.request.urlopen(request) as reply:
                assert reply.status in {200, 204}
        wanted = {"bulk", "line", "push", "event"}
        eventually("all rows", lambda: {str(row["_msg"]) for row in server.query("*")} == wanted)
        assert server.count() == len(bodies)
        assert server.count('from:"loki"') == 1
        assert len(server.query("*", limit=2)) == 2


def test_a_collector_writes_what_it_understood(tmp_path: Path) -> None:
    """200 means that it is in the file; what it can't read is 400, what it doesn't know is gone."""
    record = {"body": {"stringValue": "x"}, "severityNumber": 9, "no such": 1}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    with collector(tmp_path) as server:
        show(server)
        assert server.requests() == []
        assert server.rest.post("/v1/logs", logs).document == {"partialSuccess": {}}
        (found,) = server.requests()
        text = json.dumps(found)
        assert '"severityNumber": 9' in text
        assert "no such" not in text
        request = urllib.request.Request(f"{server.url}/v1/logs", b'{"bad', JSON)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(request)
        server.restart()
        assert len(server.requests()) == 1
