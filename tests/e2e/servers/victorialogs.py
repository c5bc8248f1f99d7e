"""VictoriaLogs: takes Elasticsearch bulks, JSON lines, Loki pushes and Splunk events; is read back
by query. Ready in 0.1 s with 20 MiB.

It is lenient: no row is refused twice, no token is checked, and a body of an unknown type is 200
and lost. What must be strict is tested against receivers of our own.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from tests.e2e.servers.golang import build
from tests.e2e.servers.ports import free_port
from tests.e2e.servers.process import Server
from tests.e2e.servers.rest import DIRECT, TIMEOUT_S, Rest

PACKAGE: Final = "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"


class VictoriaLogs(Server):
    """A running VictoriaLogs. What it was sent is found some 2 s later at the latest; it may be
    counted before rows are given, so wait for what you ask for.

    The paths of its end points: `/insert/elasticsearch/_bulk`, `/insert/jsonline`,
    `/insert/loki/api/v1/push`, `/services/collector/event`.
    """

    def query(self, logsql: str, limit: int = 1_000_000) -> list[dict[str, object]]:
        """The rows that a query finds, without order: `_time`, `_stream`, `_msg` and fields, all
        of them strings."""
        text = self._select(query=logsql, limit=str(limit))
        return [json.loads(line) for line in text.splitlines()]

    def count(self, logsql: str = "*") -> int:
        """How many rows a query finds."""
        (row,) = self.query(f"{logsql} | stats count() as n")
        return int(str(row["n"]))

    def _select(self, **form: str) -> str:
        url = f"{self.url}/select/logsql/query"
        opener = urllib.request.build_opener(DIRECT)
        with opener.open(url, urlencode(form).encode(), timeout=TIMEOUT_S) as reply:
            body: bytes = reply.read()
        return body.decode()

    def _answers(self) -> bool:
        try:
            return self.rest.get("/health").status == 200
        except OSError:
            return False


@contextmanager
def victorialogs(home: Path) -> Iterator[VictoriaLogs]:
    """A running VictoriaLogs with its data below `home`."""
    binary = build("victorialogs", PACKAGE)
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = VictoriaLogs(
        [
            str(binary),
            f"-storageDataPath={home / 'data'}",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=100y",
            "-inmemoryDataFlushInterval=1s",
        ],
        rest=Rest(f"http://127.0.0.1:{port}"),
        log=home / "server.log",
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()
